"""The SAM template and the image: what a machine can see before AWS does."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from cfnlint.api import lint

from maverik_backend import settings as product
from maverik_backend.aws_lambda import SETTLE_MARGIN_S
from maverik_backend.web.resources import Resources
from tests.aws.template import TEMPLATE, fixed_variables, functions, resource, variables
from tests.deployments.image import DOCKERFILE, LAMBDA_DOCKERFILE, Stage, build, run_in
from tests.support.paths import ROOT

SECRETS_OF = {
    "handler": {"DB_PASSWORD", "SECRET_KEY"},
    "jobs_handler": {"DB_PASSWORD", "SECRET_KEY", "SMTP_API_KEY"},
    "cleanup_handler": {"DB_PASSWORD"},
    "migrate_handler": {"DB_PASSWORD"},
}


def test_the_template_is_one_that_aws_takes() -> None:
    assert lint(TEMPLATE.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("AssumeRolePolicyDocument:", "AssumeRolePolicy:", "E3003"),
        ("Type: AWS::IAM::Role", "Type: AWS::IAM::Rol", "E3006"),
        ("!Ref LogRetentionDays", "!Ref LogRetention", "E1020"),
    ],
)
def test_a_mistake_in_it_would_be_seen(right: str, wrong: str, rule: str) -> None:
    """Not in what a function refers to: this version of the linter looks at none of that behind a transform."""
    broken = TEMPLATE.read_text(encoding="utf-8").replace(right, wrong, 1)

    assert rule in {match.rule.id for match in lint(broken)}


@pytest.mark.parametrize("handler", SECRETS_OF)
class TestEachFunction:
    def test_gets_the_secrets_that_it_needs_by_reference_and_no_others(self, handler: str) -> None:
        references = {
            name: value["Fn::Sub"]
            for name, value in variables(handler).items()
            if isinstance(value, dict) and "resolve" in str(value)
        }

        assert references == {
            name: "{{resolve:secretsmanager:${SecretsArn}:SecretString:" + name + "::${SecretsVersion}}}"
            for name in SECRETS_OF[handler]
        }

    def test_has_a_role_that_may_write_its_own_log_and_join_the_network(self, handler: str) -> None:
        function = functions()[handler]
        role, log = function["Role"]["Fn::GetAtt"][0], function["LoggingConfig"]["LogGroup"]["Ref"]
        (policy,) = resource(role)["Policies"]
        writes, joins, code_does_not = policy["PolicyDocument"]["Statement"]

        assert (writes["Action"], writes["Resource"]) == (
            ["logs:CreateLogStream", "logs:PutLogEvents"],
            {"Fn::GetAtt": [log, "Arn"]},
        )
        assert {action.partition(":")[0] for action in joins["Action"]} == {"ec2"}
        assert (code_does_not["Effect"], code_does_not["Action"]) == ("Deny", joins["Action"])
        (denied,) = code_does_not["Condition"]["ArnLike"]["lambda:SourceFunctionArn"]
        assert denied["Fn::Sub"].endswith(f":function:{function['FunctionName']['Fn::Sub']}")

    def test_shares_neither_role_nor_log(self, handler: str) -> None:
        mine = functions()[handler]
        for other in (found for name, found in functions().items() if name != handler):
            assert mine["Role"] != other["Role"]
            assert mine["LoggingConfig"] != other["LoggingConfig"]

    def test_every_variable_is_a_setting(self, handler: str) -> None:
        known = {variable for group in product.GROUPS.values() for variable in group.variables().values()}

        assert set(variables(handler)) <= known


def test_each_handler_has_its_function_and_only_one_an_address() -> None:
    with_address = [name for name, properties in functions().items() if "FunctionUrlConfig" in properties]

    assert set(functions()) == {"handler", "jobs_handler", "cleanup_handler", "migrate_handler"}
    assert with_address == ["handler"]


def test_a_turn_has_more_time_than_it_may_take() -> None:
    turn_s = float(fixed_variables()["EXTERNAL_SERVICE_TIMEOUT"])
    statements_s = product.DatabaseSettings.isolated().statement_timeout_s

    assert functions()["handler"]["Timeout"] >= turn_s + statements_s


def test_a_delivery_has_more_time_than_it_may_take() -> None:
    mail_s = float(fixed_variables()["MAIL_TIMEOUT_S"])

    assert functions()["jobs_handler"]["Timeout"] >= 2 * (mail_s + SETTLE_MARGIN_S)


def test_a_job_of_every_kind_has_more_time_than_it_may_take(resources: Resources) -> None:
    longest_s = max(kind.timeout_s for kind in resources.jobs.kinds.values())

    assert functions()["jobs_handler"]["Timeout"] >= longest_s + SETTLE_MARGIN_S


@pytest.fixture(scope="module")
def image() -> Iterator[Stage]:
    with TemporaryDirectory(prefix="maverik-image-") as folder:
        yield build(Path(folder), LAMBDA_DOCKERFILE)


class TestTheImage:
    def test_holds_what_its_handlers_import_and_no_pip(self, image: Stage) -> None:
        code = "import maverik_backend.aws_lambda, awslambdaric, alembic.config; print(maverik_backend.__file__)"
        found = run_in(image, "python", "-c", code)

        assert (found.returncode, Path(found.stdout.strip()).is_relative_to(image.root)) == (0, True), found.stderr
        assert run_in(image, "python", "-m", "pip", "--version").returncode != 0
        assert [path for path in (image.root / "opt").rglob("pip*") if re.fullmatch(r"pip(\d.*|-.*)?", path.name)] == []

    def test_takes_the_pip_of_its_base_away(self, image: Stage) -> None:
        (system,) = image.system_steps

        assert re.findall(r"--no-install-recommends (.*?) *&&", system) == ["libsodium23"]
        assert system.endswith("&& python -m pip uninstall --yes pip")

    def test_runs_the_handler_that_the_address_needs(self, image: Stage) -> None:
        assert image.exec_form("CMD") == functions()["handler"]["ImageConfig"]["Command"]

    def test_stands_on_the_same_patch_release_as_the_other_image(self, image: Stage) -> None:
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image.base)
        assert f"ARG PYTHON_IMAGE={image.base}\n" in DOCKERFILE.read_text(encoding="utf-8")

    @pytest.mark.parametrize("package", ["mangum", "awslambdaric"])
    def test_has_the_runtime_in_its_lock(self, package: str) -> None:
        assert re.search(rf"^{package}==", (ROOT / "requirements-lambda.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_importing_the_handlers_opens_nothing(tmp_path: Path) -> None:
    code = "import maverik_backend.aws_lambda as m; assert not hasattr(m, 'other'); assert 'handler' not in vars(m)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})  # noqa: S603
