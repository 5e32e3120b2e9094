"""Where a turn says it looked: stored with it, and identical when read back."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from maverik_backend.core.database import Database
from maverik_backend.errors import NotFound
from maverik_backend.models import TurnState
from maverik_backend.services.turns import Source, store
from maverik_backend.services.turns.events import decode, encode, remaining_events
from maverik_backend.services.turns.records import Attempt, Outcome, Turn
from tests.support.fixtures.people import TestUser

CITED = (
    Source(title="Prospecto", document_id=31, page=12, passage_id=870),
    Source(title="INDEC", url="https://www.indec.gob.ar"),
    Source(title="Presupuesto"),
)


@pytest.fixture
def turn(user: TestUser) -> Attempt:
    """An answered turn, as its attempt is known."""
    session = user.open_session()
    said = user.say(session, "hola")
    return Attempt(
        turn_id=said["id"], number=1, conversation_id=session["id"], message="hola", history=[], context=None
    )


def write(database: Database, turn: Attempt, *sources: Source) -> Turn:
    outcome = Outcome(state=TurnState.COMPLETED, text="Sí.", origin="rag", sources=sources)
    with database.transaction() as db:
        written = store.write_answer(db, turn, outcome, plain_text="Sí.")
    if written is None:
        raise NotFound("turn")
    return written


def read(database: Database, turn: Attempt) -> Turn:
    with database.transaction() as db:
        return store.get_or_raise(db, conversation_id=turn.conversation_id, turn_id=turn.turn_id)


def test_citations_are_read_back_as_they_were_written(database: Database, turn: Attempt) -> None:
    written = write(database, turn, *CITED)

    assert written.sources == CITED
    assert read(database, turn).sources == CITED


def test_their_titles_are_where_releases_without_citations_look(
    database: Database, turn: Attempt, connection: Connection
) -> None:
    write(database, turn, *CITED)

    (titles,) = connection.scalars(
        text("SELECT fuentes FROM sesion_asesoria_detalle WHERE id = :id"), {"id": turn.turn_id}
    )
    assert titles == [source.title for source in CITED]


def test_titles_that_an_older_release_wrote_since_then_count(
    database: Database, turn: Attempt, connection: Connection
) -> None:
    write(database, turn, *CITED)
    connection.execute(
        text("""UPDATE sesion_asesoria_detalle SET fuentes = '["Ahorro"]' WHERE id = :id"""), {"id": turn.turn_id}
    )

    assert read(database, turn).sources == (Source(title="Ahorro"),)


def test_a_citation_is_the_same_in_another_process() -> None:
    assert [decode(encode(source)) for source in CITED] == list(CITED)


def test_a_stream_that_begins_late_gets_them_too(database: Database, turn: Attempt) -> None:
    stored = write(database, turn, *CITED)

    assert [event for event in remaining_events(stored) if isinstance(event, Source)] == list(CITED)
    assert [event for event in remaining_events(stored, CITED[:2]) if isinstance(event, Source)] == [CITED[2]]


def test_the_api_shows_titles_as_before_and_where_to_look_beside_them(
    database: Database, turn: Attempt, user: TestUser
) -> None:
    write(database, turn, *CITED)

    (shown,) = user.get(f"/copilot/sessions/{turn.conversation_id}").json()

    assert shown["fuentes"] == ["Prospecto", "INDEC", "Presupuesto"]
    assert shown["citas"] == [
        {"titulo": "Prospecto", "url": None, "documento_id": 31, "pagina": 12, "pasaje_id": 870},
        {
            "titulo": "INDEC",
            "url": "https://www.indec.gob.ar",
            "documento_id": None,
            "pagina": None,
            "pasaje_id": None,
        },
    ]
