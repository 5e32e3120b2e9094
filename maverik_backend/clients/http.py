"""How this product calls other HTTP services: one pooled session a service, one policy for all.

======================  =============================================================================
Rule                    Value
======================  =============================================================================
Connecting              at most 3 s
Whole call              the caller's deadline, however slowly the answer drips
Answer                  at most 1 MiB, JSON, status 2xx; redirects are not followed
Environment             proxies and ``.netrc`` of the machine are ignored
======================  =============================================================================

Whatever goes wrong becomes one of the :class:`~maverik_backend.errors.UpstreamError` kinds; what the service sent is
never quoted in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import UpstreamBadAnswer, UpstreamRejected, UpstreamTimeout, UpstreamUnreachable

CONNECT_TIMEOUT_S = 3.0
MAX_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024


class HttpService:
    """One service at one address. Safe to use from several threads."""

    def __init__(
        self, name: str, base_url: str, *, headers: Mapping[str, str] | None = None, max_connections: int = 64
    ) -> None:
        """``name`` is how errors and logs call it; ``headers`` go with every call."""
        self.name = name
        self._base_url = base_url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})})
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=max_connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post(self, path: str, payload: Mapping[str, Any] | None, *, deadline: Deadline) -> bytes:
        """POST ``payload`` as JSON and return the body of a 2xx answer.

        Raises:
            UpstreamError: of the kind that fits; see the table above.
        """
        with self._errors_mapped(), self._open(path, payload, deadline) as response:
            if response.status_code // 100 != 2:  # noqa: PLR2004 - the class of success, RFC 9110, section 15.3
                raise UpstreamRejected(self.name, response.status_code)
            return self._read(response, deadline)

    def post_json(self, path: str, payload: Mapping[str, Any] | None, *, deadline: Deadline) -> Any:  # noqa: ANN401
        """As :meth:`post`, and decode the body.

        Raises:
            UpstreamError: of the kind that fits; ``UpstreamBadAnswer`` when the body is not JSON.
        """
        try:
            return json.loads(self.post(path, payload, deadline=deadline))
        except (ValueError, RecursionError):
            raise UpstreamBadAnswer(self.name, "not JSON") from None

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _open(self, path: str, payload: Mapping[str, Any] | None, deadline: Deadline) -> requests.Response:
        if deadline.passed:
            raise UpstreamTimeout(self.name, "no time left")
        remaining_s = deadline.remaining_s()
        return self._session.post(
            self._base_url + path,
            json=payload,
            timeout=(min(CONNECT_TIMEOUT_S, remaining_s), remaining_s),
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response: requests.Response, deadline: Deadline) -> bytes:
        """The body, read as it comes so that neither size nor slowness can exceed what is allowed."""
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise UpstreamBadAnswer(self.name, "too large")
            if deadline.passed:
                raise UpstreamTimeout(self.name, "answer not complete")
        return bytes(body)

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        """The vendor's exceptions in our words, without the addresses and texts that they quote."""
        try:
            yield
        except (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
            raise UpstreamUnreachable(self.name, "connecting took too long") from None
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
            raise UpstreamTimeout(self.name) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise UpstreamUnreachable(self.name, type(error).__name__) from None
