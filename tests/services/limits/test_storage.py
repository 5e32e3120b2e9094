"""Counting in PostgreSQL: exact, whoever counts at once; and windows that pass."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from limits.storage import Storage
from sqlalchemy import Connection, text

from maverik_backend.core.database import Database
from maverik_backend.errors import SettingsError, TooManyTries, UpstreamUnreachable
from maverik_backend.services.limits import LIMITS, Action, Throttle, make_storage
from maverik_backend.services.limits.storage import MemoryStorage
from maverik_backend.services.limits.store import PostgresStorage
from maverik_backend.settings import Settings
from tests.support.fixtures.database import connected
from tests.support.redis_server import RedisServer

THREADS = 16


@pytest.fixture
def shared(own_database: Settings) -> Iterator[Database]:
    """A database that really commits, from several connections."""
    with connected(own_database) as database:
        yield database


@pytest.fixture
def storage(database: Database) -> PostgresStorage:
    return PostgresStorage(database.transaction)


class TestManyAtOnce:
    def test_no_count_is_lost_nor_given_twice(self, shared: Database) -> None:
        storage, barrier = PostgresStorage(shared.transaction), threading.Barrier(THREADS)

        def count() -> list[int]:
            barrier.wait()
            return [storage.incr("k", 60) for _ in range(25)]

        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(count) for _ in range(THREADS)]
            counted = sorted(number for future in futures for number in future.result())

        assert counted == list(range(1, THREADS * 25 + 1))

    def test_exactly_as_many_as_allowed_pass_in_two_processes(self, shared: Database) -> None:
        throttles = [Throttle(PostgresStorage(shared.transaction)) for _ in range(2)]
        barrier, limit = threading.Barrier(THREADS), LIMITS[Action.LOG_IN_TO_ACCOUNT].amount

        def try_it(number: int) -> int:
            barrier.wait()
            passed = 0
            for _ in range(limit // 4):
                try:
                    throttles[number % 2].count(Action.LOG_IN_TO_ACCOUNT, "ana@example.com")
                except TooManyTries:
                    continue
                passed += 1
            return passed

        with ThreadPoolExecutor(THREADS) as pool:
            assert sum(pool.map(try_it, range(THREADS))) == limit


class TestWindows:
    def test_one_that_has_passed_starts_anew(self, storage: PostgresStorage, connection: Connection) -> None:
        for _ in range(3):
            storage.incr("k", 60)
        connection.execute(text("UPDATE limite_uso SET vence = now()"))

        assert storage.get("k") == 0
        assert storage.incr("k", 60) == 1
        assert storage.get_expiry("k") == pytest.approx(time.time() + 60, abs=30)

    def test_counting_on_does_not_lengthen_one(self, storage: PostgresStorage, connection: Connection) -> None:
        storage.incr("k", 60)
        connection.execute(text("UPDATE limite_uso SET vence = vence - interval '30 seconds'"))
        before = storage.get_expiry("k")

        storage.incr("k", 60)

        assert storage.get_expiry("k") == before

    def test_several_can_be_counted_at_once(self, storage: PostgresStorage) -> None:
        assert storage.incr("k", 60, amount=3) == 3
        assert storage.incr("k", 60, amount=2) == 5

    def test_keys_are_counted_apart(self, storage: PostgresStorage) -> None:
        storage.incr("k", 60)

        assert (storage.get("k"), storage.get("other")) == (1, 0)

    def test_one_can_be_cleared(self, storage: PostgresStorage) -> None:
        storage.incr("k", 60)
        storage.incr("other", 60)

        storage.clear("k")

        assert (storage.get("k"), storage.get("other")) == (0, 1)

    def test_all_can_be_cleared(self, storage: PostgresStorage) -> None:
        storage.incr("k", 60)
        storage.incr("other", 60)

        assert storage.reset() == 2
        assert storage.get("other") == 0

    def test_one_that_is_not_there_ends_now(self, storage: PostgresStorage) -> None:
        assert storage.get_expiry("k") == pytest.approx(time.time(), abs=30)

    def test_it_says_whether_it_is_there(self, storage: PostgresStorage) -> None:
        assert storage.check() is True


class TestMemory:
    def test_no_count_is_lost_nor_given_twice(self) -> None:
        storage, barrier = MemoryStorage(), threading.Barrier(THREADS)

        def count() -> list[int]:
            barrier.wait()
            return [storage.incr("k", 60) for _ in range(1000)]

        with ThreadPoolExecutor(THREADS) as pool:
            futures = [pool.submit(count) for _ in range(THREADS)]
            counted = sorted(number for future in futures for number in future.result())

        assert counted == list(range(1, THREADS * 1000 + 1))

    def test_a_window_ends_when_it_was_said_to(self) -> None:
        storage = MemoryStorage()
        storage.incr("k", 60)
        storage.incr("short", 0)

        assert (storage.get("k"), storage.get("short"), storage.incr("short", 60)) == (1, 0, 1)
        assert 59 <= storage.get_expiry("k") - time.time() <= 60

    def test_windows_that_have_passed_do_not_fill_the_memory(self) -> None:
        storage = MemoryStorage()
        for number in range(100_000):
            storage.incr(f"passed {number}", 0)
        storage.incr("k", 60)

        assert storage.reset() <= 2_000

    def test_it_starts_no_thread(self) -> None:
        before = threading.active_count()

        Throttle(MemoryStorage()).count(Action.CONFIRM_PASSWORD, "7")

        assert threading.active_count() == before

    def test_a_cleared_count_starts_anew(self) -> None:
        storage = MemoryStorage()
        storage.incr("k", 60)

        storage.clear("k")

        assert (storage.check(), storage.incr("k", 60)) == (True, 1)


class TestChoosing:
    @pytest.mark.parametrize(("kind", "expected"), [("memory", MemoryStorage), ("postgres", PostgresStorage)])
    def test_the_setting_names_it(self, database: Database, kind: str, expected: type[Storage]) -> None:
        assert isinstance(make_storage(kind, database.transaction), expected)

    def test_redis_without_its_library_is_told_in_a_sentence(
        self, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "redis", None)  # how Python itself says that there is no such module

        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE names Redis .+ `pip install redis`\.$"):
            make_storage("redis://localhost:6379", database.transaction)

    def test_a_redis_address_with_an_odd_option_is_told_in_a_sentence(self, database: Database) -> None:
        with pytest.raises(SettingsError, match=r"^RATE_LIMIT_STORAGE cannot be used: .+\.$") as caught:
            make_storage("redis://:secreto@localhost:6379?socket_timeout=x", database.transaction)

        assert "secreto" not in str(caught.value)


class TestRedis:
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[RedisServer]:
        with RedisServer(tmp_path) as server:
            yield server

    @pytest.fixture
    def throttle(self, server: RedisServer, database: Database) -> Throttle:
        return Throttle(make_storage(server.url, database.transaction))

    def test_it_refuses_one_try_too_many_until_the_window_ends(self, throttle: Throttle) -> None:
        limit = LIMITS[Action.CONFIRM_PASSWORD]
        for _ in range(limit.amount):
            throttle.count(Action.CONFIRM_PASSWORD, "7")

        with pytest.raises(TooManyTries) as refused:
            throttle.count(Action.CONFIRM_PASSWORD, "7")

        assert limit.get_expiry() - 60 <= refused.value.retry_after_s <= limit.get_expiry()
        throttle.count(Action.CONFIRM_PASSWORD, "8")

    def test_a_counter_can_be_reset(self, throttle: Throttle) -> None:
        for _ in range(LIMITS[Action.CONFIRM_PASSWORD].amount):
            throttle.count(Action.CONFIRM_PASSWORD, "7")

        throttle.reset_counter(Action.CONFIRM_PASSWORD, "7")

        throttle.count(Action.CONFIRM_PASSWORD, "7")

    def test_counting_without_it_is_an_upstream_failure(self, server: RedisServer, throttle: Throttle) -> None:
        server.stop()

        with pytest.raises(UpstreamUnreachable):
            throttle.count(Action.CONFIRM_PASSWORD, "7")

    def test_forgiving_without_it_takes_nothing_back(self, server: RedisServer, throttle: Throttle) -> None:
        server.stop()

        throttle.reset_counter(Action.CONFIRM_PASSWORD, "7")
