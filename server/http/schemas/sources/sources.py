"""Sources as their owner makes and sees them."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.settings import KindName, SourceSettings
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.reads.source_view import RequestView, SourceView

Name = Annotated[str, msgspec.Meta(max_length=128)]

NEW_EXAMPLE = {
    "kind": "waha",
    "name": "WAHA of the sales team",
    "settings": {
        "account": {"full_name": "Nadia Haddad", "email": "nadia@acme.example"},
        "chat_url": "https://inbox.acme.example/chat/{chat_id}",
        "hmac_key": "a long random text",
    },
}
CHANGE_EXAMPLE = {
    "settings": {"hmac_key": ["the new secret", "the old one, for a while"], "chat_url": None}
}


class NewSourceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`settings`: which there are depends on the kind; docs/sources.md has them."""

    kind: KindName
    name: Name = ""
    settings: dict[str, Any] = {}


class NewSourceDoc(msgspec.Struct, frozen=True):
    """A source to be made. Which settings it takes depends on its kind (docs/sources.md)."""

    kind: KindName
    name: Name = ""
    settings: SourceSettings = SourceSettings()


class SourceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be changed of a source. Of `settings` what is named: null takes one away."""

    name: Name | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET


class RotateTokenIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keep`: how long the former token stays good beside the new one; `0s`: not at all."""

    keep: str = "24h"


class SourceOut(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A source. `url`, where the other system posts to, and the `token` in it are shown once, in
    the answer that made them.

    `settings`: `{"set": true}` stands for each secret. `proven`: requests must prove where they
    come from, by a signature or a secret header. `counts`: what came of all its events:
    `accepted`, `duplicate`, `skipped.attachment`, `edited`, `ignored.ack` and others. `requests`:
    how many are kept. `remembers`: entries of its memory. `former_token_until`: until then the
    token before the present one is good.
    """

    id: str
    kind: str
    name: str
    settings: dict[str, Any]
    proven: bool
    counts: dict[str, int]
    last_request_at: str | None
    last_message_at: str | None
    requests: int
    remembers: int
    former_token_until: str | None
    version: int
    created_at: str
    url: str | UnsetType = UNSET
    token: str | UnsetType = UNSET


class SourcesOut(msgspec.Struct, frozen=True):
    """All sources of a workspace, the oldest first; there are 20 at most."""

    sources: list[SourceOut]


class FaultOut(msgspec.Struct, frozen=True):
    """What was wrong with an event of a request."""

    code: str
    path: str
    detail: str


class SourceRequestOut(msgspec.Struct, frozen=True):
    """A request of a source. Secrets are replaced by `***`.

    `tail`: what stood behind the token in its path. `status`: what it was answered. `body`: the
    first 64 KiB; `size`: the bytes of all of it. `outcomes`: how many events came to what.
    """

    number: int
    at: str
    method: str
    tail: str
    status: int
    headers: dict[str, str]
    body: str
    size: int
    outcomes: dict[str, int]
    faults: list[FaultOut]


class SourceRequestsOut(msgspec.Struct, frozen=True):
    """A page, the newest first; `cursor` is null after the last one."""

    requests: list[SourceRequestOut]
    cursor: str | None


def source_out(view: SourceView, url: str = "", token: str = "") -> SourceOut:
    source, notes = view.source, view.notes
    settings = source_settings.stored(source.settings)
    former = source.tokens[1].until_ms if len(source.tokens) > 1 else 0
    return SourceOut(
        id=source.id,
        kind=source.kind,
        name=source.name,
        settings=source_settings.shown(settings),
        proven=source_settings.is_proven(settings),
        counts=dict(sorted(notes.counts.items())),
        last_request_at=iso_or_none(notes.seen_ms),
        last_message_at=iso_or_none(notes.message_ms),
        requests=len(notes.kept),
        remembers=view.remembers,
        former_token_until=iso_or_none(former),
        version=source.version,
        created_at=iso(source.created_ms),
        url=url or UNSET,
        token=token or UNSET,
    )


def request_out(view: RequestView) -> SourceRequestOut:
    kept = view.request
    return SourceRequestOut(
        number=view.number,
        at=iso(kept.at_ms),
        method=kept.method,
        tail=kept.tail,
        status=kept.status,
        headers=dict(kept.headers),
        body=view.body.decode("utf-8", "replace"),
        size=kept.size,
        outcomes=kept.outcomes,
        faults=[FaultOut(each.code, each.path, each.detail) for each in kept.faults],
    )
