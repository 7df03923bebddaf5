"""The tokens of callers, as a node knows them: by its own partitions, by its copies, by asking.

A token of one workspace is in its partition, one for all in partition 0. What an owner revokes is
known to it at once; a copy that follows knows it when it has the rows, and nothing is remembered of
it. What no copy here knows is asked of the owner, before the request is looked at: see
callers/unknown_tokens.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

import msgspec
from aiohttp import web

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotOwner
from hookbundle.engine.replication.assignment import partition_of
from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.partitions.placing import OF_ALL
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import Token
from hookbundle.storage.reads.lookup import Reads

PATH = "/cluster/tokens/{digest}"
PLACES_MAX = 4_096
NOWHERE: ContextVar[bytes] = ContextVar("digest of what is no token, for one request", default=b"")
AT_ONCE = 8  # questions for tokens that may be in any partition, all who sign in together


class Copies(Protocol):
    def followed(self, partition: int) -> Environment | None:
        """The copy that this node follows with; None if it has none, or owns the partition."""


class NodeTokens:
    """`find` as of one database. Belongs to the loop."""

    def __init__(self, partitions: int, owned: Mapping[int, Owned], copies: Copies) -> None:
        self._partitions = partitions
        self._owned = owned
        self._copies = copies
        self._places: dict[bytes, int] = {}
        self._asked: dict[bytes, list[Token]] = {}

    def find(self, digest: bytes) -> Token | None:
        asked = self._asked.get(digest)
        if not asked:
            return None if NOWHERE.get() == digest else self.known(digest)
        owned = self._owned.get(self.partition_of(asked[0]))
        return asked[0] if owned is None else owned.tokens.find(digest)

    def known(self, digest: bytes) -> Token | None:
        """The token, if a partition or a copy of this node has it."""
        return self.remembered(digest) or self.found_in(digest, range(self._partitions))

    def remembered(self, digest: bytes) -> Token | None:
        """The token, if it is where it was found the last time."""
        place = self._places.get(digest)
        if place is None:
            return None
        if (token := self._in(place, digest)) is None:
            del self._places[digest]
        return token

    def found_in(self, digest: bytes, places: Iterable[int]) -> Token | None:
        """The token, if this node has it in one of the partitions; each is a look."""
        for partition in places:
            if (token := self._in(partition, digest)) is not None:
                if len(self._places) >= PLACES_MAX:
                    self._places.clear()
                self._places[digest] = partition
                return token
        return None

    def _in(self, partition: int, digest: bytes) -> Token | None:
        owned = self._owned.get(partition)
        if owned is not None:
            return owned.tokens.find(digest)
        copy = self._copies.followed(partition)
        return None if copy is None else Reads(copy).token(digest)

    @contextmanager
    def having(self, digest: bytes, token: Token) -> Iterator[None]:
        """What was said of a token is true for one request, or until it has `ended`."""
        asked = self._asked.setdefault(digest, [])
        asked.append(token)
        try:
            yield
        finally:
            asked.remove(token)
            if not asked and self._asked.get(digest) is asked:
                del self._asked[digest]

    @contextmanager
    def nowhere(self, digest: bytes) -> Iterator[None]:
        """It was looked for, for one request, and is not looked for again."""
        before = NOWHERE.set(digest)
        try:
            yield
        finally:
            NOWHERE.reset(before)

    def ended(self, digest: bytes) -> None:
        """Its owner knows of no such token: it is good for no request under way either."""
        self._asked.pop(digest, None)

    def used(self, digest: bytes, token: Token) -> None:
        """It is noted by the partition that has it, if this node owns that."""
        owned = self._owned.get(self.partition_of(token))
        if owned is not None:
            owned.token_uses.note(digest, token)

    def partition_of(self, token: Token) -> int:
        return of_token(token.workspace_id, self._partitions)


def of_token(workspace_id: str, partitions: int) -> int:
    return partition_of(workspace_id, partitions) if workspace_id else OF_ALL


def finding(
    tokens: NodeTokens, check: TokenCheck, ask: Ask, partitions: int
) -> Callable[[bytes, str | None], Awaitable[Token | None]]:
    """Finds the good token with a digest, of one workspace, or for all if that is empty; None:
    wherever it is. Raises: NotOwner; AnswerLost."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def found(digest: bytes, workspace_id: str | None) -> Token | None:
        token = tokens.known(digest)
        if token is not None:
            return check.good(digest)
        places = range(partitions) if workspace_id is None else [of_token(workspace_id, partitions)]

        async def one(place: int) -> Token | None:
            async with turn:
                return await asked_for(ask, place, digest)

        found = await asyncio.gather(*map(one, places))
        token = next((each for each in found if each is not None), None)
        return None if token is None or check.is_expired(token) else token

    return found


async def asked_for(ask: Ask, place: int, digest: bytes) -> Token | None:
    """None if there is none. Raises: NotOwner; AnswerLost."""
    answered = await ask(place, Asked("GET", PATH.format(digest=digest.hex()), ()))
    if answered.status == 404:
        return None
    if answered.status != 200:  # its owner can't say: a good token is not refused for that
        raise NotOwner.of(Code.NO_OWNER, partition=place)
    return msgspec.msgpack.decode(answered.body, type=Token)


async def answer(owned: Owned, request: web.Request) -> web.Response:
    """`GET /cluster/tokens/{digest}`, of another node."""
    try:
        digest = bytes.fromhex(request.match_info["digest"])
    except ValueError:
        return web.Response(status=404)
    token = owned.tokens.find(digest)
    if token is None:
        return web.Response(status=404)
    owned.token_uses.note(digest, token)
    return web.Response(body=msgspec.msgpack.encode(token))
