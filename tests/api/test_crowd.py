"""Many people at once, on a real server with its own pool: nobody blocks everybody."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from maverik_backend.clients.mail.base import Sender
from maverik_backend.clients.mail.local import LocalMailbox
from maverik_backend.core.deadline import Deadline
from maverik_backend.settings import Settings
from tests.api.test_conversation import Frontend
from tests.support.fixtures.people import key_in, make_profile, make_session_body
from tests.support.serving import serving

CROWD = 200


def signed_in(address: str, settings: Settings) -> dict[str, str]:
    """Headers of somebody who signed up and in."""
    form = make_profile()
    mailbox = LocalMailbox(settings.mailbox_dir, sender=Sender.from_settings(settings.mail))
    with Frontend(address) as frontend:
        frontend.call("POST", "/user/signup", form)
        key = key_in(mailbox.wait_for_mail(form["email"], deadline=Deadline.after(20)))
        login = frontend.call("POST", "/user/login", {"email": form["email"], "clave": key})
    return {"Authorization": f"Bearer {login['access_token']}"}


def test_far_more_requests_than_threads_and_connections_are_all_answered(own_database: Settings) -> None:
    with serving(own_database) as address, ThreadPoolExecutor(CROWD) as pool:
        headers = signed_in(address, own_database)

        def get(path: str) -> int:
            return requests.get(address + path, headers=headers, timeout=30).status_code

        statuses = Counter(pool.map(get, ["/user/me", "/copilot/sessions"] * (CROWD // 2)))

    assert statuses == {200: CROWD}


def test_a_session_deleted_while_it_is_spoken_to_is_gone_for_everybody(own_database: Settings) -> None:
    with serving(own_database) as address, ThreadPoolExecutor(5) as pool:
        headers = signed_in(address, own_database)

        def talk(path: str) -> int:
            return requests.post(address + path, json={"input": "hola"}, headers=headers, timeout=30).status_code

        def delete(path: str) -> int:
            return requests.delete(address + path, headers=headers, timeout=30).status_code

        statuses: Counter[int] = Counter()
        for _ in range(20):
            opened = requests.post(f"{address}/copilot/sessions", json=make_session_body(), headers=headers, timeout=30)
            path = f"/copilot/sessions/{opened.json()['id']}"
            turns = [pool.submit(talk, path) for _ in range(3)]  # as many as a person may have at once
            statuses.update([pool.submit(delete, path).result(), *(turn.result() for turn in turns)])

    assert set(statuses) <= {200, 204, 404, 409}
    assert statuses[204] == 20
