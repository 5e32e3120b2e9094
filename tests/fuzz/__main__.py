"""`make fuzz`: generate requests from the OpenAPI document, send them to a real server, check every answer.

    python -m tests.fuzz [--examples N] [--seed N]

schemathesis runs all of its checks: no 500, no status, type, header or body that is not documented, what the document
allows is taken, what it forbids is refused, nothing is open without a token, and what was deleted is gone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.support.paths import ROOT
from tests.support.processes import ServerProcess, clean_environment
from tests.support.signing_in import sign_up_and_in

EXAMPLES = 400
# Answers to a well-formed request of one of those below.
EXPECTED = ["2xx", "401", "404", "409", "422", "503"]
TIMEOUT_S = 3600
# Whoever sends these is signed out, so they are sent by somebody else.
SIGN_OUT = ("log_out", "end_login")
# What these may refuse of a well-formed body no schema can say: who knows the key, what is in the catalogues, whether a
# link was used, which domains get no mail (RFC 6761), what a session may be called, which message goes without a text,
# which bytes are a document.
MAY_REFUSE = (
    *("sign_up", "update_me", "delete_me", "change_password", "reset_password", "forgot_password", "resend_key"),
    *("create_session", "rename_session", "create_turn"),
    "add_document",
    *("start_second_factor", "confirm_second_factor", "renew_recovery_codes", "remove_second_factor"),
)


def configuration(token: str, other_token: str) -> str:
    """schemathesis.toml: who sends what."""
    others = [f'headers = {{ Authorization = "Bearer {other_token}" }}'] * len(SIGN_OUT)
    refusals = [f"checks.positive_data_acceptance.expected-statuses = {EXPECTED}"] * len(MAY_REFUSE)
    operations = zip((*SIGN_OUT, *MAY_REFUSE), (*others, *refusals), strict=True)
    tables = [f'[[operations]]\ninclude-operation-id = "{name}"\n{setting}\n' for name, setting in operations]
    return f'headers = {{ Authorization = "Bearer {token}" }}\n' + "\n".join(tables)


def fuzz(folder: Path, *arguments: str, is_shown: bool = False) -> subprocess.CompletedProcess[str]:
    """Run schemathesis with ``arguments`` against a server with everything in ``folder``.

    What it prints goes to the terminal as it comes, or into the result.
    """
    data = folder / "data"
    with ServerProcess(folder, RATE_LIMITS_ENABLED="false", LOG_LEVEL="WARNING") as server:
        config = folder / "schemathesis.toml"
        tokens = (sign_up_and_in(server.url, data / "mailbox").token for _ in range(2))
        config.write_text(configuration(*tokens), encoding="utf-8")
        return subprocess.run(  # noqa: S603 - our own interpreter
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
                *("run", f"{server.url}/openapi.json", "--checks", "all", "--no-color", *arguments),
            ],
            check=False,
            capture_output=not is_shown,
            text=True,
            timeout=TIMEOUT_S,
            cwd=folder,
            env=clean_environment(PYTHONPATH=str(ROOT), PYTHONIOENCODING="utf-8"),
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="how many for each operation, at most")
    parser.add_argument("--seed", type=int, help="repeat an earlier run")
    options = parser.parse_args()
    seed = () if options.seed is None else ("--seed", str(options.seed))
    with TemporaryDirectory(prefix="maverik-fuzz-") as folder:
        result = fuzz(Path(folder), "--max-examples", str(options.examples), *seed, is_shown=True)
    sys.exit(result.returncode)


if __name__ == "__main__":
    main()
