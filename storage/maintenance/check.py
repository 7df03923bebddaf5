"""Checks a database for damage and contradictions by reading all of it once.

`check` reads every key in order. Each record must be intact (version, checksum, fields), and must
agree with the others: a counter with what it counts, a window with its parts, a record with its row
of the due index, a flag with the state it repeats. A record that no other record accounts for is
reported too. The check writes nothing, keeps only a few numbers for each workspace in memory, and
sees one moment of a database in use.

check_rules.py has the rules for each kind of record.
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
    """All problems. `tick` is called for each record, and may raise to stop the check."""
    ledger = Ledger(txn)
    for prefix in PREFIXES:
        try:
            # A walk for each first byte, so that one unreadable page does not hide what follows.
            for key, value in rows.rows(txn, prefix):
                tick()
                yield from _check_row(ledger, key, value)
        except lmdb.Error as exc:
            yield Finding(f"pages of records {prefix!r}", f"can't be read: {exc}")
    for problem in check_counters(ledger):
        yield Finding("counters", problem)


def _check_row(ledger: Ledger, key: bytes, value: bytes) -> Iterator[Finding]:
    rule = RULES.get(key[:1])
    if rule is None:
        yield Finding(f"key {key!r}", "unknown kind of record")
        return
    try:
        problems = list(_problems(rule, ledger, key, value))
        where = name_of(key) if problems else ""
    except (struct.error, ValueError):
        yield Finding(f"key {key!r}", "malformed key")
        return
    yield from (Finding(where, problem) for problem in problems)


def _problems(rule: Rule, ledger: Ledger, key: bytes, value: bytes) -> Iterator[str]:
    """Raises: struct.error or ValueError if the key can't be parsed."""
    if rule.kind is None:
        if value:
            yield f"has a value of {len(value)} bytes, should have none"
        yield from rule.check_flag(ledger, key)
        return
    try:
        record = codec.unpack(key, value, rule.kind)
    except CorruptRecord as exc:
        yield str(exc)
        return
    yield from rule.check(ledger, key, record)
