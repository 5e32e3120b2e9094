"""What every optimiser promises, asked of each line of ``registry.OPTIMIZERS``."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest

from maverik_backend.clients import registry
from maverik_backend.clients.optimizer.base import Allocation, Optimizer, RiskProfile
from maverik_backend.core.deadline import Deadline
from maverik_backend.errors import (
    UpstreamBadAnswer,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from maverik_backend.settings import AdviceSettings, Settings
from tests.support.servers import HANG, LOOPBACK, OptimizerServer, Reply, refusing_port

AMPLE_S = 60.0
SHORT_S = 0.3


def make_optimizer(*, portfolio_optimization_url: str | None) -> Optimizer:
    settings = Settings(advice=AdviceSettings(portfolio_optimization_url=portfolio_optimization_url))
    context = registry.ClientContext(settings=settings, search=lambda _text, *, limit: [][:limit])
    return registry.make_clients(context).optimizer


@contextmanager
def http() -> Iterator[Optimizer]:
    with OptimizerServer() as server:
        yield make_optimizer(portfolio_optimization_url=server.url)


@contextmanager
def embedded() -> Iterator[Optimizer]:
    yield make_optimizer(portfolio_optimization_url=None)


HARNESSES: dict[str, Callable[[], AbstractContextManager[Optimizer]]] = {"http": http, "embedded": embedded}


@pytest.fixture(params=registry.OPTIMIZERS)
def optimizer(request: pytest.FixtureRequest) -> Iterator[Optimizer]:
    if request.param not in HARNESSES:
        pytest.fail(f"registry.OPTIMIZERS has {request.param!r}, which has no harness here: add one to HARNESSES")
    with HARNESSES[request.param]() as made:
        module, _, name = registry.OPTIMIZERS[request.param].partition(":")
        assert (type(made).__module__, type(made).__name__) == (module, name)
        yield made


def generate(
    optimizer: Optimizer, risk_profile: RiskProfile = RiskProfile.MODERATE, *, within_s: float = AMPLE_S
) -> Allocation:
    return optimizer.generate(risk_profile=risk_profile, deadline=Deadline.after(within_s))


class TestEveryOptimizer:
    @pytest.mark.parametrize("risk_profile", RiskProfile)
    def test_every_profile_has_an_allocation(self, optimizer: Optimizer, risk_profile: RiskProfile) -> None:
        allocation = generate(optimizer, risk_profile)
        assert len(allocation.assets) == len(allocation.weights_pct) > 0

    @pytest.mark.parametrize("risk_profile", RiskProfile)
    def test_weights_are_percentages(self, optimizer: Optimizer, risk_profile: RiskProfile) -> None:
        assert math.fsum(generate(optimizer, risk_profile).weights_pct) == pytest.approx(100, abs=1e-3)

    def test_profiles_differ(self, optimizer: Optimizer) -> None:
        weights = {tuple(generate(optimizer, risk_profile).weights_pct) for risk_profile in RiskProfile}
        assert len(weights) == len(RiskProfile)

    def test_assets_are_named_apart(self, optimizer: Optimizer) -> None:
        names = generate(optimizer).assets
        assert all(name.strip() for name in names)
        assert len(set(names)) == len(names)

    def test_allocation_names_its_origin(self, optimizer: Optimizer) -> None:
        assert generate(optimizer).origin.strip()

    def test_same_profile_has_the_same_allocation(self, optimizer: Optimizer) -> None:
        assert generate(optimizer) == generate(optimizer)

    def test_threads_get_the_allocations_of_their_own_profiles(self, optimizer: Optimizer) -> None:
        threads = 9
        profiles = list(RiskProfile) * (threads // len(RiskProfile))
        barrier = threading.Barrier(threads)

        def work(risk_profile: RiskProfile) -> list[Allocation]:
            barrier.wait(AMPLE_S)
            return [generate(optimizer, risk_profile) for _ in range(5)]

        with ThreadPoolExecutor(threads) as pool:
            allocations = list(pool.map(work, profiles))
        alone = {risk_profile: generate(optimizer, risk_profile) for risk_profile in RiskProfile}
        assert allocations == [[alone[risk_profile]] * 5 for risk_profile in profiles]

    def test_it_says_that_it_is_there(self, optimizer: Optimizer) -> None:
        optimizer.check(deadline=Deadline.after(AMPLE_S))


@pytest.fixture
def server() -> Iterator[OptimizerServer]:
    with OptimizerServer() as scripted:
        yield scripted


class TestHttpOptimizer:
    @pytest.mark.parametrize("risk_profile", RiskProfile)
    def test_call_is_what_the_contract_says(self, server: OptimizerServer, risk_profile: RiskProfile) -> None:
        generate(make_optimizer(portfolio_optimization_url=server.url), risk_profile)
        request = server.requests[0]
        assert (request.method, request.path) == ("POST", f"/portfolio/generate/{risk_profile.value}")
        assert request.body == b""

    def test_numbers_are_handed_on_as_they_are(self, server: OptimizerServer) -> None:
        server.script(Reply.json({"assets": ["A", "B", "C"], "weights": [60.00000000000001, 1e-9, 40]}))
        allocation = generate(make_optimizer(portfolio_optimization_url=server.url))
        assert allocation == Allocation(
            assets=["A", "B", "C"], weights_pct=[60.00000000000001, 1e-9, 40], origin="optimizador"
        )

    @pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
    def test_what_is_no_number_is_handed_on_to_be_judged(self, server: OptimizerServer, literal: str) -> None:
        server.script(Reply(body=f'{{"assets": ["A"], "weights": [{literal}]}}'.encode()))
        (weight,) = generate(make_optimizer(portfolio_optimization_url=server.url)).weights_pct
        assert not math.isfinite(weight)

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            "moderate",
            {},
            {"assets": ["A"]},
            {"weights": [100.0]},
            {"assets": None, "weights": [100.0]},
            {"assets": "A", "weights": [100.0]},
            {"assets": [1], "weights": [100.0]},
            {"assets": ["A"], "weights": 100.0},
            {"assets": ["A"], "weights": ["100"]},
            {"assets": ["A"], "weights": [None]},
            {"assets": ["A"], "weights": [True]},
            {"assets": ["A"], "weights": {"A": 100.0}},
            {"assets": ["A"], "weights": [[100.0]]},
        ],
        ids=repr,
    )
    def test_another_shape_is_a_bad_answer(self, server: OptimizerServer, body: object) -> None:
        server.script(Reply.json(body))
        with pytest.raises(UpstreamBadAnswer):
            generate(make_optimizer(portfolio_optimization_url=server.url))

    def test_weight_that_no_float_can_hold_is_a_bad_answer(self, server: OptimizerServer) -> None:
        server.script(Reply.json({"assets": ["A"], "weights": [10**400]}))
        with pytest.raises(UpstreamBadAnswer):
            generate(make_optimizer(portfolio_optimization_url=server.url))

    @pytest.mark.parametrize(
        ("reply", "error"),
        [
            pytest.param(Reply.json({"detail": "No"}, status=500), UpstreamRejected, id="500"),
            pytest.param(Reply.json({"detail": "No"}, status=422), UpstreamRejected, id="422"),
            pytest.param(Reply(body=b"<html>"), UpstreamBadAnswer, id="not JSON"),
            pytest.param(HANG, UpstreamTimeout, id="hang"),
        ],
    )
    def test_failure_is_of_the_right_kind(
        self, server: OptimizerServer, reply: Reply, error: type[UpstreamError]
    ) -> None:
        server.script(reply)
        optimizer = make_optimizer(portfolio_optimization_url=server.url)
        with pytest.raises(error) as caught:
            generate(optimizer, within_s=SHORT_S if reply is HANG else AMPLE_S)
        assert caught.value.service == "optimizer"

    def test_a_refused_connection_is_unreachable(self) -> None:
        with refusing_port() as port, pytest.raises(UpstreamUnreachable):
            generate(make_optimizer(portfolio_optimization_url=f"http://{LOOPBACK}:{port}"))
