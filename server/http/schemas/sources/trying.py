"""Trying the settings of a source on a body: what is asked, and the answer."""

from typing import Any

import msgspec

from hookbundle.engine.sources.intake.trying import Tried, TriedEvent
from hookbundle.engine.sources.settings import KindName, SourceSettings
from hookbundle.server.http.schemas.sources.sources import FaultOut

TRY_EXAMPLE = {
    "kind": "generic",
    "settings": {"fields": {"message_id": "id", "chat_id": "chat", "text": "text"}},
    "body": '{"id": "m1", "chat": "15550101234@c.us", "text": "hello"}',
}


class TrySourceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`body`: what the other system posts, as text; any other JSON value is the body itself."""

    kind: KindName
    body: Any
    settings: dict[str, Any] = {}


class TrySourceDoc(msgspec.Struct, frozen=True):
    """Settings of a source, as they are made with, and a body to try them on, of up to 64 KiB: the
    text that the other system posts, or the JSON value that it is."""

    kind: KindName
    body: Any
    settings: SourceSettings = SourceSettings()


class TriedSourceOut(msgspec.Struct, frozen=True):
    """What would come of the body. `events`: the first 50, in its order. `outcomes`: how many
    events would come to what, all of them counted. `faults`: ten at most."""

    events: list[TriedEvent]
    outcomes: dict[str, int]
    faults: list[FaultOut]


def tried_out(tried: Tried) -> TriedSourceOut:
    return TriedSourceOut(
        events=tried.events,
        outcomes=dict(sorted(tried.counts.items())),
        faults=[FaultOut(each.code, each.path, each.detail) for each in tried.faults],
    )
