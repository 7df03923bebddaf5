"""Reads of the due index, kind by kind. Each method is one short read transaction."""

from collections.abc import Container, Iterable, Mapping

from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import Due, DueKind

NONE: Mapping[DueKind, Container[bytes]] = {}


class DueReads:
    """The due index of one environment, read from any thread."""

    def __init__(self, env: Environment) -> None:
        self._env = env

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
                    found.append(keyspace.parse_due(key))
            return found

    def heads(
        self, kinds: Iterable[DueKind] = DueKind, but: Mapping[DueKind, Container[bytes]] = NONE
    ) -> dict[DueKind, int]:
        """When the earliest row of each kind is due, without the keys in `but` of that kind.

        A kind without such a row is left out.
        """
        with self._env.read() as txn:
            found: dict[DueKind, int] = {}
            for kind in kinds:
                left_out = but.get(kind, ())
                for key, _ in rows.rows(txn, keyspace.due_of(kind)):
                    if key not in left_out:
                        found[kind] = keyspace.parse_due(key).at_ms
                        break
            return found

    def next_ms(self, kind: DueKind, but: Container[bytes] = ()) -> int | None:
        """When the kind's earliest row is due whose key is not in `but`; None without one."""
        return self.heads((kind,), {kind: but}).get(kind)

    def gone(self, keys: Iterable[bytes]) -> list[bytes]:
        """Those of the keys that are no longer in the index."""
        with self._env.read() as txn:
            return [key for key in keys if rows.get_raw(txn, key) is None]
