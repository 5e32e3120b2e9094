"""What every provider over HTTP promises, asked of each line of ``models.PROVIDERS``."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from maverik_backend.clients.llm.base import Completion, Model, ModelUsage, StopReason, UserMessage
from maverik_backend.clients.llm.building import MAX_CHARS, OWN_ID_PREFIX
from maverik_backend.clients.llm.models import IN_PROCESS, PROVIDERS
from maverik_backend.clients.llm.reader import MAX_ANSWER_BYTES
from maverik_backend.core import trace
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    Cancelled,
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamIncomplete,
    UpstreamInputTooLong,
    UpstreamOverloaded,
    UpstreamQuotaExhausted,
    UpstreamRateLimited,
    UpstreamRejected,
    UpstreamStreamFailed,
    UpstreamTimeout,
    UpstreamTooLarge,
    UpstreamUnknownModel,
    UpstreamUnreachable,
    UpstreamWrongKey,
)
from tests.support.providers.scenes import CALLS, STRUCTURED, TEXT
from tests.support.providers.server import (
    Answering,
    ProviderServer,
    chunk,
    hang_up,
    in_pieces,
    json_answer,
    sse,
    stream,
    until_client_leaves,
)
from tests.support.providers.vendor import KEY, SCHEMA, STREAMED, WAYS, WHOLE, Scene, Vendor, Way, unknown_error_frame
from tests.support.providers.vendors import AMPLE_S, READABLE, REQUEST, VENDORS, complete, model_at
from tests.support.servers import Peer

SHORT_S = 0.4
PATIENCE_S = 20.0
KINDS = (
    UpstreamWrongKey,
    UpstreamUnknownModel,
    UpstreamQuotaExhausted,
    UpstreamRateLimited,
    UpstreamOverloaded,
    UpstreamInputTooLong,
)


@pytest.fixture(params=sorted(set(PROVIDERS) - IN_PROCESS))
def vendor(request: pytest.FixtureRequest) -> Vendor:
    if request.param not in VENDORS:
        pytest.fail(f"models.PROVIDERS has {request.param!r}, which has no vendor here: add one to VENDORS")
    return VENDORS[request.param]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    chosen: Way = request.param
    return chosen


def expected(scene: Scene) -> Completion:
    """What ``scene`` must be read as."""
    return Completion(
        text=scene.text,
        stop_reason=scene.stop,
        tool_calls=scene.calls,
        usage=scene.usage,
    )


def comparable(completion: Completion) -> Completion:
    """``completion`` without the ids that were given here."""
    calls = (
        replace(call, id="" if call.id.startswith(OWN_ID_PREFIX) else call.id, signature=None)
        for call in completion.tool_calls
    )
    return replace(completion, tool_calls=tuple(calls), signature=None, citations=())


@contextmanager
def serving(vendor: Vendor, *answers: Answering) -> Iterator[tuple[ProviderServer, Model]]:
    """A provider that answers so, and its model."""
    with ProviderServer(*answers) as server, model_at(vendor, server.url) as model:
        yield server, model


def ask(vendor: Vendor, *answers: Answering, way: Way = STREAMED) -> Completion:
    with serving(vendor, *answers) as (_, model):
        return complete(model, way=way)


def failure(vendor: Vendor, *answers: Answering, way: Way = STREAMED, requests: int = 1) -> UpstreamError:
    """The error of a call; so many requests were sent for it."""
    with serving(vendor, *answers) as (server, model):
        with pytest.raises(UpstreamError) as raised:
            complete(model, way=way)
        assert len(server.requests) == requests
        return raised.value


@pytest.mark.parametrize(("vendor", "scene"), READABLE)
def test_every_kind_of_answer_is_read(vendor: Vendor, scene: Scene, way: Way) -> None:
    completion = ask(vendor, vendor.answer(scene, way=way), way=way)

    assert comparable(completion) == comparable(expected(scene))


class TestAnswers:
    @pytest.mark.parametrize("size", [1, 7, 100])
    @pytest.mark.parametrize("scene", [TEXT, CALLS], ids=["text", "calls"])
    def test_a_stream_may_be_cut_anywhere(self, vendor: Vendor, scene: Scene, size: int) -> None:
        completion = ask(vendor, stream(in_pieces(vendor.frames(scene), size)))

        assert comparable(completion) == comparable(expected(scene))

    def test_lines_may_end_with_a_carriage_return_and_comments_mean_nothing(self, vendor: Vendor) -> None:
        frames = [b": ping\r\n\r\n", *(frame.replace(b"\n", b"\r\n") for frame in vendor.frames(TEXT))]

        assert ask(vendor, stream(frames)).text == TEXT.text

    def test_calls_have_ids_that_differ(self, vendor: Vendor, way: Way) -> None:
        completion = ask(vendor, vendor.answer(CALLS, way=way), way=way)

        assert len({call.id for call in completion.tool_calls}) == len(CALLS.calls)

    def test_calls_of_an_answer_that_was_cut_off_are_dropped(self, vendor: Vendor, way: Way) -> None:
        scene = replace(CALLS, stop=StopReason.LENGTH)
        completion = ask(vendor, vendor.answer(scene, way=way), way=way)

        assert (completion.stop_reason, completion.tool_calls) == (StopReason.LENGTH, ())

    def test_a_server_that_does_not_stream_is_read_as_well(self, vendor: Vendor) -> None:
        assert ask(vendor, json_answer(vendor.whole(TEXT)), way=STREAMED).text == TEXT.text

    def test_pieces_come_before_the_answer_ends(self, vendor: Vendor) -> None:
        came = threading.Event()

        def then(peer: Peer) -> None:
            assert came.wait(PATIENCE_S)
            for frame in vendor.frames(TEXT)[len(vendor.text_frames(TEXT)) :]:
                peer.send(chunk(frame))

        begun = stream(vendor.text_frames(TEXT), then=then)
        with serving(vendor, begun) as (_, model):
            pieces: list[str] = []

            def on_text(piece: str) -> None:
                pieces.append(piece)
                if "".join(pieces) == TEXT.text:
                    came.set()

            assert complete(model, on_text=on_text).text == TEXT.text

    def test_threads_get_the_answers_to_their_own_requests(self, vendor: Vendor) -> None:
        scenes = [Scene(pieces=(f"{number} ", "fin")) for number in range(12)]
        texts = {scene.text for scene in scenes}
        answers = [stream(vendor.frames(scene)) for scene in scenes]
        with serving(vendor, *answers) as (_, model), ThreadPoolExecutor(12) as threads:
            completions = list(threads.map(lambda _: complete(model), scenes))
            readers = [thread for thread in threading.enumerate() if thread.name == "model-streams"]

        assert {completion.text for completion in completions} == texts
        assert len(readers) == 1


class TestRequests:
    def test_they_carry_the_key_the_model_and_what_is_asked(self, vendor: Vendor, way: Way) -> None:
        with serving(vendor, vendor.answer(TEXT, way=way)) as (server, model):
            complete(model, way=way)
            (request,) = server.requests
        sent = json.dumps([request.path, request.json])

        assert any(KEY in value for value in request.headers.values())
        assert KEY not in sent
        assert all(part in sent for part in (REQUEST.model, REQUEST.instructions[2:], "hola"))

    def test_they_carry_the_schema(self, vendor: Vendor, way: Way) -> None:
        with serving(vendor, vendor.answer(STRUCTURED, way=way)) as (server, model):
            completion = complete(model, way=way, request=replace(REQUEST, output_schema=SCHEMA))
            (received,) = server.requests

        assert json.loads(completion.text) == {"total": 3}
        assert json.dumps(SCHEMA["properties"]) in json.dumps(received.json)

    def test_they_carry_the_trace(self, vendor: Vendor) -> None:
        known = trace.Trace.new()
        with serving(vendor, vendor.answer(TEXT, way=STREAMED)) as (server, model):
            with trace.following(known):
                complete(model)
            (request,) = server.requests

        assert known.trace_id in request.headers["traceparent"]

    def test_half_an_emoji_does_not_break_them(self, vendor: Vendor) -> None:
        with serving(vendor, vendor.answer(TEXT, way=STREAMED)) as (server, model):
            complete(model, request=replace(REQUEST, messages=[UserMessage("hola \ud83e")]))

            assert "hola ?" in json.dumps(server.requests[0].json)

    def test_a_connection_is_used_again(self, vendor: Vendor) -> None:
        with serving(vendor, vendor.answer(TEXT, way=STREAMED)) as (server, model):
            complete(model)
            while server.connections == 1 and len(server.requests) < 3:
                complete(model)
            assert server.connections < len(server.requests)

    def test_redirections_are_not_followed(self, vendor: Vendor) -> None:
        with ProviderServer(vendor.answer(TEXT, way=STREAMED)) as elsewhere:
            moved = json_answer({}, status=307, headers={"Location": elsewhere.url})
            found = failure(vendor, moved)

            assert isinstance(found, UpstreamRejected)
            assert (found.status, elsewhere.requests) == (307, [])


class TestRefusals:
    @pytest.mark.parametrize("kind", KINDS)
    def test_each_has_its_kind(self, vendor: Vendor, kind: type[UpstreamError], way: Way) -> None:
        found = failure(vendor, vendor.refusal(kind), way=way)

        assert type(found) is kind

    @pytest.mark.parametrize("kind", KINDS)
    def test_none_quotes_the_provider(self, vendor: Vendor, kind: type[UpstreamError]) -> None:
        found = failure(vendor, vendor.refusal(kind))

        assert KEY not in f"{found} {found!r} {found.detail}"
        assert vendor.failures[kind].status in {401, 400} or str(vendor.failures[kind].body) not in str(found)

    def test_a_rate_limit_says_when_to_come_back(self, vendor: Vendor) -> None:
        found = failure(vendor, vendor.refusal(UpstreamRateLimited))

        assert isinstance(found, UpstreamRejected)
        assert found.retry_after_s == 90

    @pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 529])
    def test_what_passes_is_asked_again(self, vendor: Vendor, status: int) -> None:
        good = vendor.answer(TEXT, way=STREAMED)
        busy = json_answer({"error": {"message": "Busy"}}, status=status, headers={"retry-after-ms": "1"})

        assert ask(vendor, busy, good).text == TEXT.text

    @pytest.mark.parametrize("status", [400, 418, 422])
    def test_what_does_not_pass_is_not_asked_again(self, vendor: Vendor, status: int) -> None:
        assert type(failure(vendor, json_answer({"error": {"message": "No"}}, status=status))) is UpstreamRejected

    def test_a_page_of_a_proxy_is_told_by_its_status(self, vendor: Vendor) -> None:
        def page(peer: Peer) -> None:
            peer.send(b"HTTP/1.1 403 No\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")

        assert type(failure(vendor, page)) is UpstreamWrongKey


class TestErrorsWithinAnAnswer:
    def test_after_the_first_piece_nothing_is_asked_again(self, vendor: Vendor) -> None:
        error = vendor.error_frame(vendor.failures[UpstreamOverloaded])
        pieces: list[str] = []
        with serving(vendor, stream([*vendor.text_frames(TEXT), error])) as (server, model):
            with pytest.raises(UpstreamOverloaded):
                complete(model, on_text=pieces.append)
            assert len(server.requests) == 1
        assert "".join(pieces) == TEXT.text

    def test_before_it_the_request_is_sent_again(self, vendor: Vendor) -> None:
        overloaded = stream([vendor.error_frame(replace(vendor.failures[UpstreamOverloaded], headers={}))])

        assert ask(vendor, overloaded, vendor.answer(TEXT, way=STREAMED)).text == TEXT.text

    def test_one_of_no_known_kind_is_a_kind_of_its_own(self, vendor: Vendor) -> None:
        found = failure(vendor, stream([*vendor.text_frames(TEXT), unknown_error_frame(vendor)]))

        assert type(found) is UpstreamStreamFailed

    def test_an_error_may_be_the_whole_of_a_200(self, vendor: Vendor, way: Way) -> None:
        found = failure(vendor, json_answer(vendor.unknown_error()), way=way)

        assert type(found) is UpstreamStreamFailed

    def test_a_stream_without_its_end_is_incomplete(self, vendor: Vendor) -> None:
        assert type(failure(vendor, stream(vendor.text_frames(TEXT)))) is UpstreamIncomplete

    def test_an_empty_stream_is_incomplete(self, vendor: Vendor) -> None:
        assert type(failure(vendor, stream([]))) is UpstreamIncomplete

    def test_a_stream_that_is_cut_is_not_asked_for_again(self, vendor: Vendor) -> None:
        cut = stream(vendor.text_frames(TEXT), ends=False)

        assert type(failure(vendor, cut, vendor.answer(TEXT, way=STREAMED))) is UpstreamUnreachable

    def test_one_that_is_cut_before_its_first_piece_is(self, vendor: Vendor) -> None:
        good = vendor.answer(TEXT, way=STREAMED)

        assert ask(vendor, stream([], ends=False), good).text == TEXT.text

    def test_so_is_a_connection_that_ends_before_the_answer(self, vendor: Vendor) -> None:
        assert ask(vendor, hang_up, vendor.answer(TEXT, way=STREAMED)).text == TEXT.text

    @pytest.mark.parametrize("frame", ["{", "[]", "null", "3", '{"type": 3}', '{"choices": 3}', '"hola"'])
    def test_another_shape_is_a_bad_answer(self, vendor: Vendor, frame: str) -> None:
        found = failure(vendor, stream([sse(frame)]))

        assert type(found) in {UpstreamBadAnswer, UpstreamIncomplete}

    @pytest.mark.parametrize("body", [[], None, 3, "hola", {}, {"choices": [3]}])
    def test_a_whole_answer_of_another_shape_is_one_as_well(self, vendor: Vendor, body: object) -> None:
        found = failure(vendor, json_answer(body), way=WHOLE)

        assert type(found) in {UpstreamBadAnswer, UpstreamIncomplete}


class TestBounds:
    def test_a_text_without_end_is_cut_early(self, vendor: Vendor) -> None:
        long = Scene(pieces=("a" * 20_000,))
        begin, *_ = vendor.frames(long)
        frame = vendor.text_frames(long)[-1]
        received: list[int] = []

        def endless(peer: Peer) -> None:
            for _ in range(30_000_000 // 20_000):
                peer.send(chunk(frame))

        begun = stream([begin, *vendor.text_frames(long)], then=endless)
        with serving(vendor, begun) as (server, model):
            with pytest.raises(UpstreamTooLarge):
                complete(model, on_text=lambda piece: received.append(len(piece)))
            assert server.wait_until_closed()
        assert sum(received) <= MAX_CHARS

    def test_a_body_without_end_is_cut_early(self, vendor: Vendor, way: Way) -> None:
        kind = b"text/event-stream" if way == STREAMED else b"application/json"

        def endless(peer: Peer) -> None:
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nContent-Length: 99999999\r\n\r\n")
            with suppress(OSError):
                for _ in range(2 * MAX_ANSWER_BYTES // 65536):
                    peer.send(b": " + b"a" * 65534)

        assert type(failure(vendor, endless, way=way)) is UpstreamTooLarge

    def test_an_answer_that_drips_ends_at_the_deadline(self, vendor: Vendor) -> None:
        def drip(peer: Peer) -> None:
            for frame in vendor.frames(TEXT) * 100:
                peer.drip(chunk(frame))

        dripping = stream([], then=drip)
        with serving(vendor, dripping) as (server, model):
            with pytest.raises(UpstreamTimeout):
                complete(model, deadline=Deadline.after(SHORT_S), on_text=lambda _piece: None)
            assert server.wait_until_closed()

    def test_no_answer_at_all_ends_there_too(self, vendor: Vendor) -> None:
        with serving(vendor, until_client_leaves) as (server, model):
            with pytest.raises(UpstreamTimeout):
                complete(model, deadline=Deadline.after(SHORT_S))
            assert server.wait_until_closed()

    def test_nothing_listens(self, vendor: Vendor) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
            with model_at(vendor, url) as model, pytest.raises(UpstreamUnreachable):
                complete(model, deadline=Deadline.after(SHORT_S))


class TestCancelling:
    @pytest.fixture
    def begun(self, vendor: Vendor) -> Iterator[ProviderServer]:
        """A stream that begins, and goes on for as long as the client is there."""
        with ProviderServer(stream(vendor.text_frames(TEXT), then=until_client_leaves)) as server:
            yield server

    def test_the_provider_sees_the_connection_closed(self, vendor: Vendor, begun: ProviderServer) -> None:
        deadline, came = Deadline.after(AMPLE_S), threading.Event()
        with model_at(vendor, begun.url) as model, ThreadPoolExecutor(1) as thread:
            call = thread.submit(complete, model, on_text=lambda _piece: came.set(), deadline=deadline)
            assert came.wait(PATIENCE_S)
            deadline.cancellation.cancel()

            with pytest.raises(Cancelled):
                call.result(timeout=PATIENCE_S)
            assert begun.wait_until_closed()

    def test_it_may_be_done_while_a_piece_is_taken(self, vendor: Vendor, begun: ProviderServer) -> None:
        deadline = Deadline.after(AMPLE_S)
        with model_at(vendor, begun.url) as model:
            with pytest.raises(Cancelled):
                complete(model, on_text=lambda _piece: deadline.cancellation.cancel(), deadline=deadline)
            assert begun.wait_until_closed()

    def test_what_was_cancelled_before_is_not_asked(self, vendor: Vendor, begun: ProviderServer) -> None:
        deadline = Deadline.after(AMPLE_S)
        deadline.cancellation.cancel()
        with model_at(vendor, begun.url) as model, pytest.raises(Cancelled):
            complete(model, deadline=deadline)
        assert begun.requests == []

    def test_an_error_of_who_takes_the_pieces_is_raised_as_it_is(self, vendor: Vendor, begun: ProviderServer) -> None:
        def refuse(piece: str) -> None:
            raise KeyError(piece)

        with model_at(vendor, begun.url) as model:
            with pytest.raises(KeyError):
                complete(model, on_text=refuse)
            assert begun.wait_until_closed()


class TestChecking:
    def test_a_provider_that_lists_its_models_is_there(self, vendor: Vendor) -> None:
        with serving(vendor, json_answer({"data": []})) as (server, model):
            model.check(deadline=Deadline.after(AMPLE_S))

            assert [request.method for request in server.requests] == ["GET"]

    def test_one_that_does_not_know_the_key_is_not(self, vendor: Vendor) -> None:
        wrong_key = vendor.refusal(UpstreamWrongKey)
        with serving(vendor, wrong_key) as (_, model), pytest.raises(UpstreamWrongKey):
            model.check(deadline=Deadline.after(AMPLE_S))

    def test_one_without_such_a_list_is(self, vendor: Vendor) -> None:
        with serving(vendor, json_answer({}, status=404)) as (_, model):
            model.check(deadline=Deadline.after(AMPLE_S))

    def test_one_that_fails_is_not(self, vendor: Vendor) -> None:
        failing = json_answer({}, status=500)
        with serving(vendor, failing) as (_, model), pytest.raises(UpstreamRejected):
            model.check(deadline=Deadline.after(AMPLE_S))

    def test_a_model_that_is_not_there_says_nothing_of_the_provider(self, vendor: Vendor) -> None:
        unknown = vendor.refusal(UpstreamUnknownModel)
        with serving(vendor, unknown, json_answer({})) as (_, model):
            with pytest.raises(UpstreamUnknownModel):
                complete(model)
            model.check(deadline=Deadline.after(AMPLE_S))


def test_usage_that_never_comes_is_zero(vendor: Vendor) -> None:
    frames = [frame for frame in vendor.frames(TEXT) if not vendor.is_only_usage(frame)]
    if frames != vendor.frames(TEXT):
        assert ask(vendor, stream(frames)).usage == ModelUsage()
