"""A request of a source on its way: what was asked, and what is kept of it."""

from collections.abc import Mapping
from functools import partial
from itertools import chain

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault
from hookbundle.engine.sources.handshakes import HandshakeAnswer
from hookbundle.engine.sources.intake import hiding
from hookbundle.engine.sources.intake.sorting import INVALID, Sorted
from hookbundle.engine.sources.kinds import Handshake
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.server.http.requests import all_headers_of, origin_of
from hookbundle.server.http.resources.sources.observing import Held, SourceKey
from hookbundle.server.http.resources.sources.taking import kind_of, settings_of
from hookbundle.server.http.schemas.messages import AcceptedOut
from hookbundle.server.http.schemas.sources.answers import SourceAnswer
from hookbundle.storage.database.sources.records import KeptFault, KeptRequest, Source
from hookbundle.storage.tables.sources.requests import Seen

KEPT_BYTES = limits.SOURCE_REQUEST_BYTES_MAX
OTHER_BYTES = 1_024  # what a request holds beside its texts
IGNORED = "ignored."
OF_INTAKE = ("accepted", "duplicate", "edited", "deleted", "late", "waiting")


class Entered(msgspec.Struct):
    """`asked`: without its body until that has come. `faults`, `chats`: of what it yielded."""

    source: Source
    token: str
    asked: SourceRequest
    faults: list[Fault] = []
    chats: tuple[str, ...] = ()

    @property
    def key(self) -> SourceKey:
        return self.source.workspace, self.source.number

    @property
    def size(self) -> int:
        """What the request holds until it is written: of its body the beginning, at most."""
        texts = (self.asked.tail, *self.chats, *chain(*self.asked.headers.items()))
        body = min(len(self.asked.body), KEPT_BYTES)
        return body + len(self.source.settings) + sum(map(len, texts)) + OTHER_BYTES

    def held(self, status: int, counts: Mapping[str, int], *, is_quiet: bool) -> Held:
        """What may be kept of the request; it is made later, because most are not."""
        begins = self.asked.body[: KEPT_BYTES + 1]  # one more, by which a cut is seen
        of_it = KeptRequest(
            at_ms=self.asked.arrived_ms,
            method=self.asked.method,
            tail=self.asked.tail,
            status=status,
            headers=(),
            outcomes=dict(counts),
            faults=tuple(
                KeptFault(each.code, each.path, each.detail, each.values) for each in self.faults
            ),
            size=len(self.asked.body),
            chats=self.chats,
        )
        seen = Seen(request=of_it, body=begins, is_quiet=is_quiet)
        shown = partial(_shown, self.source, self.token, self.asked.headers, seen)
        return Held(shown, self.size)


def asked(request: web.Request, now_ms: int) -> SourceRequest:
    """The request as its source's kind reads it."""
    return SourceRequest(
        body=b"",
        arrived_ms=now_ms,
        method=request.method,
        headers=all_headers_of(request),
        url=f"{origin_of(request)}{request.raw_path}",
        tail=request.match_info.get("tail", ""),
    )


def handshake(answering: Handshake, entered: Entered) -> HandshakeAnswer:
    return answering(settings_of(entered.source), entered.asked)


def counts_of(taken: AcceptedOut, found: Sorted) -> dict[str, int]:
    """How many of the request's events came to what."""
    counts = dict(found.counts)
    for name in OF_INTAKE:
        if count := getattr(taken, name):
            counts[name] = count
    for reason, count in found.skipped.items():
        counts[f"skipped.{reason}"] = count
    return counts


def answer_of(taken: AcceptedOut, found: Sorted) -> SourceAnswer:
    counts = found.counts
    return SourceAnswer(
        accepted=taken.accepted,
        duplicate=taken.duplicate,
        skipped=sum(found.skipped.values()),
        edited=taken.edited,
        deleted=taken.deleted,
        late=taken.late,
        waiting=taken.waiting,
        ignored={
            name.removeprefix(IGNORED): count
            for name, count in counts.items()
            if name.startswith(IGNORED)
        },
        invalid=counts.get(INVALID, 0),
    )


def _shown(source: Source, token: str, headers: Mapping[str, str], seen: Seen) -> Seen:
    """What is kept of a request, without secrets."""
    kind, secrets = kind_of(source), hiding.secrets_in(settings_of(source), token)
    body = hiding.body(seen.body, KEPT_BYTES, kind, secrets)
    kept = msgspec.structs.replace(
        seen.request,
        headers=hiding.headers(headers),
        tail=hiding.tail(seen.request.tail, secrets),
    )
    return msgspec.structs.replace(seen, request=kept, body=body)
