"""The SAM template and the image: what a machine can see before AWS does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from cfnlint.api import lint

from maverik_backend import settings as product
from maverik_backend.aws_lambda import SETTLE_MARGIN_S
from tests.aws.template import FOLDER, TEMPLATE, fixed_variables, functions, variables
from tests.processes import ROOT

SECRETS = {"DB_PASSWORD", "SECRET_KEY", "SMTP_API_KEY"}
DOCKERFILE = FOLDER / "Dockerfile"


def test_the_template_is_one_that_aws_takes() -> None:
    assert lint(TEMPLATE.read_text(encoding="utf-8")) == []


def test_a_mistake_in_it_would_be_seen() -> None:
    broken = TEMPLATE.read_text(encoding="utf-8").replace("!GetAtt Logs.Arn", "!GetAtt Log.Arn")

    assert [match.rule.id for match in lint(broken)] == ["E1010"]


def test_secrets_come_by_reference() -> None:
    for name in SECRETS:
        reference = variables()[name]["Fn::Sub"]
        assert reference == "{{resolve:secretsmanager:${SecretsArn}:SecretString:" + name + "::${SecretsVersion}}}"


def test_every_variable_is_a_setting() -> None:
    known = {
        str(field.validation_alias or f"{group.model_config.get('env_prefix', '')}{name}").upper()
        for group in product._GROUPS.values()  # noqa: SLF001 - the table of groups is what is compared
        for name, field in group.model_fields.items()
    }

    assert set(variables()) <= known


def test_each_handler_has_its_function_and_only_one_an_address() -> None:
    with_address = [name for name, properties in functions().items() if "FunctionUrlConfig" in properties]

    assert set(functions()) == {"handler", "outbox_handler", "cleanup_handler", "migrate_handler"}
    assert with_address == ["handler"]


def test_a_turn_has_more_time_than_it_may_take() -> None:
    turn_s = float(fixed_variables()["EXTERNAL_SERVICE_TIMEOUT"])
    statements_s = product.DatabaseSettings.isolated().statement_timeout_s

    assert functions()["handler"]["Timeout"] >= turn_s + statements_s


def test_a_delivery_has_more_time_than_it_may_take() -> None:
    mail_s = float(fixed_variables()["MAIL_TIMEOUT_S"])

    assert functions()["outbox_handler"]["Timeout"] >= 2 * (mail_s + SETTLE_MARGIN_S)


class TestTheImage:
    def test_holds_what_its_steps_name(self) -> None:
        copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)

        assert copied
        assert [name for name in copied if not (ROOT / name).exists()] == []

    def test_runs_the_handler_that_the_address_needs(self) -> None:
        (command,) = re.findall(r'^CMD \["(.+)"\]', DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)

        assert command == functions()["handler"]["ImageConfig"]["Command"][0]

    @pytest.mark.parametrize("package", ["mangum", "awslambdaric"])
    def test_has_the_runtime_in_its_lock(self, package: str) -> None:
        assert re.search(rf"^{package}==", (ROOT / "requirements-lambda.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_importing_the_handlers_opens_nothing(tmp_path: Path) -> None:
    code = "import maverik_backend.aws_lambda as m; assert not hasattr(m, 'other'); assert 'handler' not in vars(m)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})  # noqa: S603
