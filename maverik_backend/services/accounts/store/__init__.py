"""All SQL of accounts, one file a group of tables. Functions take the caller's transaction and never commit."""
