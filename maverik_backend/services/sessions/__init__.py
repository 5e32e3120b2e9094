"""Advisory sessions of a person and the first prompt made from a profile."""
