"""The SAM template as data, so that what is tested is what is deployed."""

from __future__ import annotations

from typing import Any

from cfnlint.decode import cfn_yaml

from tests.support.paths import ROOT

FOLDER = ROOT / "deployments" / "lambda"
TEMPLATE = FOLDER / "template.yaml"


def _load() -> dict[str, Any]:
    template: dict[str, Any] = cfn_yaml.load(str(TEMPLATE))
    return template


def variables(handler: str) -> dict[str, Any]:
    """The environment of the function that runs ``handler``; what depends on parameters is not text."""
    everywhere: dict[str, Any] = _load()["Globals"]["Function"]["Environment"]["Variables"]
    return {**everywhere, **functions()[handler].get("Environment", {}).get("Variables", {})}


def fixed_variables() -> dict[str, str]:
    """The part of all environments that is the same in every deployment."""
    found = {name: value for handler in functions() for name, value in variables(handler).items()}
    return {name: str(value) for name, value in found.items() if isinstance(value, str)}


def resource(name: str) -> dict[str, Any]:
    """The properties of a resource."""
    properties: dict[str, Any] = _load()["Resources"][name]["Properties"]
    return properties


def functions() -> dict[str, dict[str, Any]]:
    """The properties of every function, by the handler that it runs."""
    resources = _load()["Resources"].values()
    found = [item["Properties"] for item in resources if item["Type"] == "AWS::Serverless::Function"]
    return {item["ImageConfig"]["Command"][0].removeprefix("maverik_backend.aws_lambda."): item for item in found}
