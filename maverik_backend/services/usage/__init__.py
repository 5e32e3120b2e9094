"""What language models cost: a ledger by principal, assistant, model and day, and limits on it.

``ledger.py`` is what turns use; docs/decisions/0016-a-ledger-of-tokens.md says why it is so.
"""

from maverik_backend.services.usage.ledger import Ledger
from maverik_backend.services.usage.limits import Limits
from maverik_backend.services.usage.prices import Price, Prices
from maverik_backend.services.usage.records import Bill, Demand, Line, Usage
from maverik_backend.services.usage.store import Consumption, get_consumption, today

__all__ = [
    "Bill",
    "Consumption",
    "Demand",
    "Ledger",
    "Limits",
    "Line",
    "Price",
    "Prices",
    "Usage",
    "get_consumption",
    "today",
]
