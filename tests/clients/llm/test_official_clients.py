"""What we read in a stream is what the provider's own client reads in it: text, calls, usage and reason of the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from maverik_backend.clients.llm.base import Completion
from tests.support.providers.server import ProviderServer
from tests.support.providers.vendor import WAYS, Scene, Vendor, Way
from tests.support.providers.vendors import READABLE, complete, model_at

# Of their dependencies, which warn of what they are going to change.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def comparable(completion: Completion) -> Completion:
    """Without what the official clients do not tell: ids where there are none, signatures, citations."""
    calls = tuple(replace(call, id="", signature=None) for call in completion.tool_calls)
    return replace(completion, tool_calls=calls, signature=None, citations=())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("vendor", "scene"), READABLE)
def test_both_read_the_same(vendor: Vendor, scene: Scene, way: Way) -> None:
    with ProviderServer(vendor.answer(scene, way=way)) as server, model_at(vendor, server.url) as model:
        ours = complete(model, way=way)
        theirs = vendor.sdk(server.url, way=way)

    assert comparable(ours) == comparable(theirs)
