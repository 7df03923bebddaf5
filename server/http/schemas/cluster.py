"""Commands on a cluster, as the API takes and answers them."""

from typing import Annotated

import msgspec

Number = Annotated[int, msgspec.Meta(ge=0)]
NodeName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class MoveIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`node`: to which the partition is given; it has a copy that is not far behind."""

    partition: Number
    node: NodeName


class MovedOut(msgspec.Struct, frozen=True):
    """`owner`: the node that has it now. `before`: which one had it; the same if it had it."""

    partition: int
    owner: str
    before: str


class DrainIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`node`: which one; the one that is asked if it is left out. `undo`: it takes partitions
    again."""

    node: NodeName | None = None
    undo: bool = False


class DrainedOut(msgspec.Struct, frozen=True):
    """`leaves`: whether it gives away what it owns. `owns`: how many partitions it owns still."""

    node: str
    leaves: bool
    owns: int


class ForgetIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`node`: one that does not run any more, and will not."""

    node: NodeName


class UpgradedOut(msgspec.Struct, frozen=True):
    """`schema`: of the rows that the cluster writes now. `before`: which it wrote; the same if
    nothing was to be raised. `waits_for`: nodes that have not heard of it yet."""

    schema: int
    before: int
    waits_for: list[str]


class CompactionOut(msgspec.Struct, frozen=True):
    """`partitions`: how many there are. `done`: how many were gone through. `doing`: what is under
    way; empty if it is over. `left_out`: what could not be done, and why. `node`: which goes
    through them. `caller`: who has asked for it. `stopped`: the node has ended before it was
    through, and nobody goes on."""

    partitions: int
    done: int
    doing: str
    left_out: list[str]
    node: str
    caller: str
    began_at: str
    stopped: bool


class RecoverIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`node`: whose copies partitions that have stopped begin anew with. `force`: also where
    another node has more, which is given up. `empty`: partitions of which nobody has anything begin
    with nothing. `replicas`: on how many log servers each entry is stored from now on, if the
    cluster's record has to be made; as before if it is left out."""

    node: NodeName
    force: bool = False
    empty: bool = False
    replicas: Annotated[int, msgspec.Meta(ge=1, le=5)] | None = None


class RecoveryOut(msgspec.Struct, frozen=True):
    """`partitions`: that begin anew. `done`: those of them that have an owner again. `doing`: what
    is under way; empty if it is over. `left_out`: what was not done, and why. `record_made`: the
    log servers had no record of the cluster, and have one now."""

    node: str
    partitions: list[int]
    done: list[int]
    doing: str
    left_out: list[str]
    record_made: bool
