"""Maverik Backend: the REST backend of a financial-advice copilot."""

__version__ = "0.2.0.dev0"
