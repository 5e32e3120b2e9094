"""Every text that a person reads, in the Spanish of Argentina. Logic lives elsewhere."""
