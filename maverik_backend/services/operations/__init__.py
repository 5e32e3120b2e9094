"""What operators rely on: clean-up of expired rows and the health of the parts."""

from maverik_backend.services.operations.health import Check, DependencyHealth, Health, HealthReport
from maverik_backend.services.operations.store import clean_up, keep_used_passwords

__all__ = ["Check", "DependencyHealth", "Health", "HealthReport", "clean_up", "keep_used_passwords"]
