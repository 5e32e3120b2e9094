"""All SQL of accounts, one file a group of tables. Functions take an open transaction and never commit."""
