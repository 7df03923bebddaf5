"""Everything that may be wrong with a database, found by reading all of it once.

`check` walks every key in order. Each record must be whole (version, checksum, shape) and true:
what is said twice must agree (a counter and what it counts, a window and its parts, a record and
its row of the due index, a flag and the state it mirrors), and nothing may stand there that no
other record accounts for. It writes nothing, keeps no more in memory than a few numbers for each
workspace, and sees one moment of a database that is in use.

What must be true of which record is in checking_rules.py.
"""

import struct
from collections.abc import Callable, Iterator

import lmdb

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, rows
from hookbundle.storage.maintenance.check_ledger import Finding, Ledger, name_of
from hookbundle.storage.maintenance.check_rules import RULES, Rule, check_counters

__all__ = ["Finding", "check"]

PREFIXES = tuple(bytes([number]) for number in range(256))


def check(txn: lmdb.Transaction, tick: Callable[[], None] = lambda: None) -> Iterator[Finding]:
    """What is wrong. `tick` is called for each record, and may raise to end the walk."""
    ledger = Ledger(txn)
    for prefix in PREFIXES:
        try:
            for key, value in rows.rows(txn, prefix):
                tick()
                yield from _check_row(ledger, key, value)
        except lmdb.Error as exc:
            yield Finding(f"pages of records {prefix!r}", f"can't be read: {exc}")
    for what in check_counters(ledger):
        yield Finding("counters", what)


def _check_row(ledger: Ledger, key: bytes, value: bytes) -> Iterator[Finding]:
    rule = RULES.get(key[:1])
    if rule is None:
        yield Finding(f"key {key!r}", "is of no known kind")
        return
    try:
        wrong = list(_what_is_wrong(rule, ledger, key, value))
        where = name_of(key) if wrong else ""
    except (struct.error, ValueError):
        yield Finding(f"key {key!r}", "is no key of its kind")
        return
    yield from (Finding(where, what) for what in wrong)


def _what_is_wrong(rule: Rule, ledger: Ledger, key: bytes, value: bytes) -> Iterator[str]:
    """Raises: struct.error or ValueError if the key can't be taken apart."""
    if rule.kind is None:
        if value:
            yield f"has a value of {len(value)} bytes, want none"
        yield from rule.check_flag(ledger, key)
        return
    try:
        record = codec.unpack(key, value, rule.kind)
    except CorruptRecord as exc:
        yield str(exc)
        return
    yield from rule.check(ledger, key, record)
