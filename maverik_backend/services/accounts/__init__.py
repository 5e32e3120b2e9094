"""People: sign-up, login, refresh, second factor, passwords, own data, security events, operators."""
