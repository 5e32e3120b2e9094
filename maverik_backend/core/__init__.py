"""Ground floor: database, security, deadlines and logging. Knows no domain and no HTTP framework."""
