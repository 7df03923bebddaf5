"""Checks a database for damage and contradictions by reading all of it once.

`check` reads every key in order. Each record must be intact (version, checksum, fields), and must
agree with the others: a counter with what it counts, a delivery with the parts of its body, a
window with its row of the due index, a flag with the state it repeats. A record that no other
record accounts for is reported too. The check writes nothing, keeps only a few numbers for each
workspace and webhook in memory, and sees one moment of a database in use.

check_rules.py has the rules for each kind of record.
"""

import struct
from collections.abc import Callable, Iterator, Sequence

import lmdb

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database import codec, rows
from hookbundle.storage.maintenance.check_ledger import Finding, Ledger
from hookbundle.storage.maintenance.check_names import check_length, name_of
from hookbundle.storage.maintenance.check_rules import Rule, check_counters, rule_of

__all__ = ["Finding", "check"]

EVERY = b""  # what every key begins with
MALFORMED = (struct.error, ValueError, IndexError, OverflowError)


def check(txn: lmdb.Transaction, tick: Callable[[], None] = lambda: None) -> Iterator[Finding]:
    """All problems. `tick` is called for each record, and may raise to stop the check.

    The pages must be sound: see check_damage.py.
    """
    ledger = Ledger(txn)
    ledger.open()
    for key, value in rows.rows(txn, EVERY):
        tick()
        yield from _check_row(ledger, key, value)
    for problem in check_counters(ledger):
        yield Finding("counters", problem)


def _check_row(ledger: Ledger, key: bytes, value: bytes) -> Sequence[Finding]:
    rule = rule_of(key)
    if rule is None:
        return (Finding(f"key {key.hex()}", "unknown kind of record"),)
    problems: list[str] = []
    try:
        check_length(key)
        try:
            problems += _problems(rule, ledger, key, value)
        except MALFORMED:  # the key, or that of a record which this one needs
            problems.append("has a number or a chat that no key can hold")
        if not problems:
            return ()
        where, workspace = name_of(key), ledger.name_of_owner(key)
    except MALFORMED:
        return (Finding(f"key {key.hex()}", "malformed key"),)
    return [Finding(where, problem, workspace) for problem in problems]


def _problems(rule: Rule, ledger: Ledger, key: bytes, value: bytes) -> Iterator[str]:
    """Raises: an error of MALFORMED if the key can't be parsed, or another one can't be built."""
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
