"""The one place that reads the providers' connections: an event loop in a thread of its own, for all of a process.

======================  =============================================================================
Rule                    Value
======================  =============================================================================
Threads                 one, started with the first call, whatever the number of streams. The calling thread sleeps
                        until its call ended: one wake a call, none a piece
Connecting              at most :data:`CONNECT_TIMEOUT_S`
Whole call              until its deadline, however slowly it drips
Cancelled               the connection is closed at once, and the call ends
Answer                  at most :data:`MAX_ANSWER_BYTES`; what follows is not read
Connections             a bounded pool, kept and used again; TLS is verified
Never                   redirects, proxies and ``.netrc`` of the machine, cookies, compressed answers
======================  =============================================================================

Nothing asynchronous leaves this package: a thread hands over a coroutine and waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeVar

import aiohttp

from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import Cancelled, UpstreamTimeout, UpstreamTooLarge, UpstreamUnreachable

try:
    from uvloop import new_event_loop
except ImportError:  # not on Windows
    from asyncio import new_event_loop  # type: ignore[assignment]

T = TypeVar("T")

CONNECT_TIMEOUT_S = 3.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Of a stream or a whole body. A piece of a few characters comes in a few hundred bytes, so texts are much shorter."""
END_WITHIN_S = 1.0
"""How long the end of a stream's connection is waited for, after the end of the answer, to use it again."""
_HEADERS = {"Accept-Encoding": "identity", "Content-Type": "application/json", "User-Agent": "maverik-backend"}


class Reader:
    """Reads answers for any number of threads and services."""

    def __init__(self, *, max_connections: int = 600) -> None:
        self._max_connections = max_connections
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._session: aiohttp.ClientSession | None = None
        self._endings: set[asyncio.Task[None]] = set()

    def run(self, call: Callable[[], Awaitable[T]], *, service: str, deadline: Deadline) -> T:
        """Run ``call`` in the loop, and return what it returns.

        Raises:
            Cancelled: when ``deadline`` was cancelled; the call has ended then.
            UpstreamTimeout: when it did not end by itself.
            UpstreamUnreachable: when a connection could not be made, or was cut.
        """
        if deadline.is_cancelled:
            raise Cancelled
        bounded = self._bounded(call, service=service, deadline=deadline)
        return asyncio.run_coroutine_threadsafe(bounded, self._running_loop()).result()

    @asynccontextmanager
    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask, within :meth:`run`. A connection whose answer ended is kept, any other is closed."""
        session = self._session or self._open_session()
        response = await session.request(method, url, data=body, headers=headers, allow_redirects=False)
        try:
            yield response
        except BaseException:
            response.close()
            raise
        if not response.content.at_eof():
            ending = asyncio.create_task(_end(response))
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    def close(self) -> None:
        """End calls that run, close all connections, and end the thread."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._shut_down(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _bounded(self, call: Callable[[], Awaitable[T]], *, service: str, deadline: Deadline) -> T:
        try:
            with _cancelled_with(deadline), _errors_mapped(service):
                async with asyncio.timeout(deadline.remaining_s()):
                    return await call()
        except asyncio.CancelledError:
            raise Cancelled from None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="model-streams", daemon=True)
                self._thread.start()
            return self._loop

    def _open_session(self) -> aiohttp.ClientSession:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._max_connections),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            headers=_HEADERS,
        )
        return self._session

    async def _shut_down(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class Body:
    """The body of an answer as it arrives."""

    def __init__(self, response: aiohttp.ClientResponse, *, service: str) -> None:
        self._read = response.content.readany
        self._service = service
        self._remaining_bytes = MAX_ANSWER_BYTES

    async def read(self) -> bytes:
        """What has arrived since the last read; waits for something. Empty at the end.

        Raises:
            UpstreamTooLarge: as soon as it is longer than :data:`MAX_ANSWER_BYTES` in all.
        """
        data = await self._read()
        self._remaining_bytes -= len(data)
        if self._remaining_bytes < 0:
            raise UpstreamTooLarge(self._service, f"more than {MAX_ANSWER_BYTES} bytes")
        return data

    async def read_all(self) -> bytes:
        """The rest of it."""
        whole = bytearray()
        while data := await self.read():
            whole += data
        return bytes(whole)


async def _end(response: aiohttp.ClientResponse) -> None:
    """Wait for the end of an answer that was read to its end mark, so that its connection can be used again."""
    try:
        with suppress(aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(END_WITHIN_S):
                await response.content.readany()
    finally:
        if not response.content.at_eof():
            response.close()


@contextmanager
def _cancelled_with(deadline: Deadline) -> Iterator[None]:
    """Cancel the running task when ``deadline`` is cancelled, from whatever thread."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - coroutines that are handed to a loop run in one

    def cancel() -> None:
        with suppress(RuntimeError):  # the call, and with it the loop, ended at this moment
            loop.call_soon_threadsafe(task.cancel)

    with deadline.cancellation.calling(cancel):
        yield


@contextmanager
def _errors_mapped(service: str) -> Iterator[None]:
    """Aiohttp's exceptions in our words, without the addresses and texts that they quote."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError:
        raise UpstreamUnreachable(service, "connecting took too long") from None
    except TimeoutError:
        raise UpstreamTimeout(service) from None
    except (aiohttp.ClientError, OSError) as error:
        raise UpstreamUnreachable(service, type(error).__name__) from None
