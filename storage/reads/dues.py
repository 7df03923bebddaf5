"""Reads of the due index, kind by kind. Each method is one short read transaction.

`take` shares what is due among the workspaces that have rows in the index. It walks
through it in laps, from the earliest row to the latest that is due. In one lap each of them gives
its *part* at most, and the rest of its rows is passed over: a hundred thousand of one of them hide
nothing of another. A walk looks at a bounded number of rows, and the next one goes on from there.
What a walk did not fill is filled with the earliest rows, whosever they are.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

import lmdb

from hookbundle.storage.database import key_fields, keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DUE_OWNER, Due, DueKind

NONE: Mapping[DueKind, Container[bytes]] = {}
NOBODYS: Mapping[bytes, bytes] = {}
FIRST_OF = {kind: keyspace.due_of(kind) for kind in DueKind}
AFTER_ALL = b"\xff"

WALKED_AT_ONCE = 8_192  # rows looked at in one walk, of 0.3 microseconds each
JUMP_AFTER = 16  # rows of one owner and time; a jump costs about as much as looking at so many


@dataclass(slots=True)
class Lap:
    """A walk through what is due. `at`: where it goes on; empty at the start.

    `given`: how many rows each owner has given in this lap, by its number as it is in the keys.
    """

    at: bytes = b""
    given: dict[bytes, int] = field(default_factory=dict)


class DueReads:
    """The due index of one environment, read from any thread.

    `owners`: the workspaces of webhooks, both as they stand in keys; others own their rows.
    """

    def __init__(self, env: Environment, owners: Mapping[bytes, bytes] = NOBODYS) -> None:
        self._env = env
        self._owners = owners

    def due(
        self,
        kind: DueKind,
        at_ms: int,
        limit: int,
        but: Container[bytes] = (),
        after: bytes = b"",
    ) -> list[Due]:
        """Rows of the kind due at `at_ms` or earlier, earliest first, without the keys in `but`.

        With `after` only those that follow this key.
        """
        with self._env.read() as txn:
            found: list[Due] = []
            end = keyspace.due_before(kind, at_ms)
            for key, _ in rows.rows(txn, keyspace.due_of(kind), after):
                if key >= end or len(found) == limit:
                    break
                if key not in but:
                    found.append(key_fields.due(key))
            return found

    def take(
        self, kind: DueKind, at_ms: int, limit: int, part: int, but: Container[bytes], lap: Lap
    ) -> list[Due]:
        """Up to `limit` rows of the kind due at `at_ms` or earlier, without the keys in `but`.

        `lap` goes on by one walk. `part`: the most of one owner in a lap.
        """
        with self._env.read() as txn:
            end = keyspace.due_before(kind, at_ms)
            start, owners = keyspace.due_of(kind), self._owners
            found, is_all = _walk(txn, start, end, limit, part, but, lap, owners)
            if len(found) < limit and not is_all:
                _fill(txn, keyspace.due_of(kind), end, limit, but, found)
            return list(map(key_fields.due, found))

    def heads(
        self, kinds: Iterable[DueKind] = DueKind, but: Mapping[DueKind, Container[bytes]] = NONE
    ) -> dict[DueKind, int]:
        """When the earliest row of each kind is due, without the keys in `but` of that kind.

        A kind without such a row is left out.
        """
        found: dict[DueKind, int] = {}
        key = b""  # where the cursor is: at a later kind's row, others before it have none
        with self._env.read() as txn, txn.cursor() as cursor:
            for kind in sorted(kinds):
                of_kind, left_out = FIRST_OF[kind], but.get(kind, ())
                if key < of_kind:
                    key = cast("bytes", cursor.key()) if cursor.set_range(of_kind) else AFTER_ALL
                while key.startswith(of_kind):
                    if key not in left_out:
                        found[kind] = key_fields.due(key).at_ms
                        break
                    key = cast("bytes", cursor.key()) if cursor.next() else AFTER_ALL
        return found

    def version(self) -> int:
        """Of all that is stored: after each commit it is another one."""
        with self._env.read() as txn:
            return int(txn.id())

    def next_ms(self, kind: DueKind, but: Container[bytes] = ()) -> int | None:
        """When the kind's earliest row is due whose key is not in `but`; None without one."""
        return self.heads((kind,), {kind: but}).get(kind)

    def gone(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of the keys that are no longer in the index."""
        with self._env.read() as txn:
            return [key for key in keys if rows.get_raw(txn, key) is None]


def _walk(
    txn: lmdb.Transaction,
    start: bytes,
    end: bytes,
    limit: int,
    part: int,
    but: Container[bytes],
    lap: Lap,
    owners: Mapping[bytes, bytes],
) -> tuple[dict[bytes, None], bool]:
    """The keys that the next walk of the lap finds, in order, and whether they are all."""
    found: dict[bytes, None] = {}
    given, walked, stretch, passed, is_all = lap.given, 0, b"", 0, not lap.at
    with txn.cursor() as cursor:
        more = cursor.set_range(max(start, lap.at))
        while more and (key := cast("bytes", cursor.key())) < end:
            if len(found) == limit or walked >= WALKED_AT_ONCE:
                lap.at = key
                return found, False
            walked += 1
            owner = owners.get(key[DUE_OWNER], key[DUE_OWNER])
            if key in but:
                more = cursor.next()
            elif (before := given.get(owner, 0)) < part:
                given[owner] = before + 1
                found[key] = None
                more = cursor.next()
            elif (this := key[: DUE_OWNER.stop]) != stretch:
                stretch, passed, is_all = this, 1, False
                more = cursor.next()
            elif (passed := passed + 1) < JUMP_AFTER:
                more = cursor.next()
            else:
                walked += JUMP_AFTER
                # No subject begins with nine bytes ff: it is UTF-8, a digest, or a key.
                more = cursor.set_range(this + b"\xff" * 9)
    lap.at = b""
    given.clear()
    return found, is_all


def _fill(
    txn: lmdb.Transaction,
    start: bytes,
    end: bytes,
    limit: int,
    but: Container[bytes],
    found: dict[bytes, None],
) -> None:
    """Adds the earliest keys that are not there yet, up to `limit`."""
    for key in rows.keys(txn, start):
        if key >= end or len(found) == limit:
            return
        if key not in but:
            found[key] = None
