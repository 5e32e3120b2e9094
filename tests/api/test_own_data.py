"""Everybody's data is theirs (Ley 25.326): they may see it, take it along, and have it erased."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from maverik_backend.services.accounts.store.own_data import NOT_EXPORTED
from tests.support.answers import fields_refused
from tests.support.fixtures.people import MailsTo, MakeUser, TestUser, make_profile, text_of
from tests.support.fixtures.scan import everything, tables_of_people
from tests.support.fixtures.second_factor import Enrol

SAID = "me preocupa la hipoteca de la calle Ñandubay 1234"
SECRETS = {
    "usuario": {"clave_hash"},
    "inicio_sesion": {"rotacion", "rotacion_repetida"},
    "enlace_clave": {"resumen"},
    "pedido_idempotente": {"resumen"},
    "segundo_factor": {"secreto", "ultimo_paso"},
    "codigo_recuperacion": {"resumen"},
    "trabajo": {"carga", "vence", "proceso"},
    "sesion_asesoria_detalle": {"texto_plano", "intento_plano"},
    "documento": {"resumen"},
    "documento_archivo": {"contenido"},
    "documento_pasaje": {"indice"},
    "pasaje_vector": {"valores"},
}
_CONSUMPTION = """
    WITH whose AS (SELECT id FROM usuario WHERE email = :email), reserved AS (
        INSERT INTO reserva_consumo (principal_id, tokens, costo_microusd, vence)
        SELECT id, 10, 5, now() + interval '1 minute' FROM whose
    )
    INSERT INTO consumo (
        principal_id, dia, asistente, modelo, pedidos,
        tokens_entrada, tokens_reutilizados, tokens_salida, tokens_razonamiento, costo_microusd
    ) SELECT id, current_date, 'maverik', 'p:m', 1, 10, 0, 5, 0, 7 FROM whose
"""
_DOCUMENTS = """
    WITH mine AS (
        INSERT INTO coleccion (slug, nombre, principal_id)
        SELECT 'documentos', 'Mis documentos', id FROM usuario WHERE email = :email RETURNING id
    ), document AS (
        INSERT INTO documento (coleccion_id, titulo, tipo, tamano, resumen)
        SELECT id, :said, 'text/plain', 9, '\\x00ff' FROM mine RETURNING id, coleccion_id
    ), file AS (
        INSERT INTO documento_archivo (documento_id, contenido) SELECT id, '\\x00ff' FROM document
    ), passage AS (
        INSERT INTO documento_pasaje (documento_id, coleccion_id, orden, ruta, texto, indice)
        SELECT id, coleccion_id, 1, ARRAY[:said], :said, to_tsvector('spanish', :said) FROM document
        RETURNING id, coleccion_id
    ), model AS (
        INSERT INTO modelo_vectores (nombre, dimensiones) VALUES ('p:m', 2) RETURNING id
    )
    INSERT INTO pasaje_vector (pasaje_id, coleccion_id, modelo_id, es_compartido, valores)
    SELECT passage.id, coleccion_id, model.id, false, '{1,0}' FROM passage, model
"""


@pytest.fixture
def ana(make_user: MakeUser, api: TestClient, enrol: Enrol, connection: Connection) -> TestUser:
    """Somebody with something in every table."""
    ana = make_user(email="ana.maria.unica@example.com")
    session = ana.open_session()
    ana.patch(f"/copilot/sessions/{session['id']}", {"titulo_chat": f"Sobre {SAID}"})
    said = ana.post(f"/copilot/sessions/{session['id']}", {"input": SAID}, headers={"Idempotency-Key": "uno"})
    assert said.status_code == 200
    enrol(ana)
    api.post("/user/password/forgot", json={"email": ana.email})
    api.post("/user/login", json={"email": ana.email, "clave": "otra"})
    connection.execute(text(_CONSUMPTION), {"email": ana.email})
    connection.execute(text(_DOCUMENTS), {"email": ana.email, "said": SAID})
    return ana


def rows_of(connection: Connection, user: TestUser) -> dict[str, list[dict[str, Any]]]:
    """What the tables of people hold about somebody, straight from the database."""
    mine = "(SELECT id FROM usuario WHERE email = :email)"
    collections = f"(SELECT id FROM coleccion WHERE principal_id = {mine})"  # noqa: S608
    whose = {
        "principal": f"id = {mine}",
        "usuario": f"id = {mine}",
        "conversacion": f"principal_id = {mine}",
        "coleccion": f"principal_id = {mine}",
        "consumo": f"principal_id = {mine}",
        "reserva_consumo": f"principal_id = {mine}",
        **dict.fromkeys(["documento", "documento_pasaje", "pasaje_vector"], f"coleccion_id IN {collections}"),
        "documento_archivo": f"documento_id IN (SELECT id FROM documento WHERE coleccion_id IN {collections})",  # noqa: S608
        "trabajo": f"principal_id = {mine}",
        "sesion_asesoria_detalle": f"sesion_asesoria_id IN (SELECT id FROM sesion_asesoria WHERE usuario_id = {mine})",  # noqa: S608
    }
    return {
        name: [
            dict(row)
            for row in connection.execute(
                text(f"SELECT * FROM {name} WHERE {whose.get(name, f'usuario_id = {mine}')} ORDER BY id"),  # noqa: S608
                {"email": user.email},
            ).mappings()
        ]
        for name in tables_of_people()
    }


class TestExport:
    def test_every_table_of_people_is_in_it(self, ana: TestUser) -> None:
        assert set(ana.get("/user/me/export").json()) == set(tables_of_people())

    def test_every_row_is_in_it(self, ana: TestUser, connection: Connection) -> None:
        held = rows_of(connection, ana)
        assert all(held.values()), "the story leaves a table empty"

        exported = ana.get("/user/me/export").json()

        assert {name: [row["id"] for row in rows] for name, rows in exported.items()} == {
            name: [row["id"] for row in rows] for name, rows in held.items()
        }

    def test_every_column_is_in_it_but_secrets(self, ana: TestUser) -> None:
        exported = ana.get("/user/me/export").json()

        for name, table in tables_of_people().items():
            columns = {column.name for column in table.columns} - SECRETS.get(name, set())
            assert all(set(row) == columns for row in exported[name]), name

    def test_only_the_known_secrets_are_held_back(self) -> None:
        assert NOT_EXPORTED == SECRETS

    def test_what_was_said_is_in_it(self, ana: TestUser) -> None:
        exported = ana.get("/user/me/export").json()

        assert exported["usuario"][0]["email"] == ana.email
        assert exported["sesion_asesoria_detalle"][0]["texto_usuario"] == SAID

    def test_it_holds_no_secret(self, ana: TestUser, connection: Connection) -> None:
        exported = ana.get("/user/me/export").text

        assert "argon2" not in exported
        assert ana.key not in exported
        for digest in connection.scalars(text("SELECT encode(resumen, 'hex') FROM enlace_clave")):
            assert digest not in exported

    def test_nothing_of_other_people_is_in_it(self, ana: TestUser, user: TestUser) -> None:
        user.say(user.open_session(), "esto es de otra persona")

        exported = ana.get("/user/me/export").text

        assert user.email not in exported
        assert "otra persona" not in exported

    def test_taking_it_is_on_record(self, ana: TestUser) -> None:
        ana.get("/user/me/export")

        assert ana.get("/user/me/events").json()[0]["tipo"] == "datos_exportados"


class TestErasing:
    @staticmethod
    def leave(somebody: TestUser) -> Any:
        return somebody.delete("/user/me", {"clave": somebody.key})

    def test_no_row_and_no_text_of_the_person_is_left_in_any_table(
        self, ana: TestUser, connection: Connection, mails_to: MailsTo
    ) -> None:
        before = json.dumps(everything(connection), ensure_ascii=False)
        assert all(trace in before for trace in (ana.email, SAID)), "the story leaves no trace to look for"
        mails_to(ana.email)

        assert self.leave(ana).status_code == 204

        for name, content in everything(connection).items():
            for trace in (ana.email, "ana.maria", "Ñandubay", ana.key):
                assert trace not in content, name

    def test_what_stays_for_security_names_nobody(self, ana: TestUser, connection: Connection) -> None:
        ids = [row["id"] for row in rows_of(connection, ana)["evento_seguridad"]]

        self.leave(ana)

        left = connection.execute(
            text("SELECT usuario_id, direccion FROM evento_seguridad WHERE id = ANY(:ids)"), {"ids": ids}
        ).all()
        assert len(left) == len(ids)
        assert set(left) == {(None, None)}

    def test_erasing_is_on_record(self, ana: TestUser, connection: Connection) -> None:
        self.leave(ana)

        newest = text("SELECT tipo, usuario_id FROM evento_seguridad ORDER BY id DESC LIMIT 1")
        assert connection.execute(newest).one() == ("cuenta_borrada", None)

    def test_every_login_ends(self, user: TestUser, api: TestClient) -> None:
        phone = user.again()

        self.leave(user)

        for login in (user, phone):
            assert login.get("/user/me").status_code == 401
            refreshed = api.post("/user/token/refresh", json={"refresh_token": login.refresh_token})
            assert refreshed.status_code == 401
        assert user.log_in().status_code == 401

    def test_a_mail_says_goodbye(self, ana: TestUser, mails_to: MailsTo) -> None:
        self.leave(ana)

        assert mails_to(ana.email)[-1]["Subject"] == "Borramos tu cuenta de Maverik"

    def test_mails_that_waited_are_deleted_and_only_the_goodbye_leaves(
        self, ana: TestUser, api: TestClient, mails_to: MailsTo, connection: Connection
    ) -> None:
        before = len(mails_to(ana.email))
        api.post("/user/password/forgot", json={"email": ana.email})
        self.leave(ana)

        assert [mail["Subject"] for mail in mails_to(ana.email)[before:]] == ["Borramos tu cuenta de Maverik"]
        assert connection.scalar(text("SELECT count(*) FROM trabajo WHERE carga IS NOT NULL")) == 0

    def test_other_people_keep_everything(self, ana: TestUser, user: TestUser, connection: Connection) -> None:
        user.say(user.open_session(), "hola")
        before = rows_of(connection, user)

        self.leave(ana)

        assert rows_of(connection, user) == before

    def test_the_address_can_sign_up_anew(self, ana: TestUser, api: TestClient, mails_to: MailsTo) -> None:
        self.leave(ana)

        api.post("/user/signup", json=make_profile(email=ana.email))

        assert "Clave: " in text_of(mails_to(ana.email)[-1])

    def test_the_key_must_be_right(self, ana: TestUser) -> None:
        assert set(fields_refused(ana.delete("/user/me", {"clave": "otra"}))) == {"clave"}
        assert ana.get("/user/me").status_code == 200

    @pytest.mark.parametrize("body", [{}, {"clave": None}, {"clave": 1}])
    def test_the_key_is_required(self, user: TestUser, body: Any) -> None:
        assert user.delete("/user/me", body).status_code == 422
        assert user.get("/user/me").status_code == 200


class TestEvents:
    def test_what_happened_is_listed_newest_first(self, user: TestUser, api: TestClient) -> None:
        api.post("/user/login", json={"email": user.email, "clave": "otra"})
        api.post("/user/password/forgot", json={"email": user.email})
        user.change_key("una clave nueva")
        user.again().post("/user/logout")

        assert [event["tipo"] for event in user.get("/user/me/events").json()] == [
            "cierre_de_sesion",
            "inicio_de_sesion",
            "clave_cambiada",
            "restablecimiento_pedido",
            "inicio_fallido",
            "correo_verificado",
            "inicio_de_sesion",
            "registro",
        ]

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("PUT", "/user/password", {"clave_actual": "otra", "clave_nueva": "una clave nueva"}),
            ("DELETE", "/user/me", {"clave": "otra"}),
        ],
    )
    def test_a_wrong_confirmation_is_listed(self, user: TestUser, method: str, path: str, body: Any) -> None:
        user.request(method, path, json=body)

        assert user.get("/user/me/events").json()[0]["tipo"] == "confirmacion_fallida"

    def test_an_event_tells_its_kind_place_and_time(self, user: TestUser) -> None:
        event = user.get("/user/me/events").json()[0]

        assert set(event) == {"id", "tipo", "direccion", "fecha_creacion"}

    def test_the_place_is_a_network(self, app: Any, user: TestUser) -> None:
        api = TestClient(app, client=("203.0.113.77", 50_000))
        api.post("/user/login", json={"email": user.email, "clave": "otra"})

        assert user.get("/user/me/events").json()[0]["direccion"] == "203.0.113.0/24"

    def test_pages_follow_one_another(self, user: TestUser) -> None:
        for _ in range(4):
            user.log_in()
        everything_ = user.get("/user/me/events").json()

        first = user.get("/user/me/events?limit=3").json()
        second = user.get(f"/user/me/events?limit=3&before={first[-1]['id']}").json()

        assert first + second == everything_[:6]

    @pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "before=0", "before=x"])
    def test_a_page_that_cannot_be_is_refused(self, user: TestUser, query: str) -> None:
        assert fields_refused(user.get(f"/user/me/events?{query}"))

    def test_other_peoples_events_are_not_listed(self, user: TestUser, other_user: TestUser) -> None:
        before = user.get("/user/me/events").json()

        other_user.change_key("una clave nueva")

        assert user.get("/user/me/events").json() == before
