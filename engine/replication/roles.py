"""What a node is for a partition, and which role follows which.

    absent ──a──► joining ──b──► following ──c──► claiming ──d──► owner
                     ▲            ▲   ▲              │            │  │
                     │            │   └──────e───────┘            │  g
                     h            └───────────f───────────────────┘  ▼
                     │            └────────────────────g───────── yielding
                  broken ◄── any

a: the node is to hold a copy. b: the base is written, or a copy of before was there. c: the
partition is assigned to the node, and has no live owner. d: its claim was read back, and counts.
e: another's counts. f: its Store was fenced. g: it gives the partition away. h: the copy can't be
used, and is made anew. Not drawn: following -> joining, while the copy is rewritten; joining,
following or broken -> absent, if no copy is wanted any more (`may_give_up`); and any -> stopped,
when the log has not what was read of it. From there a copy is followed again if the log has it
after all, and made anew if the log begins anew (`hookbundle cluster recover`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from hookbundle.engine.delivery.states import ForbiddenMoveError
from hookbundle.engine.replication.entries import Generation

BEHIND_MAX = 100  # entries; who is further behind would let its callers wait


class Role(StrEnum):
    """What a node is for a partition."""

    ABSENT = "absent"  # it holds no copy
    JOINING = "joining"  # it writes the base into a new copy
    FOLLOWING = "following"  # it puts what counts into its copy
    CLAIMING = "claiming"  # its claim is on its way
    OWNER = "owner"  # its Store works on the copy
    YIELDING = "yielding"  # it finishes what is under way, and gives the partition away
    BROKEN = "broken"  # its copy can't be used, and is made anew
    STOPPED = "stopped"  # its log has lost something, or is another one: the copy is kept as it is


ROLE_MOVES: frozenset[tuple[Role, Role]] = frozenset(
    {
        (Role.ABSENT, Role.JOINING),
        (Role.JOINING, Role.FOLLOWING),
        (Role.JOINING, Role.JOINING),  # the base can't be read to its end yet: once more
        (Role.FOLLOWING, Role.CLAIMING),
        (Role.CLAIMING, Role.OWNER),
        (Role.CLAIMING, Role.FOLLOWING),
        (Role.OWNER, Role.FOLLOWING),
        (Role.OWNER, Role.YIELDING),
        (Role.YIELDING, Role.FOLLOWING),
        (Role.BROKEN, Role.JOINING),
        (Role.FOLLOWING, Role.JOINING),  # the copy is rewritten, and then followed as before
        (Role.JOINING, Role.ABSENT),
        (Role.FOLLOWING, Role.ABSENT),
        (Role.BROKEN, Role.ABSENT),
        *((role, Role.STOPPED) for role in Role if role not in {Role.ABSENT, Role.STOPPED}),
        (Role.STOPPED, Role.FOLLOWING),
        (Role.STOPPED, Role.JOINING),
        *((role, Role.BROKEN) for role in Role),
    }
)


BUSY = frozenset({Role.CLAIMING, Role.OWNER, Role.YIELDING})
"""What a node is that owns the partition, or is about to, or not yet rid of it."""
WHOLE = frozenset({Role.FOLLOWING, Role.CLAIMING, Role.OWNER, Role.YIELDING})
"""Roles in which a node has a complete copy."""


@dataclass(frozen=True, slots=True)
class CopyAt:
    """What a live node says of its copy, and how far it has come."""

    role: Role
    generation: Generation | None = None
    seq: int = 0


def is_further(copy: CopyAt, other: CopyAt) -> bool:
    """Whether the copy has more of the log than the other one; False if it is none."""
    if copy.generation is None or copy.role is Role.BROKEN:
        return False
    if other.generation is None:
        return True
    return (copy.generation.number, copy.seq) > (other.generation.number, other.seq)


def may_give_up(node: str, assigned: Sequence[str], copies: Mapping[str, CopyAt]) -> bool:
    """Whether the node may delete its copy: there is an owner, and all others to which the
    partition is assigned have complete copies that are not far behind it.

    `copies`: of the live nodes. So it is never the last one that is whole.
    """
    owner = next((copies[each] for each in copies if copies[each].role is Role.OWNER), None)
    if not assigned or node in assigned or owner is None:
        return False
    return all(each in copies and _is_near(copies[each], owner) for each in assigned)


def fresh(copies: Mapping[str, CopyAt]) -> list[str]:
    """The nodes whose complete copies are not far behind the one that has come furthest.

    `copies`: of the live nodes. One that is far behind was made a moment ago, or its node was away:
    if it claimed, callers would wait until it has read all that.
    """
    whole = {
        node: copy
        for node, copy in copies.items()
        if copy.role in WHOLE and copy.generation is not None
    }
    if not whole:
        return []
    best = max(whole.values(), key=lambda copy: (copy.generation, copy.seq))
    return [node for node, copy in whole.items() if _is_near(copy, best)]


def has_heir(node: str, copies: Mapping[str, CopyAt]) -> bool:
    """Whether another node has a complete copy that is not far behind that of the node."""
    own = copies.get(node)
    others = [copy for name, copy in copies.items() if name != node]
    return own is not None and any(_is_near(copy, own) for copy in others)


def _is_near(copy: CopyAt, best: CopyAt) -> bool:
    near = copy.generation == best.generation and copy.seq >= best.seq - BEHIND_MAX
    return copy.role in WHOLE and near


def moved(before: Role, after: Role) -> Role:
    """The role after the move. Raises: ForbiddenMoveError for one that is not in the table."""
    if (before, after) not in ROLE_MOVES:
        raise ForbiddenMoveError(f"{before.name} never becomes {after.name}")
    return after
