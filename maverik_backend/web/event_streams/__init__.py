"""Events of turns on the wire: encoders, and the responses that send them as they come."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Request

from maverik_backend.texts import openapi as texts
from maverik_backend.web.event_streams.response import EventStreamResponse

EVENT_STREAM = "text/event-stream"
_REFUSED = re.compile(r";q=0(?:\.0*)?(?:;|$)")


def wants_events(request: Request) -> bool:
    """Whether ``Accept`` names the media type itself: a client that takes anything gets JSON (RFC 9110, 12.5.1)."""
    accepted = ",".join(request.headers.getlist("Accept")).replace(" ", "").lower().split(",")
    return any(
        media_type.partition(";")[0] == EVENT_STREAM and not _REFUSED.search(media_type) for media_type in accepted
    )


async def _wants_events(request: Request) -> bool:
    return wants_events(request)


WantsEvents = Annotated[bool, Depends(_wants_events)]


def describe_stream() -> dict[str, Any]:
    """The stream as an alternative content of an OpenAPI response."""
    return {EVENT_STREAM: {"schema": {"type": "string", "description": texts.EVENT_STREAM}}}


__all__ = ["EVENT_STREAM", "EventStreamResponse", "WantsEvents", "describe_stream", "wants_events"]
