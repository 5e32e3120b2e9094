"""The root, health, catalogues, problems, CORS: what is not about a person."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from maverik_backend.web.resources import Resources
from tests.support.fixtures.application import ScriptedAdvisor
from tests.support.fixtures.people import TestUser
from tests.support.paths import FIXTURE_DATA

CONTRACT = json.loads((FIXTURE_DATA / "catalogs.json").read_text(encoding="utf-8"))


class TestRoot:
    def test_it_names_the_service(self, api: TestClient) -> None:
        assert api.get("/").json()["service"] == "maverik_backend"

    def test_it_tells_no_version(self, api: TestClient) -> None:
        assert "version" not in api.get("/").json()


@pytest.mark.parametrize("path", ["/", "/health", "/health/live", "/health/ready"])
class TestMonitors:
    """Many that watch over a service ask with HEAD."""

    def test_they_are_answered_as_to_get_without_a_body(self, api: TestClient, path: str) -> None:
        asked, got = api.head(path), api.get(path)

        assert (asked.status_code, asked.content) == (200, b"")
        assert asked.headers["Content-Type"] == got.headers["Content-Type"]

    def test_head_is_among_the_allowed_methods(self, api: TestClient, path: str) -> None:
        assert api.put(path).headers["Allow"] == "GET, HEAD"


class TestCatalogs:
    def test_ids_and_texts_are_the_contract(self, api: TestClient) -> None:
        catalogs = api.get("/catalogs").json()

        assert {name: [option["desc"] for option in options] for name, options in catalogs.items()} == CONTRACT
        assert all(
            [option["id"] for option in options] == list(range(1, len(options) + 1)) for options in catalogs.values()
        )

    def test_an_unchanged_copy_is_not_sent_again(self, api: TestClient) -> None:
        etag = api.get("/catalogs").headers["ETag"]

        response = api.get("/catalogs", headers={"If-None-Match": f'"other", W/{etag}'})

        assert (response.status_code, response.content, response.headers["ETag"]) == (304, b"", etag)

    def test_another_copy_is_replaced(self, api: TestClient) -> None:
        assert api.get("/catalogs", headers={"If-None-Match": '"other"'}).status_code == 200


class TestProblems:
    def test_a_body_that_is_not_json_is_refused(self, api: TestClient) -> None:
        response = api.post("/user/login", content=b"{", headers={"Content-Type": "application/json"})

        assert response.status_code == 422
        assert response.json()["errores"][0]["mensaje"] == "El cuerpo no es JSON válido."

    @pytest.mark.parametrize(
        "content",
        [b'{"email": "\xff"}', b"[" * 10_000, b'{"email": ' + b"1" * 5000 + b"}"],
        ids=["bytes that are no text", "too many levels", "too many digits"],
    )
    def test_a_body_that_cannot_even_be_read_is_a_400(self, api: TestClient, content: bytes) -> None:
        response = api.post("/user/login", content=content, headers={"Content-Type": "application/json"})

        assert (response.status_code, response.json()["error"]) == (400, "malformed request")

    @pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_json_that_does_not_say_so_is_a_415(self, api: TestClient, content_type: str) -> None:
        headers = {"Content-Type": content_type} if content_type else {}

        response = api.post("/user/login", content=b'{"email": "a@example.com", "clave": "x"}', headers=headers)

        assert (response.status_code, response.json()["error"]) == (415, "unsupported media type")

    def test_a_body_that_is_too_large_is_a_413(self, api: TestClient) -> None:
        response = api.post("/user/login", json={"email": "a@example.com", "clave": "x" * 300_000})

        assert (response.status_code, response.headers["content-type"]) == (413, "application/problem+json")

    def test_a_body_that_is_no_object_is_refused(self, api: TestClient) -> None:
        assert api.post("/user/login", json=[1]).json()["errores"][0]["campo"] == "body"

    def test_an_unknown_path_is_a_problem(self, api: TestClient) -> None:
        response = api.get("/nada")

        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")

    def test_a_path_with_a_slash_too_many_is_a_problem(self, api: TestClient) -> None:
        response = api.get("/catalogs/", follow_redirects=False)

        assert (response.status_code, response.json()["error"]) == (404, "not found")

    def test_another_method_is_a_problem_that_names_the_allowed_ones(self, api: TestClient) -> None:
        response = api.put("/catalogs")

        assert (response.status_code, response.headers["Allow"]) == (405, "GET")

    def test_all_methods_of_a_path_are_named(self, api: TestClient) -> None:
        assert api.put("/copilot/sessions/7").headers["Allow"] == "GET, POST, PATCH, DELETE"

    def test_it_has_the_members_of_rfc_9457(self, api: TestClient) -> None:
        problem = api.get("/nada").json()

        assert problem == {
            "type": "urn:maverik:problem:not-found",
            "title": "No encontrado",
            "status": 404,
            "detail": "Lo que buscás no existe o no está disponible para vos.",
            "error": "not found",
        }

    @pytest.mark.parametrize("path", ["/catalogs", "/user/me"])
    def test_an_unreachable_database_is_a_503_with_retry_after(
        self, detached_api: TestClient, resources: Resources, path: str
    ) -> None:
        token = resources.tokens.issue_access(user_id=1, login_id=1).token

        response = detached_api.get(path, headers={"Authorization": f"Bearer {token}"})

        assert (response.status_code, response.headers["Retry-After"]) == (503, "5")

    def test_an_unexpected_failure_is_a_problem_that_browsers_may_read(
        self, user: TestUser, advisor: ScriptedAdvisor
    ) -> None:
        session = user.open_session()
        advisor.queue.append(RuntimeError("a defect with a secret"))

        response = user.post(
            f"/copilot/sessions/{session['id']}", {"input": "hola"}, headers={"Origin": "https://app.example.com"}
        )

        assert (response.status_code, response.json()["error"]) == (500, "internal error")
        assert "secret" not in response.text
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.example.com"
        assert response.headers["X-Request-ID"]

    def test_what_was_sent_is_never_echoed(self, api: TestClient) -> None:
        response = api.post("/user/login", json={"email": "a@example.com", "clave": ["secreto"]})

        assert "secreto" not in response.text


class TestRequestId:
    def test_a_well_formed_one_comes_back(self, api: TestClient) -> None:
        assert api.get("/", headers={"X-Request-ID": "abc-12345"}).headers["X-Request-ID"] == "abc-12345"

    @pytest.mark.parametrize("given", ["corto", "x" * 65, "con espacios y más", "a\\nb" * 5])
    def test_any_other_is_replaced(self, api: TestClient, given: str) -> None:
        returned = api.get("/", headers={b"X-Request-ID": given.encode()}).headers["X-Request-ID"]

        assert returned != given
        assert len(returned) == 32


class TestCors:
    def preflight(self, api: TestClient, origin: str, *, headers: str = "authorization,content-type") -> Any:
        sent = {
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": headers,
        }
        return api.options("/copilot/sessions", headers=sent)

    @pytest.mark.parametrize("origin", ["https://app.example.com", "https://otro.example.com"])
    def test_every_configured_frontend_may_call(self, api: TestClient, origin: str) -> None:
        response = self.preflight(api, origin)

        assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (200, origin)

    def test_they_may_send_every_header_that_the_document_names(self, api: TestClient) -> None:
        document = api.get("/openapi.json").json()
        operations = [operation for path in document["paths"].values() for operation in path.values()]
        parameters = [parameter for operation in operations for parameter in operation.get("parameters", ())]
        named = {parameter["name"].lower() for parameter in parameters if parameter["in"] == "header"}

        response = self.preflight(api, "https://app.example.com", headers=",".join({"authorization", *named}))

        assert "idempotency-key" in named
        assert response.status_code == 200

    def test_they_may_read_whether_an_answer_is_a_repeated_one(self, api: TestClient) -> None:
        response = api.get("/", headers={"Origin": "https://app.example.com"})

        assert "Idempotency-Replayed" in response.headers["Access-Control-Expose-Headers"]

    def test_others_may_not(self, api: TestClient) -> None:
        response = self.preflight(api, "https://evil.example.com")

        assert "Access-Control-Allow-Origin" not in response.headers


class TestLogs:
    def test_a_request_is_one_line_without_personal_texts(
        self, user: TestUser, capfd: pytest.CaptureFixture[str]
    ) -> None:
        session = user.open_session()
        capfd.readouterr()

        user.say(session, "mi secreto más íntimo")

        output = "".join(capfd.readouterr())
        assert output.count("route=/copilot/sessions/{session_id}") == 1
        assert "secreto" not in output
        assert user.email not in output
        assert user.token not in output


def test_cleaning_up_and_sealing_anew_do_not_wait_for_each_other(app: FastAPI) -> None:
    with TestClient(app):
        running = {thread.name for thread in threading.enumerate()}

    assert {"jobs-correo", "cleanup", "reseal"} <= running
