"""How mails leave: an HTTP API, an SMTP server, or a local mailbox of files."""
