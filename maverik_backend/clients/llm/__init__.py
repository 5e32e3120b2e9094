"""Language models: one protocol (``base.py``), one reader for all streams of the process, an adapter a provider."""
