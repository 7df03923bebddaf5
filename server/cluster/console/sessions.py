"""Who is signed in, at all nodes alike: a record for each session on the log servers, in memory.

A record has digests and times, nothing that a page showed. Each page asks for it, so that who
signs out anywhere is signed out everywhere at once; and for the token, so that one that was
revoked ends its sessions. If the records are lost, everybody is signed out, and nothing worse.

A session stands in one of the places that its owner (a workspace, or an operator's token) has; one
more takes the place of the one seen longest ago, and of nobody else. So the name of a session is

    owner.place.secret

What a node keeps beside it (notices for the next page, how many pages are live) is its own.
"""

import asyncio
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec

from hookbundle.engine.clock import Clock
from hookbundle.server.cluster.watching import looking
from hookbundle.server.console.sessions import (
    IDLE_MS_MAX,
    LIFE_MS_MAX,
    NAME_BYTES,
    SESSIONS_MAX,
    SESSIONS_OF_A_TOKEN_MAX,
    Session,
    SignedIn,
)
from hookbundle.server.http.authentication import Caller, is_token
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import digest_of

SEEN_EVERY_MS = 5 * 60_000  # so often it is recorded that a session was seen
LOOK_S = 1.0  # whether the session of an open stream is still good
OWNER_BYTES = 8
NAME = re.compile(r"([0-9a-f]{16})\.([0-9]{1,2})\.[0-9A-Za-z_-]{20,64}")


class SessionRecords(Protocol):
    """By places; a record is gone after LIFE_MS_MAX. Raises: HookbundleError if nobody answers."""

    async def get(self, place: str) -> bytes | None: ...

    async def put(self, place: str, record: bytes) -> None: ...

    async def renew(self, place: str, before: bytes, record: bytes) -> None:
        """The record takes the place of `before`, if that is there still."""

    async def delete(self, place: str) -> None: ...


class Record(msgspec.Struct, frozen=True, array_like=True):
    """`name`, `token`: digests. Times are of the wall clock."""

    name: bytes
    token: bytes
    caller: str
    workspace_id: str
    began_ms: int
    seen_ms: int


TokenOf = Callable[[bytes, str | None], Awaitable[Token | None]]


class ClusterSessions(SignedIn):
    """`token_of`: the good token with the digest, of this workspace, or for all if that is empty;
    None: wherever it is. Raises: HookbundleError if nobody can say."""

    def __init__(self, records: SessionRecords, token_of: TokenOf, clock: Clock) -> None:
        self._records = records
        self._token_of = token_of
        self._clock = clock
        self._here: OrderedDict[bytes, tuple[str, Session]] = OrderedDict()

    async def sign_in(self, token: str) -> str | None:
        """Raises: HookbundleError."""
        if not is_token(token):
            return None
        digest = digest_of(token)
        found = await self._token_of(digest, None)
        if found is None or found.scope != "admin":
            return None
        owner = found.workspace_id.encode() or digest
        place = await self._place(digest_of(owner.hex())[:OWNER_BYTES].hex())
        name, now_ms = f"{place}.{secrets.token_urlsafe(NAME_BYTES)}", self._clock.now_ms()
        caller = f"{found.id} in the console"
        record = Record(digest_of(name), digest, caller, found.workspace_id, now_ms, now_ms)
        await self._records.put(place, msgspec.msgpack.encode(record))
        return name

    async def session(self, name: str) -> Session | None:
        """Raises: HookbundleError."""
        found = await self._good(name)
        if found is None:
            self._forget(name)
            return None
        record, written = found
        now_ms, key = self._clock.now_ms(), record.name
        if now_ms - record.seen_ms > SEEN_EVERY_MS:
            seen = msgspec.structs.replace(record, seen_ms=now_ms)
            # Who has signed out since it was read stays signed out.
            await self._records.renew(_place_of(name), written, msgspec.msgpack.encode(seen))
        if key not in self._here:
            self._here[key] = name, _session(name, record)
        self._here.move_to_end(key)
        if len(self._here) > SESSIONS_MAX:
            self._here.popitem(last=False)
        return self._here[key][1]

    async def sign_out(self, name: str) -> None:
        """Raises: HookbundleError; then the session may still be there."""
        if await self._record(name) is not None:
            await self._records.delete(_place_of(name))
        self._forget(name)

    def is_good(self, session: Session) -> bool:
        return not session.ended

    @asynccontextmanager
    async def watched(self, session: Session) -> AsyncIterator[None]:
        name = next((name for name, each in self._here.values() if each is session), "")

        async def look() -> None:
            session.ended = session.ended or await self._good(name) is None

        async with looking(look, LOOK_S, "session of a live page"):
            yield

    # ---- records

    async def _record(self, name: str) -> tuple[Record, bytes] | None:
        """The record, and how it is written."""
        place = _place_of(name)
        written = await self._records.get(place) if place else None
        if written is None:
            return None
        try:
            record = msgspec.msgpack.decode(written, type=Record)
        except msgspec.DecodeError:
            return None
        is_its = hmac.compare_digest(record.name, digest_of(name))
        return (record, written) if is_its else None

    async def _good(self, name: str) -> tuple[Record, bytes] | None:
        found, now_ms = await self._record(name), self._clock.now_ms()
        if found is None:
            return None
        record, _ = found
        if now_ms - record.began_ms > LIFE_MS_MAX or now_ms - record.seen_ms > IDLE_MS_MAX:
            return None
        token = await self._token_of(record.token, record.workspace_id)
        is_same = token is not None and token.workspace_id == record.workspace_id
        return found if is_same else None

    async def _place(self, owner: str) -> str:
        """A free place of the owner, or else that of the session seen longest ago."""
        places = [f"{owner}.{number}" for number in range(SESSIONS_OF_A_TOKEN_MAX)]
        held = await asyncio.gather(*map(self._records.get, places))
        return min(zip(map(_seen_ms, held), places, strict=True))[1]

    def _forget(self, name: str) -> None:
        """A stream that still holds the session sees that it has ended."""
        _, session = self._here.pop(digest_of(name), ("", None))
        if session is not None:
            session.ended = True


def _session(name: str, record: Record) -> Session:
    """As this node keeps it. What its forms bring back is the same at all nodes."""
    caller = Caller(record.caller, "admin", record.workspace_id)
    form = digest_of(f"form of {name}").hex()
    return Session(caller, record.token, form, record.began_ms, record.seen_ms)


def _place_of(name: str) -> str:
    """Empty for what is no name: it comes from anybody."""
    found = NAME.fullmatch(name)
    return f"{found[1]}.{found[2]}" if found else ""


def _seen_ms(record: bytes | None) -> int:
    try:
        return 0 if record is None else msgspec.msgpack.decode(record, type=Record).seen_ms
    except msgspec.DecodeError:
        return 0
