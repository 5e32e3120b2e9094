"""Slow work that runs outside a request: the outbox of mails and its worker."""
