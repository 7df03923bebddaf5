"""One moment of a copy, looked through: its check, and digests that those of other copies equal.

Copies are compared as of one place in their log. They need not wait for each other there: each
takes the moment that it has, and the rows of the groups between that and the place are put over it
while it is read. So nothing is held up, and a copy that is behind is compared like all others.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYetError
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import lmdb

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.data_file import tree
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.maintenance.check_damage import findings_of, one_moment
from hookbundle.storage.maintenance.check_names import KINDS

FINDINGS_MAX = 100
DIGEST_BYTES = 16
LOOK_S = 0.02  # for what is wanted of a moment that is held


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """`records`: how many, at the place. `digests`: of all records of each kind; empty if a page
    can't be read. `findings`: the first of them."""

    records: int
    digests: dict[str, str]
    findings: tuple[Finding, ...]


def look_through(
    env: Environment,
    began: Callable[[Position], None],
    missing: "Future[Collected]",
    tick: Callable[[], None],
) -> LookedThrough:
    """In a thread of its own. `began` is told at which position the moment is; `missing` are the
    rows from there to the place. `tick` is called for each record and page, and while `missing` is
    waited for; it may raise to end the work.

    Raises: StorageError; what `tick` and `missing` raise.
    """
    with one_moment(env) as (txn, head):
        at = position.read(txn)
        if at is None:
            raise CorruptRecord("the database has no position in a log")
        began(at)
        over = _waited_for(missing, tick)
        data = env.path / DATA
        if damages := tree.damages(data, tick, head):
            found = findings_of(data, damages, head, tick, tick)
            return LookedThrough(0, {}, tuple(islice(found, FINDINGS_MAX)))
        records, digests = _digests(txn, over, tick)
        # Rows of a later schema are bytes here: they can be compared, and not be checked.
        found = check(txn, tick) if SCHEMA_OLDEST <= env.identity.schema <= SCHEMA else iter(())
        return LookedThrough(records, digests, tuple(islice(found, FINDINGS_MAX)))


def _waited_for(missing: "Future[Collected]", tick: Callable[[], None]) -> Collected:
    while True:
        try:
            return missing.result(LOOK_S)
        except NotYetError:
            tick()


def _digests(
    txn: lmdb.Transaction, over: Collected, tick: Callable[[], None]
) -> tuple[int, dict[str, str]]:
    records, digests = 0, dict[bytes, blake2b]()
    digest, letter = blake2b(digest_size=DIGEST_BYTES), b""
    for key, value in _with(rows.rows(txn, b""), over):
        tick()
        if key == keyspace.POSITION:
            continue
        if key[:1] != letter:
            digest, letter = blake2b(digest_size=DIGEST_BYTES), key[:1]
            digests[letter] = digest
        digest.update(b"%d %d " % (len(key), len(value)) + key + value)
        records += 1
    return records, {_kind(letter): each.hexdigest() for letter, each in digests.items()}


def _with(stored: Iterator[tuple[bytes, bytes]], over: Collected) -> Iterator[tuple[bytes, bytes]]:
    """What is stored, with the rows put over it, in the order of keys."""
    put = iter(sorted(over.items()))
    new = next(put, None)
    for key, value in stored:
        while new is not None and new[0] < key:
            yield from _there(new)
            new = next(put, None)
        if new is not None and new[0] == key:
            yield from _there(new)
            new = next(put, None)
        else:
            yield key, value
    while new is not None:
        yield from _there(new)
        new = next(put, None)


def _there(row: tuple[bytes, bytes | None]) -> Iterator[tuple[bytes, bytes]]:
    if row[1] is not None:
        yield row[0], row[1]


def _kind(letter: bytes) -> str:
    return KINDS.get(letter, f"kind {letter.hex()}")
