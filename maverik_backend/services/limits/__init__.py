"""Limits: attempts in a time (throttle) and places at once (concurrency)."""
