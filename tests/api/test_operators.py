"""Operators: who they are, and what their login must have been opened with."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Connection, text
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from maverik_backend.web.dependencies import CurrentOperator
from tests.support.fixtures.application import MakeApp
from tests.support.fixtures.people import TestUser
from tests.support.fixtures.second_factor import Enrol, Phone


def add_route(app: FastAPI) -> FastAPI:
    """Something that only operators may see."""

    @app.get("/only-for-operators")
    def answer(operator: CurrentOperator) -> dict[str, Any]:
        return {"email": operator.email}

    return app


@pytest.fixture
def app(make_app: MakeApp) -> FastAPI:
    return add_route(make_app())


@pytest.fixture
def operator(user: TestUser, connection: Connection) -> TestUser:
    connection.execute(text("UPDATE usuario SET operador = now() WHERE email = :e"), {"e": user.email})
    return user


def look(user: TestUser) -> tuple[int, str | None]:
    response = user.get("/only-for-operators")
    return response.status_code, response.json().get("error")


def test_one_who_showed_a_second_factor_is_let_through(operator: TestUser, enrol: Enrol) -> None:
    phone = enrol(operator)
    operator.token = operator.log_in(codigo=phone.next_code()).json()["access_token"]

    assert look(operator) == (200, None)


def test_the_log_says_that_an_operator_acted(operator: TestUser, enrol: Enrol) -> None:
    enrol(operator)

    with capture_logs() as lines:
        look(operator)

    (line,) = [line for line in lines if line["event"] == "request"]
    assert (line["principal_kind"], line["principal_id"]) == ("operador", line["user_id"])
    assert line["user_id"] == operator.get("/user/me").json()["id"]


def test_adding_one_counts_as_showing_it(operator: TestUser, enrol: Enrol) -> None:
    enrol(operator)

    assert look(operator) == (200, None)


def test_refreshed_tokens_keep_it(operator: TestUser, phone: Phone, api: TestClient) -> None:
    del phone
    renewed = api.post("/user/token/refresh", json={"refresh_token": operator.refresh_token}).json()
    operator.token = renewed["access_token"]

    assert look(operator) == (200, None)


def test_one_without_a_second_factor_is_told_what_is_missing(operator: TestUser) -> None:
    assert look(operator) == (403, "operator without second factor")


def test_removing_it_takes_the_rights_of_this_login_too(operator: TestUser, phone: Phone) -> None:
    operator.delete("/user/second-factor", {"clave": operator.key, "codigo": phone.next_code()})

    assert look(operator) == (403, "operator without second factor")


def test_where_it_is_optional_the_key_is_enough(operator: TestUser, make_app: MakeApp) -> None:
    api = TestClient(add_route(make_app(operator_second_factor="optional")))

    response = api.get("/only-for-operators", headers={"Authorization": f"Bearer {operator.token}"})

    assert response.status_code == 200


@pytest.mark.usefixtures("phone")
def test_any_other_person_is_refused(user: TestUser) -> None:
    assert look(user) == (403, "operators only")


def test_rights_that_are_taken_end_at_once(operator: TestUser, phone: Phone, connection: Connection) -> None:
    del phone
    connection.execute(text("UPDATE usuario SET operador = NULL"))

    assert look(operator) == (403, "operators only")


class TestTheDetailOfHealth:
    @staticmethod
    def sees_it(user: TestUser) -> bool:
        return "dependencies" in user.get("/health").json()

    @pytest.mark.parametrize("metrics_token", [None, SecretStr("x" * 16)])
    def test_an_operator_sees_it_with_an_access_token(
        self, operator: TestUser, phone: Phone, make_app: MakeApp, metrics_token: SecretStr | None
    ) -> None:
        del phone
        api = TestClient(make_app(metrics_token=metrics_token))

        response = api.get("/health", headers={"Authorization": f"Bearer {operator.token}"})

        assert "dependencies" in response.json()

    def test_one_who_showed_no_second_factor_does_not(self, operator: TestUser) -> None:
        assert not self.sees_it(operator)

    @pytest.mark.usefixtures("phone")
    def test_any_other_person_does_not(self, user: TestUser) -> None:
        assert not self.sees_it(user)

    def test_one_who_signed_out_does_not(self, operator: TestUser, phone: Phone) -> None:
        del phone
        operator.post("/user/logout")

        assert not self.sees_it(operator)

    def test_asking_with_an_access_token_is_counted(self, operator: TestUser, phone: Phone, make_app: MakeApp) -> None:
        del phone
        api = TestClient(make_app(rate_limit_requests_per_minute=2))
        headers = {"Authorization": f"Bearer {operator.token}"}

        seen = ["dependencies" in api.get("/health", headers=headers).json() for _ in range(3)]

        assert seen == [True, True, False]


def test_a_request_without_a_login_is_asked_for_one(api: TestClient) -> None:
    assert api.get("/only-for-operators").status_code == 401
