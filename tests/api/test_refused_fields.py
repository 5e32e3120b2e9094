"""What is wrong with a request, in a sentence that people can be shown: ``detail`` of a 422."""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient

from tests.support.fixtures.people import TestUser, make_profile
from tests.support.fixtures.second_factor import Phone, start


def detail_of(response: Any) -> str:
    assert response.status_code == 422
    return str(response.json()["detail"])


def test_a_wrong_code_is_told_of_the_code(user: TestUser) -> None:
    start(user)

    detail = detail_of(user.post("/user/second-factor/confirm", {"codigo": "000000"}))

    assert detail == "Código: no es un código válido ahora, o ya se usó: probá con el siguiente."


def test_a_code_that_is_missing_is_named(user: TestUser, phone: Phone) -> None:
    del phone

    response = user.delete("/user/second-factor", {"clave": user.key})

    assert detail_of(response) == "Código: falta este dato."


def test_a_parameter_of_an_address_is_named(user: TestUser) -> None:
    detail = detail_of(user.get("/copilot/sessions?limit=9999"))

    assert detail == "Cantidad por página (limit): tiene que ser menor o igual que 100."


def test_a_body_that_is_no_json_is_told(api: TestClient) -> None:
    response = api.post("/user/login", content=b"{", headers={"Content-Type": "application/json"})

    assert detail_of(response) == "Pedido: el cuerpo no es JSON válido."


def test_what_no_person_fills_in_is_called_as_the_api_does(api: TestClient) -> None:
    assert detail_of(api.post("/user/token/refresh", json={})) == "refresh_token: falta este dato."


def test_of_many_fields_the_first_are_explained_and_all_are_named(api: TestClient) -> None:
    response = api.post("/user/signup", json=dict.fromkeys(make_profile(), "x"))

    detail, refused = detail_of(response), response.json()["errores"]
    assert len(refused) >= 8
    explained, _, named = detail.partition(" También hay que revisar: ")
    assert explained.count(":") == 3
    assert named.count(", ") == len(refused) - 4
    assert named.endswith("Qué harías si tu inversión cayera.")
