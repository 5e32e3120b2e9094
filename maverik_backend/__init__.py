"""Maverik Backend: the REST backend of a financial-advice copilot."""

__version__ = "0.1.0"
