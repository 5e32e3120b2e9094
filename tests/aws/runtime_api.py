"""Lambda as its runtime client sees it: the Runtime API on loopback, and the client as a process of its own.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (version 2018-06-01)
"""

from __future__ import annotations

import base64
import json
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.support.paths import ROOT
from tests.support.processes import clean_environment

PREFIX = "/2018-06-01/runtime"
START_TIMEOUT_S = 120.0
INVOCATION_TIMEOUT_S = 75.0
STOP_TIMEOUT_S = 60.0
PEER = "203.0.113.9"


@dataclass(frozen=True)
class Outcome:
    """What the runtime client posted: the handler's result, or the error that it raised."""

    body: Any
    failed: bool = False


@dataclass(frozen=True)
class Answer:
    """A result of the HTTP handler, as Lambda would send it to the client."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_base64: bool

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        assert not outcome.failed, outcome.body
        result = outcome.body
        is_base64 = result["isBase64Encoded"]
        body = base64.b64decode(result["body"]) if is_base64 else result["body"].encode()
        return cls(status=result["statusCode"], headers=result["headers"], body=body, is_base64=is_base64)

    def json(self) -> Any:
        return json.loads(self.body)


class LambdaProcess:
    """``python -m awslambdaric maverik_backend.aws_lambda.<handler>`` between invocations of the test's making."""

    def __init__(self, handler: str, folder: Path, environment: Mapping[str, str]) -> None:
        self.init_errors: queue.Queue[Any] = queue.Queue()
        self.events: queue.Queue[tuple[str, bytes, int] | None] = queue.Queue()
        self.outcomes: queue.Queue[tuple[str, Outcome]] = queue.Queue()
        self.ready = threading.Event()
        self._server = _RuntimeApi(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._log = (folder / f"{handler}.log").open("w+", encoding="utf-8")
        self._started = time.monotonic()
        self._thread.start()
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-m", "awslambdaric", f"maverik_backend.aws_lambda.{handler}"],
            cwd=folder,
            env=clean_environment(
                PYTHONPATH=str(ROOT),
                AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{self._server.server_port}",
                **environment,
            ),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(STOP_TIMEOUT_S)
        self.events.put(None)
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._log.close()

    def wait_until_ready(self) -> float:
        """Seconds from the start of the process until it asked for its first event."""
        assert self.ready.wait(START_TIMEOUT_S), self.output()
        return time.monotonic() - self._started

    def wait_for_init_error(self) -> Any:
        """What it said when it could not start, after which it ended with an error."""
        error = self.init_errors.get(timeout=START_TIMEOUT_S)
        assert self._process.wait(STOP_TIMEOUT_S) != 0
        return error

    def invoke(self, event: Any, *, timeout_s: float = INVOCATION_TIMEOUT_S) -> Outcome:
        """Hand it ``event`` with so many seconds to work on it; what it posted."""
        request_id = str(uuid.uuid4())
        self.events.put((request_id, json.dumps(event).encode(), int((time.time() + timeout_s) * 1000)))
        answered, outcome = self.outcomes.get(timeout=INVOCATION_TIMEOUT_S)
        assert answered == request_id
        return outcome

    def request(self, method: str, path: str, payload: Any = None, **options: Any) -> Answer:
        """Send a request through a Function URL."""
        return Answer.of(self.invoke(make_event(method, path, payload, **options)))

    def freeze(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def processor_s(self) -> float:
        """What it has used so far."""
        return sum(psutil.Process(self._process.pid).cpu_times()[:2])

    def thread_count(self) -> int:
        return len(list(Path(f"/proc/{self._process.pid}/task").iterdir()))

    def ports_towards(self, port: int) -> set[int]:
        """Its own ends of the connections that it holds to that port."""
        sockets = psutil.Process(self._process.pid).net_connections("tcp")
        return {
            socket.laddr.port
            for socket in sockets
            if socket.status == psutil.CONN_ESTABLISHED and socket.raddr.port == port
        }

    def output(self) -> str:
        """Everything that it logged so far."""
        self._log.flush()
        return Path(self._log.name).read_text(encoding="utf-8")


def make_event(
    method: str,
    path: str,
    payload: Any = None,
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    token: str | None = None,
    stage: str = "$default",
    **fields: Any,
) -> dict[str, Any]:
    """A request as Function URLs and HTTP APIs put it (payload format 2.0). ``payload`` becomes a JSON body;
    ``fields`` are further entries of the event, or replace one.
    """
    names = {"host": "abc.lambda-url.sa-east-1.on.aws", "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    if payload is not None:
        names["content-type"] = "application/json"
    if token is not None:
        names["authorization"] = f"Bearer {token}"
    full_path = path if stage == "$default" else f"/{stage}{path}"
    http = {"method": method, "path": full_path, "protocol": "HTTP/1.1", "sourceIp": PEER, "userAgent": "pruebas"}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": full_path,
        "rawQueryString": query,
        "headers": {**names, **{name.lower(): value for name, value in (headers or {}).items()}},
        "requestContext": {"accountId": "anonymous", "http": http, "requestId": "r", "stage": stage, "timeEpoch": 0},
        "isBase64Encoded": False,
        **fields,
    }
    if payload is not None:
        event["body"] = json.dumps(payload)
    return event


class _RuntimeApi(ThreadingHTTPServer):
    daemon_threads = True  # one of them waits for an event that never comes

    def __init__(self, function: LambdaProcess) -> None:
        self.function = function
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet: the second would wait for the 40 ms of a delayed ACK
    disable_nagle_algorithm = True
    server: _RuntimeApi

    def do_GET(self) -> None:
        assert self.path == f"{PREFIX}/invocation/next"
        self.server.function.ready.set()
        event = self.server.function.events.get()
        if event is None:
            self.close_connection = True
            return
        request_id, body, deadline_ms = event
        self._send(
            200,
            body,
            {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": request_id,
                "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:sa-east-1:123456789012:function:maverik",
            },
        )

    def do_POST(self) -> None:
        value = json.loads(self._body())
        *_, request_id, kind = self.path.split("/")
        if self.path == f"{PREFIX}/init/error":
            self.server.function.init_errors.put(value)
        else:
            self.server.function.outcomes.put((request_id, Outcome(value, failed=kind == "error")))
        self._send(202, b"{}", {})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: a test run is no place for an access log."""
