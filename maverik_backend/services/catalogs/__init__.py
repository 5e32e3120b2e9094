"""The lists that the sign-up and session forms offer."""
