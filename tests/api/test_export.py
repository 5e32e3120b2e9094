"""The export of a lot of data: piece by piece, with little memory, and nothing held while the reader is slow."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import requests
from sqlalchemy import Connection, Engine
from structlog.testing import capture_logs

from maverik_backend.core.client_info import ClientInfo
from maverik_backend.core.database import Database, make_engine
from maverik_backend.core.deadline import Deadline
from maverik_backend.core.logging import AlreadyLoggedError
from maverik_backend.core.secret_key import make_keyring
from maverik_backend.core.tokens import AccessClaims, Tokens
from maverik_backend.errors import AddressBusy, NotAuthenticated, Overloaded, TooManyAtOnce
from maverik_backend.services.accounts import login as logins
from maverik_backend.services.accounts.export import (
    CHUNK_BYTES,
    MAX_AT_ONCE,
    MAX_PER_ADDRESS,
    READS_PER_TRANSACTION,
    ROWS_PER_READ,
    Exports,
)
from maverik_backend.services.accounts.records import SignedIn
from maverik_backend.services.limits import Throttle
from maverik_backend.services.limits.storage import MemoryStorage
from maverik_backend.settings import Settings
from tests.support.fixtures.database import rows
from tests.support.serving import serving

POOL_SIZE = 12
TURNS = 300
CHARS = 8_000
CLIENT_INFO = ClientInfo(address="192.0.2.1")
# What is read at once, as Python and then as JSON, and what the driver holds of it meanwhile.
MEMORY_BYTES = 6 * (CHUNK_BYTES + ROWS_PER_READ * 2 * CHARS)

Stream = Generator[bytes, None, None]


@pytest.fixture
def engine(own_database: Settings) -> Iterator[Engine]:
    engine = make_engine(own_database)
    yield engine
    engine.dispose()


@pytest.fixture
def exports(engine: Engine) -> Exports:
    return make_exports(engine)


def make_exports(engine: Engine) -> Exports:
    return Exports(
        transaction=Database(engine).transaction, throttle=Throttle(MemoryStorage(), {}), pool_size=POOL_SIZE
    )


MakeClaims = Callable[[int], list[AccessClaims]]


@pytest.fixture
def make_claims(own_database: Settings) -> MakeClaims:
    """``make_claims(3)``: so many people, signed in."""

    def make(count: int) -> list[AccessClaims]:
        found = rows(
            own_database,
            "WITH person AS (INSERT INTO usuario (email, clave_hash) "
            "                SELECT 'p' || n || '@x', 'x' FROM generate_series(1, :n) n RETURNING id) "
            "INSERT INTO inicio_sesion (usuario_id, vence) SELECT id, now() + interval '1 hour' FROM person "
            "RETURNING usuario_id AS user_id, id AS login_id",
            n=count,
        )
        return [AccessClaims(**row) for row in found]

    return make


@pytest.fixture
def claims(make_claims: MakeClaims, own_database: Settings) -> AccessClaims:
    """Somebody who said a lot, in two sessions."""
    (claims,) = make_claims(1)
    rows(own_database, "INSERT INTO sesion_asesoria (usuario_id) VALUES (:id), (:id)", id=claims.user_id)
    rows(
        own_database,
        "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado) "
        "SELECT s.id, n || repeat('x', :chars), repeat('y', :chars), 'completada' "
        "FROM generate_series(1, :turns) n, sesion_asesoria s WHERE s.usuario_id = :id AND mod(n, 2) = mod(s.id, 2)",
        chars=CHARS,
        turns=TURNS,
        id=claims.user_id,
    )
    return claims


def busy_connections(engine: Engine) -> int:
    return engine.pool.checkedout()  # type: ignore[attr-defined,no-any-return] # a QueuePool


class TestDocument:
    def test_every_turn_is_in_it_by_session(self, exports: Exports, claims: AccessClaims) -> None:
        document = json.loads(b"".join(exports.stream(claims=claims, client_info=CLIENT_INFO)))

        turns = document["sesion_asesoria_detalle"]
        assert len(turns) == TURNS
        assert turns == sorted(turns, key=lambda turn: (turn["sesion_asesoria_id"], turn["id"]))

    def test_it_comes_in_pieces_of_a_bounded_size(self, exports: Exports, claims: AccessClaims) -> None:
        sizes = [len(piece) for piece in exports.stream(claims=claims, client_info=CLIENT_INFO)]

        assert max(sizes) <= CHUNK_BYTES + 3 * CHARS
        assert sum(sizes) > TURNS * 2 * CHARS

    def test_what_is_added_meanwhile_is_not_in_it(
        self, exports: Exports, claims: AccessClaims, own_database: Settings
    ) -> None:
        stream = exports.stream(claims=claims, client_info=CLIENT_INFO)
        first = next(stream)
        rows(own_database, "INSERT INTO sesion_asesoria (usuario_id) VALUES (:id)", id=claims.user_id)
        rows(
            own_database,
            "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario) "
            "SELECT id, 'nuevo' FROM sesion_asesoria WHERE usuario_id = :id",
            id=claims.user_id,
        )

        document = json.loads(first + b"".join(stream))

        assert len(document["sesion_asesoria_detalle"]) == TURNS

    def test_it_is_on_record_and_does_not_hold_its_own_record(
        self, exports: Exports, claims: AccessClaims, own_database: Settings
    ) -> None:
        document = json.loads(b"".join(exports.stream(claims=claims, client_info=CLIENT_INFO)))

        assert rows(own_database, "SELECT tipo FROM evento_seguridad") == [{"tipo": "datos_exportados"}]
        assert document["evento_seguridad"] == []


class TestWhatItHolds:
    def test_no_connection_between_two_pieces(self, exports: Exports, claims: AccessClaims, engine: Engine) -> None:
        assert {busy_connections(engine) for _ in exports.stream(claims=claims, client_info=CLIENT_INFO)} == {0}

    def test_little_memory(self, exports: Exports, claims: AccessClaims) -> None:
        tracemalloc.start()
        try:
            size = sum(len(piece) for piece in exports.stream(claims=claims, client_info=CLIENT_INFO))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

        assert size > 4_000_000
        assert peak < MEMORY_BYTES


class TestAtOnce:
    def test_a_second_one_of_a_person_is_refused(self, exports: Exports, claims: AccessClaims) -> None:
        running = exports.stream(claims=claims, client_info=CLIENT_INFO)
        next(running)

        with pytest.raises(TooManyAtOnce):
            next(exports.stream(claims=claims, client_info=CLIENT_INFO))

    @pytest.mark.parametrize("end", [Stream.close, list], ids=["closed", "read to its end"])
    def test_the_next_one_may_begin_when_it_has_ended(
        self, exports: Exports, claims: AccessClaims, end: Callable[[Stream], object]
    ) -> None:
        running = exports.stream(claims=claims, client_info=CLIENT_INFO)
        next(running)

        end(running)

        assert next(exports.stream(claims=claims, client_info=CLIENT_INFO))

    def test_slow_readers_behind_a_few_addresses_keep_nobody_out(
        self, exports: Exports, make_claims: MakeClaims
    ) -> None:
        *slow, other = [
            exports.stream(claims=claims, client_info=ClientInfo(address=f"192.0.2.{number // MAX_PER_ADDRESS}"))
            for number, claims in enumerate(make_claims(2 * POOL_SIZE + 1))
        ]
        for stream in slow:
            next(stream)

        assert json.loads(b"".join(other))

    def test_a_process_makes_so_many(self, exports: Exports, make_claims: MakeClaims) -> None:
        *running, refused = [
            exports.stream(claims=claims, client_info=ClientInfo(address=f"192.0.2.{number}"))
            for number, claims in enumerate(make_claims(MAX_AT_ONCE + 1))
        ]
        for stream in running:
            next(stream)

        with pytest.raises(Overloaded):
            next(refused)

    def test_most_connections_stay_free_however_many_read(
        self, engine: Engine, make_claims: MakeClaims, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        most = 0

        def authenticate(db: Connection, claims: AccessClaims, **options: bool) -> SignedIn:
            nonlocal most
            most = max(most, busy_connections(engine))
            return real(db, claims, **options)

        real = logins.authenticate
        monkeypatch.setattr(logins, "authenticate", authenticate)
        exports = make_exports(engine)
        people = enumerate(make_claims(POOL_SIZE))
        with ThreadPoolExecutor(POOL_SIZE) as pool:
            streams = [
                exports.stream(claims=claims, client_info=ClientInfo(address=f"192.0.2.{number}"))
                for number, claims in people
            ]
            assert all(pool.map(list, streams))

        assert 0 < most <= POOL_SIZE // 4

    def test_an_address_makes_so_many(self, exports: Exports, make_claims: MakeClaims) -> None:
        *people, last = make_claims(MAX_PER_ADDRESS + 1)
        running = [exports.stream(claims=claims, client_info=CLIENT_INFO) for claims in people]
        for stream in running:
            next(stream)

        with pytest.raises(AddressBusy):
            next(exports.stream(claims=last, client_info=CLIENT_INFO))


def test_a_login_that_ends_meanwhile_ends_it(exports: Exports, claims: AccessClaims, own_database: Settings) -> None:
    stream = exports.stream(claims=claims, client_info=CLIENT_INFO)
    next(stream)
    rows(own_database, "UPDATE inicio_sesion SET cerrado = now()")

    with pytest.raises(NotAuthenticated):
        list(stream)


class TestOverHttp:
    """On a real server, whose sockets hold some of the document: so there is more of it."""

    @pytest.fixture
    def headers(self, claims: AccessClaims, own_database: Settings) -> dict[str, str]:
        rows(
            own_database,
            "INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario, texto_sistema, estado) "
            "SELECT s.id, 'x', repeat('y', 64000), 'completada' FROM generate_series(1, 200) n, sesion_asesoria s",
        )
        ttl = timedelta(hours=1)
        tokens = Tokens(make_keyring(own_database), access_ttl=ttl, refresh_ttl=ttl)
        token = tokens.issue_access(user_id=claims.user_id, login_id=claims.login_id).token
        return {"Authorization": f"Bearer {token}"}

    @pytest.fixture
    def address(self, own_database: Settings) -> Iterator[str]:
        with serving(own_database) as address:
            yield f"{address}/user/me/export"

    def test_it_is_json_of_unknown_length(self, address: str, headers: dict[str, str]) -> None:
        answer = requests.get(address, headers=headers, timeout=60)

        assert answer.headers["Content-Type"] == "application/json"
        assert "Content-Length" not in answer.headers
        assert len(answer.json()["sesion_asesoria_detalle"]) == TURNS + 400

    def test_what_fails_on_the_way_is_a_broken_answer(
        self, address: str, headers: dict[str, str], own_database: Settings, caplog: pytest.LogCaptureFixture
    ) -> None:
        with capture_logs() as lines, requests.get(address, headers=headers, stream=True, timeout=60) as answer:
            assert answer.status_code == 200
            rows(own_database, "UPDATE inicio_sesion SET cerrado = now()")

            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                _ = answer.content

        assert [line["kind"] for line in lines if line["event"] == "answer_cut_off"] == ["NotAuthenticated"]
        # What uvicorn says besides is dropped (tests/core/test_logging.py).
        failures = [record.exc_info[1] for record in caplog.records if record.exc_info]
        assert [type(failure) for failure in failures] == [AlreadyLoggedError]

    def test_a_reader_who_leaves_gives_the_slot_back(self, address: str, headers: dict[str, str]) -> None:
        with requests.get(address, headers=headers, stream=True, timeout=60) as answer:
            assert answer.status_code == 200
            assert requests.get(address, headers=headers, timeout=60).status_code == 429

        deadline = Deadline.after(30)
        while (again := requests.get(address, headers=headers, timeout=60)).status_code == requests.codes.too_many:
            assert not deadline.passed
        assert again.ok


def test_a_transaction_of_many_small_sessions_ends_after_so_many_statements(
    exports: Exports, claims: AccessClaims, own_database: Settings
) -> None:
    sessions = rows(
        own_database,
        """
        WITH session AS (
            INSERT INTO sesion_asesoria (usuario_id) SELECT :id FROM generate_series(1, :count) RETURNING id
        )
        INSERT INTO sesion_asesoria_detalle (sesion_asesoria_id, texto_usuario)
        SELECT id, 'hola' FROM session RETURNING id
        """,
        id=claims.user_id,
        count=3 * READS_PER_TRANSACTION,
    )

    chunks = list(exports.stream(claims=claims, client_info=CLIENT_INFO))

    assert len(chunks) > 3
    assert b"".join(chunks).count(b'"hola"') == len(sessions)
