"""What a node is for a partition, and which role follows which.

    absent ──a──► joining ──b──► following ──c──► claiming ──d──► owner
                     ▲            ▲   ▲              │            │  │
                     │            │   └──────e───────┘            │  g
                     h            └───────────f───────────────────┘  ▼
                     │            └────────────────────g───────── yielding
                  broken ◄── any

a: the node is to hold a copy. b: the base is written, or a copy of before was there. c: the
partition is assigned to the node, and has no live owner. d: its claim was read back, and counts.
e: another's counts. f: its Store was fenced. g: it gives the partition away. h: the copy was
dropped, and is made anew.
"""

from enum import StrEnum

from hookbundle.engine.delivery.states import ForbiddenMoveError


class Role(StrEnum):
    """What a node is for a partition."""

    ABSENT = "absent"  # it holds no copy
    JOINING = "joining"  # it writes the base into a new copy
    FOLLOWING = "following"  # it puts what counts into its copy
    CLAIMING = "claiming"  # its claim is on its way
    OWNER = "owner"  # its Store works on the copy
    YIELDING = "yielding"  # it finishes what is under way, and gives the partition away
    BROKEN = "broken"  # its copy or its view of the log can't be trusted


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
        *((role, Role.BROKEN) for role in Role),
    }
)


def moved(before: Role, after: Role) -> Role:
    """The role after the move. Raises: ForbiddenMoveError for one that is not in the table."""
    if (before, after) not in ROLE_MOVES:
        raise ForbiddenMoveError(f"{before.name} never becomes {after.name}")
    return after
