"""Care, fraud and injection before any assistant is asked, and what no answer may say after it; for every surface."""

from maverik_backend.services.safety.care import Care, care_in
from maverik_backend.services.safety.gate import Verdict, judge
from maverik_backend.services.safety.output import OutputGuard, make_canary

__all__ = ["Care", "OutputGuard", "Verdict", "care_in", "judge", "make_canary"]
