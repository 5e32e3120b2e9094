"""The image's HEALTHCHECK: status 0 when the server in this container answers that it is alive. Standard library only.

python deployments/healthcheck.py
"""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT_S = 4


def main() -> None:
    """Ask the server on PORT."""
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8082), timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health/live")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"not alive: {error}")
    if status != http.client.OK:
        sys.exit(f"not alive: HTTP {status}")


if __name__ == "__main__":
    main()
