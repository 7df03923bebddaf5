"""When a log goes on in a new generation, and which generations may be deleted: pure.

A new generation begins with the database as it is. So it is at once what makes a log short, what a
new node reads, and what takes deleted texts out of the log: they are gone with the old generation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hookbundle.engine.replication.chain import Chain
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import CopyAt, Role

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Reason(StrEnum):
    """Why a new generation is begun."""

    ASKED = "asked"
    SIZE = "size"  # what was written has outgrown the base
    ERASURE = "erasure"  # what was deleted has stood in the log for long enough
    AGE = "age"  # so has what was delivered


ERASING = frozenset({Reason.ASKED, Reason.ERASURE})
"""Reasons for which nothing that is deleted may come into the new generation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`generation_bytes`: of groups; twice the base, if that is more. `past_ms`: after which an old
    generation is deleted, even if a copy still reads it."""

    generation_bytes: int = 256 * 1024 * 1024
    erase_within_ms: int = DAY_MS
    renew_after_ms: int = 7 * DAY_MS
    past_ms: int = HOUR_MS


def due(chain: Chain, rules: Rules, now_ms: int, *, is_asked: bool) -> Reason | None:
    """Why the log is to go on in a new generation; None if it is not."""
    if is_asked:
        return Reason.ASKED
    if chain.group_bytes > max(rules.generation_bytes, 2 * chain.base_bytes):
        return Reason.SIZE
    if chain.erased_ms is not None and now_ms >= chain.erased_ms + rules.erase_within_ms:
        return Reason.ERASURE
    if chain.group_bytes and now_ms >= chain.begun_ms + rules.renew_after_ms:
        return Reason.AGE
    return None


def needed_from(copies: Mapping[str, CopyAt] | None, current: Generation) -> int:
    """The number of the first generation that a live copy may still read.

    `copies`: of the live nodes; None if nobody knows. Who reads a base does not tell of which
    generation. A broken copy is made anew, from the oldest one that there is then.
    """
    if copies is None:
        return 0
    needed = [current.number]
    for copy in copies.values():
        if copy.role is Role.JOINING and copy.generation is None:
            needed.append(0)
        elif copy.generation is not None and copy.role is not Role.BROKEN:
            needed.append(copy.generation.number)
    return min(needed)


def deletable(
    found: Iterable[Generation], current: Generation, epoch: int, needed: int
) -> list[Generation]:
    """Which of the generations an owner may delete. `needed`: as `needed_from` says.

    An old one, when nobody reads it any more. One that is as late as the present one or later, and
    of an epoch before the owner's, was left half-made, or never got its `end`: its epoch is over,
    so that it never will. One of the owner's epoch may be under way, and one of a later epoch is
    the work of an owner of which this one does not know yet.
    """
    return [
        each
        for each in found
        if each.epoch <= epoch
        and each != current
        and (each.number < needed if each.number < current.number else each.epoch < epoch)
    ]
