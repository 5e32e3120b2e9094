"""The backend under AWS's own runtime client, with the events of Function URLs and HTTP APIs."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pydantic import SecretStr

from maverik_backend.core import migrations
from maverik_backend.core.security import generate_paserk
from maverik_backend.settings import DatabaseSettings, Settings
from tests.aws.runtime_api import Answer, LambdaProcess, make_event
from tests.aws.template import fixed_variables, variables
from tests.support.fixtures.application import local_settings
from tests.support.fixtures.database import rows
from tests.support.fixtures.people import make_profile, make_session_body
from tests.support.postgres import PASSWORD, USER, TcpPostgres
from tests.support.processes import PLENTY
from tests.support.servers import HANG, MailApiServer, OptimizerServer, RagServer
from tests.support.streams import EVENTS
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AWS's runtime client runs on Linux only")

# Lambda gives the start 10 s; counted in processor time, for other tests run beside this one.
COLD_START_BUDGET_S = 8.0
CONNECTIONS = "SELECT pid, client_port FROM pg_stat_activity WHERE application_name = 'maverik_backend'"
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) AS ended FROM pg_stat_activity
    WHERE application_name = 'maverik_backend' AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Deployment:
    """The database, the services, and the environment that points the functions at them."""

    settings: Settings
    rag: RagServer
    optimizer: OptimizerServer
    mail: MailApiServer
    environment: Mapping[str, str]

    def environment_of(self, handler: str) -> dict[str, str]:
        """What the template gives the function of ``handler``: not the secrets of the others."""
        given = {*variables(handler), *PLENTY}
        return {name: value for name, value in self.environment.items() if name in given}


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    """The template's own environment, but for what production demands and loopback has not: https."""
    with ExitStack() as stack:
        postgres_folder, folder = (Path(stack.enter_context(TemporaryDirectory(prefix="maverik-test-"))) for _ in "ab")
        server = stack.enter_context(TcpPostgres(postgres_folder))
        rag, optimizer = stack.enter_context(RagServer()), stack.enter_context(OptimizerServer())
        mail = stack.enter_context(MailApiServer())
        environment = {
            **fixed_variables(),
            **PLENTY,
            "APP_ENV": "staging",
            "DB_HOST": "127.0.0.1",
            "DB_PORT": str(server.port),
            "DB_NAME": "postgres",
            "DB_SCHEMA": "asesoria",
            "DB_USERNAME": USER,
            "DB_PASSWORD": PASSWORD,
            "SECRET_KEY": generate_paserk(),
            "RAG_SERVICE_URL": rag.url,
            "PORTFOLIO_OPTIMIZATION_URL": optimizer.url,
            "FRONTEND_URL": "https://app.example.com",
            "PUBLIC_URL": "https://api.example.com",
            "SMTP_API_URL": mail.url,
            "SMTP_API_KEY": "llave-de-prueba",
            "MAIL_SENDER_ADDRESS": "hola@example.com",
        }
        database = DatabaseSettings.isolated(
            host="127.0.0.1",
            port=server.port,
            name="postgres",
            schema_name="asesoria",
            username=USER,
            password=SecretStr(PASSWORD),
        )
        settings = local_settings(folder).model_copy(update={"database": database})
        migrations.upgrade(settings)
        yield Deployment(settings, rag, optimizer, mail, environment)


Run = Callable[..., LambdaProcess]


@pytest.fixture
def run(deployment: Deployment, tmp_path: Path) -> Iterator[Run]:
    """``run("jobs_handler", DB_PORT="1")``: that function, with that change to its environment, for this test."""
    with ExitStack() as stack:

        def start(handler: str, **changes: str) -> LambdaProcess:
            environment = {**deployment.environment_of(handler), **changes}
            environment = {name: value for name, value in environment.items() if value}
            return stack.enter_context(LambdaProcess(handler, tmp_path, environment))

        yield start


@pytest.fixture(scope="module")
def api(deployment: Deployment) -> Iterator[LambdaProcess]:
    """The HTTP function, warm; tests leave it running."""
    yield from _warm("handler", deployment)


@pytest.fixture(scope="module")
def jobs(deployment: Deployment) -> Iterator[LambdaProcess]:
    """The one that mails, warm as well."""
    yield from _warm("jobs_handler", deployment)


def _warm(handler: str, deployment: Deployment) -> Iterator[LambdaProcess]:
    with (
        TemporaryDirectory(prefix="maverik-test-") as folder,
        LambdaProcess(handler, Path(folder), deployment.environment_of(handler)) as function,
    ):
        function.wait_until_ready()
        yield function


def sign_up(api: LambdaProcess, jobs: LambdaProcess, deployment: Deployment) -> tuple[dict[str, Any], str]:
    """A new person, with the key that the jobs function had mailed."""
    form = make_profile()
    answer = api.request("POST", "/user/signup", form)
    assert answer.status == 201, answer.body
    assert jobs.invoke({}).body["tried"] >= 1
    (mail,) = deployment.mail.mails_to(form["email"])
    (line,) = [line for line in mail["textContent"].splitlines() if line.startswith("Clave: ")]
    return form, line.removeprefix("Clave: ")


def log_in(api: LambdaProcess, form: Mapping[str, Any], key: str, **options: Any) -> str:
    answer = api.request("POST", "/user/login", {"email": form["email"], "clave": key}, **options)
    assert answer.status == 200, answer.body
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture
def token(api: LambdaProcess, jobs: LambdaProcess, deployment: Deployment) -> str:
    return log_in(api, *sign_up(api, jobs, deployment))


class TestAConversation:
    def test_from_signing_up_to_the_second_turn(self, api: LambdaProcess, token: str, deployment: Deployment) -> None:
        opened = api.request("POST", "/copilot/sessions", make_session_body(), token=token).json()
        path = f"/copilot/sessions/{opened['id']}"
        first = api.request("POST", path, {"input": opened["primer_input"]}, token=token).json()
        second = api.request("POST", path, {"input": "¿Y los bonos?"}, token=token).json()
        history = api.request("GET", path, token=token).json()

        assert history == [first, second]
        assert first["output"].startswith(f"Respuesta de prueba a: {opened['primer_input']}")
        assert {asset["activo"] for asset in first["portafolio"]["activos"]} >= {"Acciones", "Bonos"}
        assert deployment.rag.requests[-1].json["chatHistory"] == [[first["input"], first["output_markdown"]]]

    def test_a_stream_comes_in_one_piece_with_the_parts_that_it_has_elsewhere(
        self, api: LambdaProcess, token: str
    ) -> None:
        opened = api.request("POST", "/copilot/sessions", make_session_body(), token=token).json()

        answer = api.request(
            "POST", f"/copilot/sessions/{opened['id']}", {"input": "hola"}, token=token, headers=EVENTS
        )

        lines = answer.body.decode().split("\n\n")
        assert answer.headers["x-vercel-ai-ui-message-stream"] == "v1"
        assert json.loads(lines[0].removeprefix("data: "))["type"] == "start"
        assert lines[-2] == "data: [DONE]"

    def test_leaves_no_thread_behind(self, api: LambdaProcess, token: str) -> None:
        opened = api.request("POST", "/copilot/sessions", make_session_body(), token=token).json()
        api.request("POST", f"/copilot/sessions/{opened['id']}", {"input": None}, token=token)

        eventually(lambda: api.thread_count() == 1)

    def test_does_not_wait_for_an_optimizer_that_hangs(
        self, run: Run, api: LambdaProcess, token: str, deployment: Deployment
    ) -> None:
        opened = api.request("POST", "/copilot/sessions", make_session_body(), token=token).json()
        deployment.optimizer.script(HANG)
        impatient = run("handler", EXTERNAL_SERVICE_TIMEOUT="1")
        answer = impatient.request("POST", f"/copilot/sessions/{opened['id']}", {"input": None}, token=token)

        assert (answer.status, answer.json()["portafolio"]) == (200, None)
        eventually(lambda: impatient.thread_count() == 1)


class TestRequests:
    def test_a_body_may_come_in_base64(self, api: LambdaProcess) -> None:
        body = base64.b64encode(json.dumps(make_profile(), ensure_ascii=False).encode()).decode()
        headers = {"Content-Type": "application/json"}

        assert api.request("POST", "/user/signup", headers=headers, body=body, isBase64Encoded=True).status == 201

    def test_a_body_that_is_no_text_is_invalid_input(self, api: LambdaProcess) -> None:
        body = base64.b64encode(bytes(range(256))).decode()
        headers = {"Content-Type": "application/json"}
        answer = api.request("POST", "/user/signup", headers=headers, body=body, isBase64Encoded=True)

        assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")

    @pytest.mark.parametrize("fields", [{}, {"body": None}, {"body": ""}], ids=str)
    def test_a_missing_body_is_a_missing_body(self, api: LambdaProcess, fields: dict[str, Any]) -> None:
        answer = api.request("POST", "/user/login", headers={"Content-Type": "application/json"}, **fields)

        assert (answer.status, answer.json()["error"]) == (422, "invalid input")

    def test_a_body_over_the_limit_is_refused(self, api: LambdaProcess) -> None:
        assert api.request("POST", "/user/login", {"email": "x" * 300_000, "clave": "y"}).status == 413

    def test_accents_arrive_and_leave_as_they_are(self, api: LambdaProcess, token: str) -> None:
        opened = api.request("POST", "/copilot/sessions", make_session_body(), token=token).json()
        path = f"/copilot/sessions/{opened['id']}"
        answer = api.request("POST", path, {"input": "¿Qué hago con mañana? €"}, token=token)

        assert answer.json()["input"] == "¿Qué hago con mañana? €"
        assert not answer.is_base64

    def test_a_query_may_be_repeated_and_encoded(self, api: LambdaProcess, token: str) -> None:
        def events(query: str) -> Answer:
            return api.request("GET", "/user/me/events", token=token, query=query)

        assert [len(events(query).json()) for query in ("limit=1", "limit=9&limit=1", "l%69mit=%31")] == [1, 1, 1]
        assert events("limit=%zz").status == 422

    def test_a_path_may_be_encoded(self, api: LambdaProcess) -> None:
        assert api.request("GET", "/h%65alth").status == 200
        assert api.request("GET", "/%ff%00%2e%2e").status == 404

    def test_cookies_are_no_way_in(self, api: LambdaProcess, token: str) -> None:
        cookies = [f"access_token={token}", "otra=ñ; con=más"]
        strange = api.request("GET", "/user/me", cookies=cookies)
        known = api.request("GET", "/user/me", cookies=cookies, token=token)

        assert (strange.status, known.status) == (401, 200)
        assert "set-cookie" not in known.headers

    def test_a_header_that_came_several_times_is_one_with_commas(self, api: LambdaProcess) -> None:
        etag = api.request("GET", "/catalogs").headers["etag"]

        answer = api.request("GET", "/catalogs", headers={"If-None-Match": f'"otra",{etag}'})

        assert (answer.status, answer.body) == (304, b"")

    def test_problems_leave_as_text(self, api: LambdaProcess) -> None:
        answer = api.request("GET", "/nada")

        assert (answer.status, answer.is_base64, answer.json()["error"]) == (404, False, "not found")

    def test_browsers_of_the_frontend_may_call(self, api: LambdaProcess) -> None:
        headers = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}
        answer = api.request("OPTIONS", "/user/login", headers=headers)

        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"

    def test_the_stage_of_an_http_api_is_no_part_of_the_path(self, api: LambdaProcess) -> None:
        answers = [Answer.of(api.invoke(make_event("GET", path, stage="prod"))) for path in ("/", "/health")]

        assert [answer.status for answer in answers] == [200, 200]

    def test_the_client_s_address_is_the_one_that_lambda_tells(
        self, api: LambdaProcess, jobs: LambdaProcess, deployment: Deployment
    ) -> None:
        form, key = sign_up(api, jobs, deployment)
        token = log_in(api, form, key, headers={"X-Forwarded-For": "198.51.100.7"})
        events = api.request("GET", "/user/me/events", token=token).json()

        assert "203.0.113.0/24" in json.dumps(events)
        assert "198.51.100" not in json.dumps(events)


class TestEventsThatAreNone:
    @pytest.mark.parametrize(
        "event",
        [
            {},
            [],
            "hola",
            {"maverik": "migrate"},
            {"version": "2.0", "requestContext": {}},
            {"version": "2.0", "requestContext": {"http": {"method": "GET"}}},
            make_event("POST", "/user/login", body="a", isBase64Encoded=True),
        ],
        ids=lambda event: json.dumps(event)[:50],
    )
    def test_fail_and_harm_no_other_request(self, api: LambdaProcess, event: Any) -> None:
        assert api.invoke(event).failed
        assert api.request("GET", "/health").status == 200


class TestAnEnvironment:
    def test_starts_in_time(self, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        function = run("handler")
        start_s = function.wait_until_ready()
        status = function.request("GET", "/health").status
        worked_s = function.processor_s()

        assert status == 200
        assert worked_s < COLD_START_BUDGET_S
        with capsys.disabled():
            print(f"\nLambda: {start_s:.2f} s to the first event, {worked_s:.2f} s of processor to its answer")  # noqa: T201

    def test_holds_one_connection_and_one_thread_however_many_requests_come(
        self, run: Run, deployment: Deployment, token: str
    ) -> None:
        function = run("handler")
        function.wait_until_ready()
        held = function.ports_towards(deployment.settings.database.port)
        statuses = [function.request("GET", path, token=token).status for path in ("/user/me", "/health") * 100]

        assert statuses == [200] * 200
        assert function.ports_towards(deployment.settings.database.port) == held
        assert len(held) == 1
        assert held <= {row["client_port"] for row in rows(deployment.settings, CONNECTIONS)}
        eventually(lambda: function.thread_count() == 1)

    def test_answers_after_its_connection_died_while_it_was_frozen(
        self, run: Run, deployment: Deployment, token: str
    ) -> None:
        function = run("handler")
        assert function.request("GET", "/user/me", token=token).status == 200
        function.freeze()
        ended = [row["ended"] for row in rows(deployment.settings, END_OTHERS)]
        function.thaw()

        assert ended
        assert all(ended)
        assert function.request("GET", "/user/me", token=token).status == 200

    def test_logs_what_lambda_calls_the_request_and_no_path(self, run: Run) -> None:
        function = run("handler")
        function.request("GET", "/secreto-en-el-camino")
        (line,) = [json.loads(line) for line in function.output().splitlines() if '"event": "request"' in line]

        assert len(line["aws_request_id"]) == 36
        assert "secreto" not in function.output()

    def test_starts_without_the_database_and_says_so(self, run: Run) -> None:
        assert run("handler", DB_PORT="1").request("GET", "/catalogs").status == 503


class TestAStartThatIsRefused:
    @pytest.mark.parametrize(
        ("handler", "variable", "value"),
        [
            ("handler", "RATE_LIMIT_STORAGE", "memory"),
            ("handler", "SECRET_KEY", ""),
            ("handler", "DB_HOST", ""),
            ("jobs_handler", "SECRET_KEY", ""),
            ("jobs_handler", "SMTP_API_URL", ""),
            ("migrate_handler", "DB_HOST", ""),
        ],
    )
    def test_says_what_to_set(self, run: Run, handler: str, variable: str, value: str) -> None:
        dependents = {"SMTP_API_URL": ("SMTP_API_KEY",), "DB_HOST": ("DB_USERNAME", "DB_PASSWORD")}
        changes = {variable: value, **dict.fromkeys(dependents.get(variable, ()), "")}
        error = run(handler, **changes).wait_for_init_error()

        assert error["errorType"] == "SettingsError"
        assert error["errorMessage"].startswith(variable)

    def test_is_refused_to_production_as_anywhere_else(self, run: Run) -> None:
        assert "https://" in run("jobs_handler", APP_ENV="prod").wait_for_init_error()["errorMessage"]

    @pytest.mark.parametrize("handler", ["handler", "cleanup_handler", "migrate_handler"])
    def test_is_not_refused_to_production_for_the_secrets_of_other_functions(self, run: Run, handler: str) -> None:
        function = run(handler, APP_ENV="prod")

        function.wait_until_ready()


class TestOtherFunctions:
    def test_a_mail_waits_when_there_is_no_time_left_for_another_job(
        self, api: LambdaProcess, jobs: LambdaProcess, deployment: Deployment
    ) -> None:
        form = make_profile()
        api.request("POST", "/user/signup", form)
        too_short = jobs.invoke({}, timeout_s=20).body
        mails_before = deployment.mail.mails_to(form["email"])
        enough = jobs.invoke({}).body

        assert (too_short, mails_before) == ({"tried": 0}, [])
        assert enough["tried"] >= 1
        assert len(deployment.mail.mails_to(form["email"])) == 1

    def test_the_clean_up_deletes_what_has_expired(self, run: Run, deployment: Deployment) -> None:
        rows(deployment.settings, "INSERT INTO limite_uso VALUES ('vieja', 1, now() - interval '1 s')")
        outcome = run("cleanup_handler").invoke({})

        assert not outcome.failed
        assert rows(deployment.settings, "SELECT 1 FROM limite_uso WHERE clave = 'vieja'") == []

    def test_a_migration_brings_an_empty_database_to_where_the_api_works(self, run: Run) -> None:
        schema = {"DB_SCHEMA": "nueva"}
        before = run("handler", **schema).request("GET", "/health").status
        outcome = run("migrate_handler", **schema).invoke({})
        after = run("handler", **schema).request("GET", "/health").status

        assert not outcome.failed
        assert (before, after) == (503, 200)

    @pytest.mark.parametrize("handler", ["jobs_handler", "cleanup_handler", "migrate_handler"])
    def test_what_fails_counts_as_failed(self, run: Run, handler: str) -> None:
        outcome = run(handler, DB_PORT="1").invoke({})

        assert (outcome.failed, outcome.body["errorType"]) == (True, "DatabaseUnavailable")
