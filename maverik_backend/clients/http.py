"""How this product calls other HTTP services: one pooled session a service, one policy for all.

======================  =============================================================================
Rule                    Value
======================  =============================================================================
Connecting              at most 3 s for each address of the name; looking the name up is the system's business
Whole call              the given deadline once connected, however slowly headers or body drip
Answer                  at most 1 MiB unless a client takes more, complete, JSON, status 2xx; no redirects
Connections             kept and used again; one that the service closed meanwhile is replaced
Retries, breaker        ``clients/policy.py``; retried are 429, 502, 503 and 504, ``Retry-After`` honoured
Health                  ``GET /``, and what calls taught
Cancelled               the socket is shut down; the breaker counts neither a success nor a failure
Cookies                 none: no call knows of another one
Environment             proxies and ``.netrc`` of the machine are ignored
Trace                   ``traceparent`` with a new span for each attempt, and ``tracestate`` (``core/trace.py``)
======================  =============================================================================

requests makes a request, and knows which certificates to trust; urllib3, which it stands on, sends it. What lies
between the two (redirects, cookies, decoding) is not wanted here, and took a twentieth of a turn's processor time.

Whatever goes wrong becomes one of the :class:`~maverik_backend.errors.UpstreamError` kinds; what the service sent is
never quoted in them.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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

_JSON_BODY = {"Content-Type": "application/json"}
_NO_RETRIES = urllib3.Retry(total=False)  # what fails is raised as it is


class HttpService:
    """One service at one address. Safe to use from several threads."""

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        max_connections: int = 64,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        metrics: Metrics | None = None,
    ) -> None:
        """``name`` is how errors, logs and metrics call it; ``headers`` go with every call."""
        self._max_answer_bytes = max_answer_bytes
        self.name = name
        self._policy = CallPolicy(name, metrics=metrics)
        self._base_url = base_url
        self._requests: dict[tuple[str, str], requests.PreparedRequest] = {}
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})})
        self._adapter = _PunctualAdapter(pool_connections=1, pool_maxsize=max_connections)

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
            if response.status >= _SERVER_ERROR:
                raise UpstreamRejected(self.name, response.status)

    def _post(self, path: str, payload: Mapping[str, Any] | None, deadline: Deadline) -> bytes:
        attempt = self._policy.attempt()
        with attempt, self._cancellable(deadline), self._send("POST", path, payload, deadline) as response:
            if response.status // 100 != 2:  # noqa: PLR2004 - the class of success, RFC 9110, section 15.3
                wait_s = retry_after_s(response.headers.get("Retry-After"))
                raise UpstreamRejected(self.name, response.status, retry_after_s=wait_s)
            return self._read(response)

    def _decode(self, body: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise UpstreamBadAnswer(self.name, "not JSON") from None

    def close(self) -> None:
        """Close the pooled connections."""
        self._adapter.close()

    @contextmanager
    def _send(
        self, method: str, path: str, payload: Mapping[str, Any] | None, deadline: Deadline
    ) -> Iterator[urllib3.BaseHTTPResponse]:
        """The answer, its body still to be read; the connection is closed where that is not done to the end."""
        remaining_s = deadline.remaining_s()
        if not remaining_s:
            raise UpstreamTimeout(self.name, "no time left")
        request = self._prepared(method, self._base_url + path)
        response = self._adapter.pool_of(request).urlopen(
            method,
            request.path_url,
            body=None if payload is None else json.dumps(payload).encode(),
            headers={**request.headers, **trace.outgoing_headers(), **({} if payload is None else _JSON_BODY)},
            retries=_NO_RETRIES,
            redirect=False,
            timeout=urllib3.Timeout(total=remaining_s, connect=min(CONNECT_TIMEOUT_S, remaining_s)),
            preload_content=False,
            decode_content=False,
        )
        try:
            yield response
        finally:
            response.close()
            response.release_conn()

    def _prepared(self, method: str, url: str) -> requests.PreparedRequest:
        """A request without body; to each address it is made once, because that takes longer than sending it."""
        known = self._requests.get((method, url))
        if known is None:
            known = self._http.prepare_request(requests.Request(method, url))
            known.headers.pop("Content-Length", None)  # that of no body
            self._requests[method, url] = known
        return known

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """The body, read as it comes so that its size cannot exceed what is allowed."""
        body = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > self._max_answer_bytes:
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
    """Keeps pools of the connections above, which trust what requests trusts."""

    _pool: urllib3.HTTPConnectionPool | None = None

    def pool_of(self, request: requests.PreparedRequest) -> urllib3.HTTPConnectionPool:
        """The connections for ``request``; all that one adapter is asked for go to one address."""
        if self._pool is None:
            pool: Any = self.get_connection_with_tls_context(request, verify=True)
            self.cert_verify(pool, request.url, verify=True, cert=None)  # type: ignore[no-untyped-call]
            self._pool = pool
        return self._pool

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:  # noqa: ANN401, FBT001, FBT002 - the signature of requests
        super().init_poolmanager(connections, maxsize, block, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
