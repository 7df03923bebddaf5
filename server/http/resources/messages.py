"""Intake: one request is validated whole, handed to its chats, and answered when durable.

    body → events → by chat → one Collect for each chat → (commit) → one answer

Nothing is stored of a request with a fault in it. A request is answered when the Store has
committed the part of each of its chats. If one of them is refused (quota, disk), the request is
answered with that error; the parts already stored are duplicates when it is sent again.

A long part is cut, so that no transition is long. The parts of a large request are submitted in
portions, each when the one before is stored: so a request holds a bounded number of places in the
Store's queue, and it has them all, or is refused, before anything of it is stored.
"""

import asyncio
from collections.abc import Callable, Generator, Sequence
from typing import Literal

import msgspec
from aiohttp import web

from hookbundle.actors.chat import Alter, ChatKey, Collect, Flush
from hookbundle.actors.portions import Part, Portion, cut, portions_of
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import limits
from hookbundle.engine.errors import InvalidInput, NotFound
from hookbundle.engine.fairness.loop_share import (
    CHATS_AT_ONCE,
    READ_AT_ONCE_BYTES,
    LoopShare,
    with_rests,
)
from hookbundle.engine.faults import not_one_of
from hookbundle.engine.messages import changes, message, parsing, slices
from hookbundle.engine.messages.changes import Change, Close
from hookbundle.engine.messages.known.details import KnownDetails
from hookbundle.engine.messages.spelling import UnknownFields
from hookbundle.server.http import idempotency
from hookbundle.server.http.idempotency import Repeats
from hookbundle.server.http.lists import LOOP_SHARE
from hookbundle.server.http.replies.join import Join
from hookbundle.server.http.requests import media_of, read_body
from hookbundle.server.http.routes import Query, Route
from hookbundle.server.http.schemas.messages import EXAMPLE, AcceptedOut, IntakeIn, SkippedOut
from hookbundle.storage.reads.lookup import Reads

NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl")
NUMBERS_REMEMBERED_MAX = 100_000
STRICT = Query(
    name="strict",
    meaning="1: a field that is not known is refused with 422, not only named in the answer",
    kind=Literal["0", "1"],
)

TellChat = Callable[[ChatKey, Collect | Alter | Flush], None]


class Intake:
    """`tell_chat`, `store`, `known`: for who takes messages in by another way too."""

    def __init__(
        self, reads: Reads, store: StoreQueue, tell_chat: TellChat, repeats: Repeats
    ) -> None:
        self._reads = reads
        self.store = store
        self.tell_chat = tell_chat
        self._repeats = repeats
        self._numbers: dict[str, int] = {}
        self.known = KnownDetails()

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/v1/workspaces/{ws}/messages",
                handler=self.post_messages,
                name="send_messages",
                summary="Take messages: one, an array, or NDJSON; answered when they are on disk",
                body=IntakeIn | list[IntakeIn],
                answer=AcceptedOut,
                status=202,
                also_body_media=NDJSON[:1],
                query=(STRICT,),
                headers=(idempotency.PARAMETER,),
                example=EXAMPLE,
                refusals=(404, 413, 422, 429, 503, 507),
            )
        ]

    async def post_messages(self, request: web.Request) -> web.Response:
        """`POST /v1/workspaces/{ws}/messages`"""
        workspace_id = request.match_info["ws"]
        number = self.number_of(workspace_id)
        key, strict = idempotency.key_of(request), strict_of(request)
        body = await read_body(request)
        ndjson, size = media_of(request) in NDJSON, len(body)
        share = request.app[LOOP_SHARE]
        if size <= READ_AT_ONCE_BYTES:
            portions, unknown = self._read(number, body, ndjson=ndjson, strict=strict)
            digest = b"" if key is None else _digest_of(body, ndjson)
        else:
            async with share.large(number):
                portions, unknown, digest = await asyncio.to_thread(
                    _read_large, body, ndjson, strict, key is not None, self._webhooks_of(number)
                )
            del body  # the messages are large enough
        try:
            answer = await self._answer(share, number, portions, unknown, key, digest)
        except NotFound:
            # Deleted since its number was looked up. There may be a new one of that name by now.
            self._numbers.pop(workspace_id, None)
            number = self.number_of(workspace_id)
            answer = await self._answer(share, number, portions, unknown, key, digest)
        return web.Response(status=202, body=answer, content_type="application/json")

    def number_of(self, workspace_id: str) -> int:
        """The number by which the Store knows the workspace; a number never stands for another.

        Raises: NotFound.
        """
        number = self._numbers.get(workspace_id)
        if number is None:
            if len(self._numbers) >= NUMBERS_REMEMBERED_MAX:
                self._numbers.clear()
            number = self._numbers[workspace_id] = self._reads.workspace_number(workspace_id)
        return number

    def _read(
        self, number: int, body: bytes, *, ndjson: bool, strict: bool
    ) -> tuple[Sequence[Portion], UnknownFields]:
        """The portions of a request, and its unknown fields. Raises: InvalidInput."""
        webhooks = self._webhooks_of(number)
        chats = self.known.by_chat(number, body, ndjson=ndjson)
        if chats is not None:  # as of nearly all
            return portions_of(chats, len(body), webhooks), parsing.NONE_UNKNOWN
        parse = parsing.parse_ndjson if ndjson else parsing.parse_json
        parsed = parse(body, strict=strict)
        if parsed.mixed:
            mixed = changes.by_chat(parsed.mixed, parsed.place)
            return list(cut(mixed[0], webhooks, mixed[1])), parsed.unknown
        chats = message.by_chat(parsed.events, parsed.place)
        return portions_of(chats, len(body), webhooks), parsed.unknown

    def _webhooks_of(self, number: int) -> int:
        return self.store.owners.webhooks.get(number, 1)

    async def _answer(
        self,
        share: LoopShare,
        workspace_number: int,
        portions: Sequence[Portion],
        unknown: UnknownFields,
        key: bytes | None,
        digest: bytes,
    ) -> bytes:
        """Raises: TooManyRequests and Overloaded if there is no place for it; as `_take`, as
        `Repeats`; NotFound if there is no such workspace any more."""

        async def take() -> bytes:
            taken = await self._take(share, workspace_number, portions)
            if unknown.fields:
                named = {"unknown": unknown.fields, "did_you_mean": unknown.near}
                taken = msgspec.structs.replace(taken, **named)
            return msgspec.json.encode(taken)

        places = portions[0].places if portions else 1
        if len(portions) > 1:
            places = max(portion.places for portion in portions)
        self.store.places.take(workspace_number, places)
        try:
            if key is None:
                return await take()
            return await self._repeats.once(workspace_number, key, digest, take)
        finally:
            self.store.places.give_back(workspace_number, places)

    async def take(
        self, share: LoopShare, workspace_number: int, portions: Sequence[Portion]
    ) -> AcceptedOut:
        """What came in by another way, and was checked there, is durable.

        Raises: TooManyRequests and Overloaded if there is no place for it; as `_take`.
        """
        places = max(portion.places for portion in portions)
        with self.store.places.holding(workspace_number, places):
            return await self._take(share, workspace_number, portions)

    async def _take(
        self, share: LoopShare, workspace_number: int, portions: Sequence[Portion]
    ) -> AcceptedOut:
        """The messages are durable.

        Raises: NotFound if the workspace was deleted; Refused and StorageError as the parts say.
        """
        if not portions:  # then the Store isn't asked, which would know whether it was deleted
            self._reads.workspace_numbered(workspace_number)
        accepted = duplicate = overflowed = unrouted = 0
        skipped: list[SkippedOut] = []
        differs: list[str] = []
        altered: dict[str, int] = {}
        for portion in portions:
            join = Join(len(portion.parts), altered)
            if len(portion.parts) <= CHATS_AT_ONCE:
                self._tell(workspace_number, portion.parts, join, skipped)
            else:
                async with share.one_of(workspace_number):
                    for first in range(0, len(portion.parts), CHATS_AT_ONCE):
                        some = portion.parts[first : first + CHATS_AT_ONCE]
                        async with share.slice():
                            self._tell(workspace_number, some, join, skipped)
            more_accepted, more_duplicate, more_differs = await join.wait()
            accepted, duplicate = accepted + more_accepted, duplicate + more_duplicate
            overflowed, unrouted = overflowed + join.overflowed, unrouted + join.unrouted
            if len(differs) < limits.DIFFERS_LISTED_MAX:
                differs += more_differs
        listed = differs[: limits.DIFFERS_LISTED_MAX]
        taken = AcceptedOut(
            accepted, duplicate, skipped, listed, overflowed=overflowed, unrouted=unrouted
        )
        return msgspec.structs.replace(taken, **altered) if altered else taken

    def _tell(
        self,
        workspace_number: int,
        parts: Sequence[Part],
        join: Join,
        skipped: list[SkippedOut],
    ) -> None:
        """The chats have their parts; what is skipped of them is added to `skipped`."""
        for part in parts:
            if part.changes:
                self.tell_chat(ChatKey(workspace_number, part.chat_id), _asked(part, join))
                continue
            collect = Collect(tuple(part.messages), tuple(part.skipped), join)
            self.tell_chat(ChatKey(workspace_number, part.chat_id), collect)
            if part.skipped:
                skipped += [SkippedOut(one.message_id, one.reason) for one in part.skipped]


def _asked(part: Part, join: Join) -> Alter | Flush:
    """What the chat is asked for: changes, or to close."""
    first = part.changes[0]
    if isinstance(first, Close):
        return Flush(join, reason="close", note=first.reason)
    return Alter(tuple(each for each in part.changes if isinstance(each, Change)), join)


def strict_of(request: web.Request) -> bool:
    """Whether `?strict=1` wants unknown fields refused. Raises: InvalidInput."""
    wanted = request.query.get("strict")
    if wanted not in (None, "0", "1"):
        raise InvalidInput((not_one_of("strict", ("0", "1"), wanted),))
    return wanted == "1"


def _read_large(
    body: bytes, ndjson: bool, strict: bool, is_remembered: bool, webhooks: int
) -> tuple[list[Portion], UnknownFields, bytes]:
    """The request's portions, its unknown fields, and the body's digest if it `is_remembered`.

    In a thread of its own. Raises: InvalidInput.
    """
    portions, unknown = with_rests(_portions(body, ndjson, strict, webhooks))
    return portions, unknown, _digest_of(body, ndjson) if is_remembered else b""


def _portions(
    body: bytes, ndjson: bool, strict: bool, webhooks: int
) -> Generator[None, None, tuple[list[Portion], UnknownFields]]:
    """Yields after each piece of work. Raises: InvalidInput."""
    read = yield from slices.read(body, ndjson=ndjson, strict=strict)
    portions = []
    for portion in cut(read.chats, webhooks, read.changes):
        portions.append(portion)
        yield
    return portions, read.unknown


def _digest_of(body: bytes, ndjson: bool) -> bytes:
    return idempotency.digest_of(body, "ndjson" if ndjson else "json")
