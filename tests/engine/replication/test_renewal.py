"""When a log goes on in a new generation, and which generations an owner deletes."""

import pytest

from hookbundle.engine.replication.chain import Chain, Phase
from hookbundle.engine.replication.entries import Begin, End, Generation, Kind, pack
from hookbundle.engine.replication.renewal import (
    DAY_MS,
    Reason,
    Rules,
    deletable,
    due,
    needed_from,
)
from hookbundle.engine.replication.roles import CopyAt, Role
from hookbundle.tests.engine.replication.entries import entry

RULES = Rules(generation_bytes=1_000)
CURRENT = Generation(5, 3)


def chain(**known: int | None) -> Chain:
    return Chain(seq=0, epoch=1, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("log", "at_ms", "reason"),
    [
        (chain(), 100 * DAY_MS, None),
        (chain(group_bytes=1_000), 0, None),
        (chain(group_bytes=1_001), 0, Reason.SIZE),
        (chain(group_bytes=1_001, base_bytes=501), 0, None),
        (chain(group_bytes=1_003, base_bytes=501), 0, Reason.SIZE),
        (chain(group_bytes=1, erased_ms=7), DAY_MS + 6, None),
        (chain(group_bytes=1, erased_ms=7), DAY_MS + 7, Reason.ERASURE),
        (chain(group_bytes=0, erased_ms=0), DAY_MS, Reason.ERASURE),
        (chain(group_bytes=1, begun_ms=7), 7 * DAY_MS + 6, None),
        (chain(group_bytes=1, begun_ms=7), 7 * DAY_MS + 7, Reason.AGE),
    ],
)
def test_a_log_is_renewed_for_its_size_for_what_was_deleted_and_for_its_age(
    log: Chain, at_ms: int, reason: Reason | None
) -> None:
    assert due(log, RULES, at_ms, is_asked=False) is reason
    assert due(log, RULES, at_ms, is_asked=True) is Reason.ASKED


def test_whoever_reads_a_log_counts_the_same_wherever_it_began() -> None:
    from_base = chain(phase=Phase.BASE)  # type: ignore[arg-type]
    base = [
        entry(1, Kind.BASE, body=b"\x91"),
        entry(2, Kind.GROUP, body=b"\x92\x93"),
        entry(3, Kind.BEGIN, body=pack(Begin(1, erased_ms=9))),
    ]
    for each in base:
        from_base.feed(each)
    follows = chain(base_bytes=3, begun_ms=0, erased_ms=9, schema=0)
    follows.seq = 3

    for reader in (from_base, follows):
        reader.feed(entry(4, Kind.GROUP, body=b"\x90"))
        reader.feed(entry(5, Kind.GROUP, body=b"\x91\x92\x93\x94"))
        reader.note_erasure(12)

    assert from_base == follows
    assert (follows.base_bytes, follows.group_bytes, follows.erased_ms) == (3, 4, 9)


def test_old_generations_are_deleted_when_nobody_reads_them_and_half_made_ones_of_before() -> None:
    found = [
        *(Generation(3, 1), Generation(4, 3), CURRENT),
        *(Generation(5, 2), Generation(6, 1), Generation(6, 3), Generation(6, 4)),
        Generation(3, 4),
    ]

    kept = Generation(4, 3), Generation(6, 3), Generation(6, 4), Generation(3, 4)
    deleted = deletable(found, CURRENT, epoch=3, needed=4)

    assert deleted == [Generation(3, 1), Generation(5, 2), Generation(6, 1)]
    assert not set(kept) & set(deleted)
    assert Generation(4, 3) in deletable(found, CURRENT, epoch=3, needed=5)


def test_what_a_live_copy_may_read_is_needed() -> None:
    follows = CopyAt(Role.FOLLOWING, CURRENT, 7)

    assert needed_from(None, CURRENT) == 0
    assert needed_from({}, CURRENT) == 5
    assert needed_from({"a": follows, "b": CopyAt(Role.ABSENT)}, CURRENT) == 5
    assert needed_from({"a": follows, "b": CopyAt(Role.JOINING)}, CURRENT) == 0
    behind = CopyAt(Role.FOLLOWING, Generation(2, 1), 3)
    assert needed_from({"a": follows, "b": behind}, CURRENT) == 2
    assert needed_from({"a": follows, "b": CopyAt(Role.BROKEN, Generation(2, 1))}, CURRENT) == 5


def test_an_end_says_what_those_who_go_on_there_have_not_read() -> None:
    log = chain(schema=2)

    log.feed(entry(1, Kind.END, body=pack(End("2x1", 7, base_bytes=5, begun_ms=6, erased_ms=7))))

    assert log.end == End("2x1", 7, 5, 6, 7)
