"""Many people at once, on a real server with its own pool: no person blocks the others."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

from maverik_backend.settings import Settings
from tests.support.fixtures.people import make_session_body
from tests.support.serving import serving
from tests.support.signing_in import sign_up_and_in

CROWD = 200


def test_far_more_requests_than_threads_and_connections_are_all_answered(own_database: Settings) -> None:
    with serving(own_database) as address, ThreadPoolExecutor(CROWD) as pool:
        headers = sign_up_and_in(address, own_database.mailbox_dir).headers

        def get(path: str) -> int:
            return requests.get(address + path, headers=headers, timeout=60).status_code

        statuses = Counter(pool.map(get, ["/user/me", "/copilot/sessions"] * (CROWD // 2)))

    assert statuses == {200: CROWD}


def test_a_session_deleted_while_it_is_spoken_to_is_gone_for_every_request(own_database: Settings) -> None:
    with serving(own_database) as address, ThreadPoolExecutor(5) as pool:
        headers = sign_up_and_in(address, own_database.mailbox_dir).headers

        def talk(path: str) -> int:
            return requests.post(address + path, json={"input": "hola"}, headers=headers, timeout=60).status_code

        def delete(path: str) -> int:
            return requests.delete(address + path, headers=headers, timeout=60).status_code

        statuses: Counter[int] = Counter()
        for _ in range(20):
            opened = requests.post(f"{address}/copilot/sessions", json=make_session_body(), headers=headers, timeout=60)
            path = f"/copilot/sessions/{opened.json()['id']}"
            turns = [pool.submit(talk, path) for _ in range(3)]  # as many as a person may have at once
            statuses.update([pool.submit(delete, path).result(), *(turn.result() for turn in turns)])

    assert set(statuses) <= {200, 204, 404, 409}
    assert statuses[204] == 20
