"""What every embeddings provider promises, asked of each line of ``registry.EMBEDDERS`` over real sockets."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maverik_backend.clients import registry
from maverik_backend.clients.embeddings.base import MAX_TEXT_CHARS, Embedder, Purpose
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    SettingsError,
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamRateLimited,
    UpstreamTimeout,
    UpstreamUnknownModel,
    UpstreamUnreachable,
    UpstreamWrongKey,
)
from maverik_backend.settings import EmbeddingsSettings, load_config
from tests.support.embeddings import SERVERS, make_embedder, running, vector_of
from tests.support.servers import CUT, HANG, LOOPBACK, Reply, ScriptedServer, refusing_port

Pair = tuple[ScriptedServer, Embedder]


@pytest.fixture(params=registry.EMBEDDERS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param not in SERVERS:
        pytest.fail(f"registry.EMBEDDERS has {request.param!r}, which has no server in tests/support/embeddings.py")
    with running(request.param) as made:
        yield made


def embed(
    embedder: Embedder, *texts: str, within_s: float = 60, purpose: Purpose = Purpose.PASSAGE
) -> list[list[float]]:
    return embedder.embed(texts, purpose=purpose, deadline=Deadline.after(within_s))


class TestEveryEmbedder:
    def test_each_text_has_its_vector_in_order(self, pair: Pair) -> None:
        _, embedder = pair

        assert embed(embedder, "bonos", "acciones") == [vector_of("bonos"), vector_of("acciones")]

    def test_many_texts_are_asked_for_in_batches(self, pair: Pair) -> None:
        server, embedder = pair
        texts = [f"texto numero {number}" for number in range(150)]

        assert embed(embedder, *texts) == [vector_of(text) for text in texts]
        assert len(server.requests) == 3

    def test_no_text_costs_no_request(self, pair: Pair) -> None:
        server, embedder = pair

        assert embed(embedder) == []
        assert server.requests == []

    def test_a_long_text_is_cut_to_what_models_take(self, pair: Pair) -> None:
        server, embedder = pair

        embed(embedder, "palabra " * 4000)
        assert len(server.requests[0].body) < MAX_TEXT_CHARS + 1000

    def test_its_name_tells_models_and_dimensions_apart(self, pair: Pair) -> None:
        server, embedder = pair
        provider = embedder.name.partition(":")[0]

        assert embedder.name == f"{provider}:prueba"
        other = make_embedder(provider, server.url, dimensions=64)
        assert other.name == f"{provider}:prueba/64"
        assert len(embed(other, "bonos")[0]) == 64

    def test_a_question_is_asked_for_as_one(self, pair: Pair) -> None:
        server, embedder = pair
        embed(embedder, "bonos", purpose=Purpose.QUESTION)
        embed(embedder, "bonos", purpose=Purpose.PASSAGE)

        question, passage = (request.body for request in server.requests)
        assert (question != passage) == embedder.name.startswith("google")

    def test_the_key_is_in_a_header_and_in_no_address(self, pair: Pair) -> None:
        server, embedder = pair
        embed(embedder, "bonos")

        (request,) = server.requests
        assert "sk-una-clave" in str(request.headers)
        assert "sk-una-clave" not in request.path
        assert "sk-una-clave" not in repr(embedder)

    @pytest.mark.parametrize(
        ("status", "kind"), [(401, UpstreamWrongKey), (404, UpstreamUnknownModel), (429, UpstreamRateLimited)]
    )
    def test_a_refusal_is_of_its_kind_and_quotes_nothing(
        self, pair: Pair, status: int, kind: type[UpstreamError]
    ) -> None:
        server, embedder = pair
        server.default = lambda _: Reply.json({"error": {"message": "mi secreto"}}, status=status)

        with pytest.raises(kind) as refused:
            embed(embedder, "bonos")
        assert "secreto" not in str(refused.value)

    def test_a_busy_server_is_asked_again(self, pair: Pair) -> None:
        server, embedder = pair
        server.script(Reply(status=503), Reply(status=429, headers={"Retry-After": "0"}))

        assert embed(embedder, "bonos") == [vector_of("bonos")]
        assert len(server.requests) == 3

    @pytest.mark.parametrize(
        "body",
        [
            {}, [], None, {"data": 5}, {"data": []}, {"embeddings": []}, {"data": [5]},
            {"data": [{"index": 0, "embedding": []}]}, {"embeddings": [{"values": []}]},
            {"data": [{"index": 7, "embedding": [1.0]}]},
            {"data": [{"index": 0, "embedding": [1.0, "dos"]}]}, {"embeddings": [{"values": [True]}]},
            {"data": [{"index": 0, "embedding": [0.0, 0.0]}]}, {"embeddings": [{"values": [0, 0]}]},
            {"data": [{"index": 0, "embedding": [1.0] * 4001}]}, {"embeddings": [{"values": [1.0] * 4001}]},
        ],
    )  # fmt: skip
    def test_what_is_no_vector_is_a_bad_answer(self, pair: Pair, body: object) -> None:
        server, embedder = pair
        server.default = lambda _: Reply.json(body)

        with pytest.raises(UpstreamBadAnswer):
            embed(embedder, "bonos")

    @pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
    def test_a_number_that_is_none_is_a_bad_answer(self, pair: Pair, number: str) -> None:
        server, embedder = pair
        body = f'{{"data": [{{"index": 0, "embedding": [{number}]}}], "embeddings": [{{"values": [{number}]}}]}}'
        server.default = lambda _: Reply(body=body.encode())

        with pytest.raises(UpstreamBadAnswer):
            embed(embedder, "bonos")

    def test_an_answer_without_end_is_cut_off(self, pair: Pair) -> None:
        server, embedder = pair
        server.default = lambda _: Reply(body=b"[" + b"1," * (10 * 1024 * 1024))

        with pytest.raises(UpstreamBadAnswer):
            embed(embedder, "bonos")

    def test_silence_ends_with_the_deadline(self, pair: Pair) -> None:
        server, embedder = pair
        server.default = lambda _: HANG

        with pytest.raises(UpstreamTimeout):
            embed(embedder, "bonos", within_s=0.3)

    def test_a_connection_that_is_cut_is_unreachable(self, pair: Pair) -> None:
        server, embedder = pair
        server.default = lambda _: CUT

        with pytest.raises(UpstreamUnreachable):
            embed(embedder, "bonos")

    def test_it_says_whether_it_is_there(self, pair: Pair) -> None:
        _, embedder = pair
        embedder.check(deadline=Deadline.after(60))
        with refusing_port() as port, pytest.raises(UpstreamError):
            make_embedder(embedder.name.partition(":")[0], f"http://{LOOPBACK}:{port}").check(
                deadline=Deadline.after(60)
            )


class TestSettings:
    @pytest.mark.parametrize(
        ("variables", "says"),
        [
            ({"EMBEDDINGS_MODEL": "otro:modelo"}, "must be openai:MODEL or google:MODEL"),
            ({"EMBEDDINGS_MODEL": "openai:"}, "must be openai:MODEL or google:MODEL"),
            ({"EMBEDDINGS_MODEL": "openai:x"}, "set OPENAI_API_KEY, or EMBEDDINGS_BASE_URL"),
            ({"EMBEDDINGS_MODEL": "google:x"}, "set GOOGLE_AI_API_KEY, or EMBEDDINGS_API_KEY"),
        ],
    )
    def test_a_model_that_cannot_be_asked_stops_the_start_with_a_sentence(
        self, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], says: str
    ) -> None:
        for name in ("OPENAI_API_KEY", "GOOGLE_AI_API_KEY", "EMBEDDINGS_API_KEY", "EMBEDDINGS_BASE_URL"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

        with pytest.raises(SettingsError, match=says):
            load_config(None)

    def test_without_a_model_there_is_none(self) -> None:
        assert EmbeddingsSettings.isolated().provider is None
