"""A cluster as a node sees it, and commands on it, as the API takes and answers them."""

from enum import StrEnum
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


class CheckAllIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`repair`: followers' copies that differ from their owner's are made anew from the log, one of
    a partition at a time."""

    repair: bool = False


class FoundWhat(StrEnum):
    """What a check has found, of a copy (the first three), and what is to be done about it."""

    NOT_LOOKED_AT = "not_looked_at"
    DIFFERS = "differs"
    FAULTS = "faults"
    MOVE_FIRST = "move_first"
    REPAIR = "repair"
    REMADE = "remade"
    IN_LOG = "in_log"
    ONLY_COPY = "only_copy"
    NO_COPY = "no_copy"
    UNOWNED = "unowned"


class CheckFoundOut(msgspec.Struct, frozen=True):
    """`node`: whose copy it is about; of `move_first` the node that should own the partition, empty
    if it is about none. `detail`: of `differs` in which kinds of records, empty if it can't be
    read; of `faults` how many; of `not_looked_at` why."""

    partition: int
    node: str
    what: FoundWhat
    detail: str


class CheckOfAllOut(msgspec.Struct, frozen=True):
    """`partitions`: how many there are. `done`: how many were checked. `doing`: what is under way;
    empty if it is over. `faults`: how many were found; `found`: what they are, up to 32 lines, and
    what is to be done. `repairs`: copies that differ are made anew. `node`: which goes through the
    partitions. `caller`: who has asked for it. `stopped`: the node has ended before it was through,
    and nobody goes on."""

    partitions: int
    done: int
    doing: str
    faults: int
    found: list[CheckFoundOut]
    repairs: bool
    node: str
    caller: str
    began_at: str
    stopped: bool


class NodeOut(msgspec.Struct, frozen=True):
    """`owns`: how many partitions it owns. `follows`: of how many it has a warm copy beside these.
    `leaves`: whether it gives away what it owns. `clock_ahead_ms`: of the clock of the node that
    answers, to within half a second. `free_bytes`: on the disk with its data. `differs`: names of
    the settings that shape data and are others than at the node that answers."""

    name: str
    version: str
    owns: int
    follows: int
    leaves: bool
    clock_ahead_ms: int
    free_bytes: int
    differs: list[str]


class CopyRole(StrEnum):
    """What a node is for a partition; engine/replication/roles.py says what each one does."""

    ABSENT = "absent"
    JOINING = "joining"
    FOLLOWING = "following"
    CLAIMING = "claiming"
    OWNER = "owner"
    YIELDING = "yielding"
    BROKEN = "broken"
    STOPPED = "stopped"


class CopyOut(msgspec.Struct, frozen=True):
    """`role`: what the node is for the partition. `behind`: how many entries of the log it has yet
    to read; null if nobody can say. `generation`, `entry`: how far it has come in the log; empty
    and 0 if that is not known."""

    node: str
    role: CopyRole
    behind: int | None
    generation: str = ""
    entry: int = 0


class PartitionOut(msgspec.Struct, frozen=True):
    """`owner`: the node that owns it; null if none does. `given_to`: the node that it was given to
    by command; null if it is assigned as all are. `epoch`: how often it was taken over.
    `generation`: of its log. `copies`: on which nodes there is one, the owner's among them.
    `log_bytes`: of its log's generation. `voids`: entries of the log that count for nobody, since
    the owner has read it. `taken_at`: when the owner has taken it, by its clock. These three are
    null without an owner. `stopped`: a copy has what the log has lost, so that nobody takes the
    partition over. `damaged`: the owner can't read a record of it."""

    number: int
    owner: str | None
    given_to: str | None
    epoch: int
    generation: str
    copies: list[CopyOut]
    log_bytes: int | None = None
    voids: int | None = None
    taken_at: str | None = None
    stopped: bool = False
    damaged: bool = False


class ClusterOut(msgspec.Struct, frozen=True):
    """`node`: which one answers. `hears`: whether it hears its own beats; if not, the rest may be
    old. `nodes`: those that live. `warnings`: what needs a person. `compaction`: the last one, at
    whichever node; null if none was. `schema`: of records, which the cluster writes.
    `upgrade`: to which it could be raised now; null if that is none, or nobody can say.
    `record_lost`: whether the log servers have no record of the cluster. `gone`: nodes on record
    that do not run; none if nobody can say. `check`: the last one of all copies, at whichever node;
    null if none was. `log_servers_away`: which log servers the others do not hear, or do not have
    all that the others have. `log_replicas`: on how many log servers each entry is stored."""

    node: str
    hears: bool
    nodes: list[NodeOut]
    partitions: list[PartitionOut]
    warnings: list[str]
    compaction: CompactionOut | None
    schema: int
    upgrade: int | None
    record_lost: bool = False
    gone: list[str] = []
    check: CheckOfAllOut | None = None
    log_servers_away: list[str] = []
    log_replicas: int = 0


class WhereOut(msgspec.Struct, frozen=True):
    """`partition`: in which it is, or would be. `owner`: the node that owns that; null if none
    does."""

    workspace: str
    partition: int
    owner: str | None


class CheckIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`repair`: a follower's copy that differs from its owner's is made anew from the log."""

    partition: Number
    repair: bool = False


class CopyFindingOut(msgspec.Struct, frozen=True):
    """Something that is wrong: with which record, and what. `workspace`: whose record it is; empty
    if it is no workspace's."""

    where: str
    what: str
    workspace: str


class CopyCheckedOut(msgspec.Struct, frozen=True):
    """`records`: how many the copy has. `same`: whether it is as its owner's; null if it was not
    compared. `differs`: kinds of records in which it is not. `findings`: what is wrong with it by
    itself; up to 100 are listed. `why`: it could not be looked at; else empty. `remade`: it is made
    anew."""

    node: str
    records: int
    same: bool | None
    differs: list[str]
    findings: list[CopyFindingOut]
    why: str
    remade: bool


class CheckedOut(msgspec.Struct, frozen=True):
    """`partitions`: how many there are. `generation`, `seq`: the place in the log at which copies
    were compared; "" and 0 if none was. `advice`: what a person should know or do, in sentences."""

    partition: int
    partitions: int
    owner: str | None
    generation: str
    seq: int
    copies: list[CopyCheckedOut]
    advice: list[str]
