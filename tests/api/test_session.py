"""Advisory sessions: opening, listing, renaming, deleting."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text

from tests.support.answers import fields_refused
from tests.support.fixtures.people import TestUser, make_session_body


class TestCreate:
    def test_a_goal_names_the_session_and_makes_the_first_text(self, user: TestUser) -> None:
        session = user.open_session(objetivo_id=2, capital_inicial=2500.5, horizonte_temporal=18)

        assert session["titulo_chat"].endswith(") Comprar un vehículo")
        assert session["primer_input"] == (
            "Mi objetivo es comprar un vehículo. Tengo un capital inicial de 2.500,50, un horizonte de 18 meses y una "
            "tolerancia al riesgo media. ¿Qué me recomendás?"
        )

    def test_no_two_sessions_have_the_same_name(self, user: TestUser) -> None:
        one, other = user.open_session(), user.open_session()

        assert one["titulo_chat"] != other["titulo_chat"]

    def test_its_name_begins_with_when_it_was_opened_in_argentina(self, user: TestUser, connection: Connection) -> None:
        session = user.open_session()
        connection.execute(
            text("UPDATE sesion_asesoria SET fecha_creacion = '2026-03-15 01:05:00Z' WHERE id = :id"),
            {"id": session["id"]},
        )

        name = user.get(f"/copilot/sessions/{session['id']}/info").json()["titulo_chat"]

        assert name == f"(14/03/2026 22:05, n.º {session['id']}) Comprar una casa o un departamento"

    def test_it_says_whose_it_is(self, user: TestUser) -> None:
        assert user.open_session()["usuario_id"] == user.get("/user/me").json()["id"]

    def test_the_stored_fields_come_back(self, user: TestUser) -> None:
        body = make_session_body(capital_inicial=1234.56)

        session = user.post("/copilot/sessions", body).json()

        assert {field: session[field] for field in body} == body
        assert session["fecha_creacion"].endswith("Z")

    @pytest.mark.parametrize(
        ("purpose", "title"),
        [
            (1, "Fortalecer mis conocimientos financieros"),
            (3, "Obtener información de los mercados y realizar investigación financiera"),
        ],
    )
    def test_another_purpose_names_the_session_itself(self, user: TestUser, purpose: int, title: str) -> None:
        session = user.post("/copilot/sessions", {"proposito_sesion_id": purpose}).json()

        assert session["titulo_chat"].endswith(f") {title}")
        assert title[1:] in session["primer_input"]

    def test_purpose_2_needs_a_goal(self, user: TestUser) -> None:
        refused = fields_refused(user.post("/copilot/sessions", {"proposito_sesion_id": 2}))

        assert refused["objetivo_id"]["permitidos"] == [1, 2, 3, 4, 5, 6, 7]

    def test_the_numbers_of_a_goal_may_be_unknown(self, user: TestUser) -> None:
        body = {"proposito_sesion_id": 2, "objetivo_id": 1, "capital_inicial": None}

        assert user.post("/copilot/sessions", body).json()["primer_input"].count("Tengo") == 0

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("proposito_sesion_id", 4),
            ("proposito_sesion_id", None),
            ("objetivo_id", 8),
            ("tolerancia_al_riesgo_id", 0),
            ("capital_inicial", -0.01),
            ("capital_inicial", 1.001),
            ("capital_inicial", 1e30),
            ("capital_inicial", 10**13),
            ("capital_inicial", "10000000000000.00"),
            ("capital_inicial", "\u0661\u0662"),
            ("capital_inicial", "12\n"),
            ("capital_inicial", "mucho"),
            ("capital_inicial", "12.000"),
            ("capital_inicial", "12,000.50"),
            ("capital_inicial", True),
            ("proposito_sesion_id", True),
            ("horizonte_temporal", True),
            ("horizonte_temporal", 0),
            ("horizonte_temporal", 601),
            ("horizonte_temporal", 1.5),
        ],
    )
    def test_a_value_without_sense_is_refused(self, user: TestUser, field: str, value: Any) -> None:
        response = user.post("/copilot/sessions", make_session_body(**{field: value}))

        assert set(fields_refused(response)) == {field}

    @pytest.mark.parametrize(
        ("field", "value"), [("capital_inicial", 0), ("horizonte_temporal", 1), ("horizonte_temporal", 600)]
    )
    def test_the_limits_themselves_are_allowed(self, user: TestUser, field: str, value: int) -> None:
        assert user.open_session(**{field: value})[field] == value

    @pytest.mark.parametrize("amount", ["9999999999999.99", "9999999999999.01", "4503599627370.49"])
    def test_the_largest_amounts_come_back_to_the_cent(self, user: TestUser, amount: str) -> None:
        assert repr(user.open_session(capital_inicial=amount)["capital_inicial"]) == amount

    def test_nothing_is_not_less_than_nothing(self, user: TestUser) -> None:
        session = user.open_session(capital_inicial=-0.0)

        assert repr(session["capital_inicial"]) == "0.0"
        assert "capital inicial de 0" in session["primer_input"]

    @pytest.mark.parametrize(("field", "value"), [("capital_inicial", "12000.50"), ("horizonte_temporal", "48")])
    def test_numbers_written_as_programs_write_them_are_taken(self, user: TestUser, field: str, value: str) -> None:
        assert user.open_session(**{field: value})[field] == float(value)


class TestList:
    def test_pages_go_from_newest_to_oldest_without_gap_or_repeat(self, user: TestUser) -> None:
        ids = [user.open_session()["id"] for _ in range(5)]

        pages, before = [], ""
        for _ in range(3):
            page = user.get(f"/copilot/sessions?limit=2{before}").json()
            pages.append([session["id"] for session in page["sesiones"]])
            before = f"&before={page['siguiente']}"

        assert pages == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
        assert page["siguiente"] is None

    def test_the_last_full_page_says_that_it_is_the_last(self, user: TestUser) -> None:
        user.open_session()

        assert user.get("/copilot/sessions?limit=1").json()["siguiente"] is None

    def test_only_own_sessions_are_listed(self, user: TestUser, other_user: TestUser) -> None:
        other_user.open_session()

        assert user.get("/copilot/sessions").json() == {"sesiones": [], "siguiente": None}

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "before=0", "before=x", f"before={2**63}"])
    def test_a_page_without_sense_is_refused(self, user: TestUser, query: str) -> None:
        assert set(fields_refused(user.get(f"/copilot/sessions?{query}"))) == {query.partition("=")[0]}


class TestInfo:
    def test_it_is_the_session_as_it_was_opened(self, user: TestUser) -> None:
        session = user.open_session()

        assert user.get(f"/copilot/sessions/{session['id']}/info").json() == session


class TestRename:
    def test_the_new_name_stays(self, user: TestUser) -> None:
        session = user.open_session()

        renamed = user.patch(f"/copilot/sessions/{session['id']}", {"titulo_chat": "  Mi casa  "}).json()

        assert renamed == {**session, "titulo_chat": "Mi casa"}
        assert user.get(f"/copilot/sessions/{session['id']}/info").json() == renamed

    @pytest.mark.parametrize("title", ["x" * 200, "La casa de 👨\u200d👩\u200d👧 🏠", "Ahorro\u00a0en U$S: ¿40 %?"])
    def test_blanks_around_do_not_count_nor_stay(self, user: TestUser, title: str) -> None:
        session = user.open_session()

        renamed = user.patch(f"/copilot/sessions/{session['id']}", {"titulo_chat": f"  {title}\n"}).json()

        assert renamed["titulo_chat"] == title

    @pytest.mark.parametrize("title", ["\u200d", "\u3164 ", "\u2800", "\u034f", "\ufe0f", "\u115f\u1160\uffa0"])
    def test_a_name_that_looks_empty_is_refused(self, user: TestUser, title: str) -> None:
        response = user.patch(f"/copilot/sessions/{user.open_session()['id']}", {"titulo_chat": title})

        assert set(fields_refused(response)) == {"titulo_chat"}

    def test_it_has_one_address(self, user: TestUser) -> None:
        session = user.open_session()

        assert user.get(f"/copilot/sessions/{session['id']}/info").status_code == 200
        assert user.get(f"/copilot/sessions/0{session['id']}/info").status_code == 404

    @pytest.mark.parametrize(
        "character", ["\n", "\t", "\x1b", "\x85", "\u202e", "\u2066", "\u200f", "\u2028", "\ufeff"]
    )
    def test_a_name_with_controls_or_what_reorders_text_is_refused(self, user: TestUser, character: str) -> None:
        title = f"a{character}b"

        response = user.patch(f"/copilot/sessions/{user.open_session()['id']}", {"titulo_chat": title})

        assert set(fields_refused(response)) == {"titulo_chat"}

    @pytest.mark.parametrize("title", ["", "   ", "x" * 201, "a\x00b", None, 5])
    def test_a_name_without_sense_is_refused(self, user: TestUser, title: Any) -> None:
        response = user.patch(f"/copilot/sessions/{user.open_session()['id']}", {"titulo_chat": title})

        assert set(fields_refused(response)) == {"titulo_chat"}


class TestDelete:
    def test_the_session_and_all_said_in_it_are_gone(self, user: TestUser, connection: Connection) -> None:
        session = user.open_session()
        user.say(session)

        assert user.delete(f"/copilot/sessions/{session['id']}").status_code == 204

        assert user.get(f"/copilot/sessions/{session['id']}").status_code == 404
        left = text("SELECT count(*) FROM sesion_asesoria_detalle WHERE sesion_asesoria_id = :id")
        assert connection.scalar(left, {"id": session["id"]}) == 0

    def test_other_sessions_stay(self, user: TestUser) -> None:
        session, other = user.open_session(), user.open_session()
        user.say(other)

        user.delete(f"/copilot/sessions/{session['id']}")

        assert len(user.get(f"/copilot/sessions/{other['id']}").json()) == 1
