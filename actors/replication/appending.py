"""What an owner's Store has written goes into the log before it is committed."""

import asyncio

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import position_of
from hookbundle.actors.replication.messages import Host
from hookbundle.engine.errors import Fenced, LogDamaged, in_words
from hookbundle.engine.replication.entries import Kind, in_order, pack_rows
from hookbundle.storage.database.replication.erasures import erases
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected


class Appending:
    """`using` is held by those who use the owner's log."""

    def __init__(self, follower: Follower, host: Host, using: asyncio.Lock) -> None:
        self._follower = follower
        self._host = host
        self._using = using

    def agree(self, rows: Collected) -> Position:
        """In the Store's thread. Raises: Fenced."""
        ordered = in_order(rows)
        return self._host.wait(self._append(pack_rows(ordered), erases=erases(ordered)))

    async def _append(self, body: bytes, *, erases: bool) -> Position:
        own = self._follower.log
        async with self._using:
            at_ms = own.life.now_ms()
            try:
                await own.append(Kind.GROUP, body)
            except LogDamaged as exc:
                raise Fenced(in_words(exc)) from exc
            if erases:
                own.chain.note_erasure(at_ms)
            return position_of(own.generation, own.chain)
