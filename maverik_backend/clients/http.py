"""How this product calls other HTTP services: one pooled session a service, one policy for all.

======================  =============================================================================
Rule                    Value
======================  =============================================================================
Connecting              at most 3 s for each address of the name; looking the name up is the system's business
Whole call              the given deadline once connected, however slowly headers or body drip
Answer                  at most 1 MiB, complete, JSON, status 2xx; redirects are not followed
Connections             kept and used again; one that the service closed meanwhile is replaced
Retries, breaker        ``clients/policy.py``; retried are 429, 502, 503 and 504, ``Retry-After`` honoured
Health                  ``GET /``, and what calls taught
Cancelled               the socket is shut down; the breaker counts neither a success nor a failure
Cookies                 none: all calls share the HTTP session, and would share them
Environment             proxies and ``.netrc`` of the machine are ignored
Trace                   ``traceparent`` with a new span for each attempt, and ``tracestate`` (``core/trace.py``)
======================  =============================================================================

Whatever goes wrong becomes one of the :class:`~maverik_backend.errors.UpstreamError` kinds; what the service sent is
never quoted in them.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
import urllib3
from requests.adapters import HTTPAdapter

from maverik_backend.clients import punctual
from maverik_backend.clients.breaker import CircuitBreaker
from maverik_backend.clients.policy import CallPolicy, retry_after_s
from maverik_backend.core import trace
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.metrics import Metrics
from maverik_backend.errors import (
    Cancelled,
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)

T = TypeVar("T")

CONNECT_TIMEOUT_S = 3.0
MAX_ANSWER_BYTES = 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_SERVER_ERROR = 500  # RFC 9110, section 15.6


class HttpService:
    """One service at one address. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 64,
        metrics: Metrics | None = None,
    ) -> None:
        """``name`` is how errors, logs and metrics call it; ``headers`` go with every call."""
        self.name = name
        self._policy = CallPolicy(name, metrics=metrics)
        self._base_url = base_url
        self._requests: dict[tuple[str, str], requests.PreparedRequest] = {}
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._http.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})})
        adapter = _PunctualAdapter(pool_connections=1, pool_maxsize=max_connections)
        self._http.mount("http://", adapter)
        self._http.mount("https://", adapter)

    @property
    def breaker(self) -> CircuitBreaker:
        """The service's breaker."""
        return self._policy.breaker

    def post(self, path: str, payload: Mapping[str, Any] | None, *, deadline: Deadline) -> bytes:
        """POST ``payload`` as JSON, once, and return the body of a 2xx answer.

        A POST that was cut off may have been acted on; a call that may be repeated uses :meth:`ask`.

        Raises:
            UpstreamError: of the kind that fits; see the table above.
        """
        with self._policy.failures():
            return self._post(path, payload, deadline)

    def ask(self, path: str, payload: Mapping[str, Any] | None, *, parse: Callable[[Any], T], deadline: Deadline) -> T:
        """POST a question that may be repeated, and return what ``parse`` makes of the decoded answer.

        Retries and breaker as in the table above; an answer that ``parse`` refuses with ``UpstreamBadAnswer`` counts as
        a failure of the service.

        Raises:
            UpstreamError: of the kind that fits; ``UpstreamBadAnswer`` when the body is not JSON.
        """
        return self._policy.repeat(lambda: parse(self._decode(self._post(path, payload, deadline))), deadline=deadline)

    def check(self, *, deadline: Deadline) -> None:
        """Ask for the root, at no cost to the service: whatever it says, unless that it fails, shows that it is there.

        Raises:
            UpstreamBusy: when it does not answer in time, or says 503, and answers calls.
            UpstreamError: when it is not there, or does not answer what it is asked: its breaker is open, or calls were
                told lately that this is the wrong address.
        """
        self._policy.check(lambda: self._probe(deadline))

    def _probe(self, deadline: Deadline) -> None:
        with self._cancellable(deadline), self._send("GET", "/", None, deadline) as response:
            if response.status_code >= _SERVER_ERROR:
                raise UpstreamRejected(self.name, response.status_code)

    def _post(self, path: str, payload: Mapping[str, Any] | None, deadline: Deadline) -> bytes:
        attempt = self._policy.attempt()
        with attempt, self._cancellable(deadline), self._send("POST", path, payload, deadline) as response:
            if response.status_code // 100 != 2:  # noqa: PLR2004 - the class of success, RFC 9110, section 15.3
                wait_s = retry_after_s(response.headers.get("Retry-After"))
                raise UpstreamRejected(self.name, response.status_code, retry_after_s=wait_s)
            return self._read(response)

    def _decode(self, body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise UpstreamBadAnswer(self.name, "not JSON") from None

    def close(self) -> None:
        """Close the pooled connections."""
        self._http.close()

    def _send(self, method: str, path: str, payload: Mapping[str, Any] | None, deadline: Deadline) -> requests.Response:
        remaining_s = deadline.remaining_s()
        if not remaining_s:
            raise UpstreamTimeout(self.name, "no time left")
        request = self._prepared(method, self._base_url + path).copy()
        request.headers.update(trace.outgoing_headers())
        if payload is not None:
            request.prepare_body(data=None, files=None, json=payload)
        # The adapter itself: what Session.send does beside it (redirects, cookies, hooks) is what we do not want.
        return self._http.get_adapter(self._base_url).send(
            request,
            timeout=urllib3.Timeout(  # type: ignore[arg-type] # requests takes it; its stubs know only numbers
                total=remaining_s, connect=min(CONNECT_TIMEOUT_S, remaining_s)
            ),
            stream=True,
        )

    def _prepared(self, method: str, url: str) -> requests.PreparedRequest:
        """A request without body; to each address it is made once, because that takes longer than sending it."""
        known = self._requests.get((method, url))
        if known is None:
            known = self._requests[method, url] = self._http.prepare_request(requests.Request(method, url))
        return known

    def _read(self, response: requests.Response) -> bytes:
        """The body, read as it comes so that its size cannot exceed what is allowed."""
        body = bytearray()
        while chunk := response.raw.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise UpstreamBadAnswer(self.name, "too large")
        return bytes(body)

    @contextmanager
    def _cancellable(self, deadline: Deadline) -> Iterator[None]:
        """A call that ends as soon as ``deadline`` is cancelled, then with ``Cancelled`` whatever it met."""
        try:
            with punctual.calling(deadline), self._errors_mapped():
                yield
        except UpstreamError:
            if not deadline.is_cancelled:
                raise
        if deadline.is_cancelled:  # also where a cut connection looks like the end of a body without a length
            raise Cancelled

    @contextmanager
    def _errors_mapped(self) -> Iterator[None]:
        """The vendor's exceptions in our words, without the addresses and texts that they quote."""
        try:
            yield
        except (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError):
            raise UpstreamUnreachable(self.name, "connecting took too long") from None
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError, TimeoutError):
            raise UpstreamTimeout(self.name) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise UpstreamUnreachable(self.name, type(error).__name__) from None


class _PunctualResponse(http.client.HTTPResponse):
    """Reads status, headers and body by the deadline of the call that it belongs to."""

    def __init__(self, sock: socket.socket, debuglevel: int = 0, method: str | None = None) -> None:
        super().__init__(sock, debuglevel, method)
        self.fp.close()
        self._call = punctual.current_call()
        self._call.use(sock)
        self.fp = punctual.open_reader(sock, self._call.deadline)

    def _close_conn(self) -> None:
        # Called when the body is complete, before urllib3 gives the connection back to its pool.
        self._call.release()
        super()._close_conn()  # type: ignore[misc] # http.client's own; its stub leaves it out


class _HttpConnection(urllib3.connection.HTTPConnection):
    response_class = _PunctualResponse


class _HttpsConnection(urllib3.connection.HTTPSConnection):
    response_class = _PunctualResponse


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


class _PunctualAdapter(HTTPAdapter):
    """Makes requests use the connections above."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature of requests
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
