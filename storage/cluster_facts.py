"""Facts about what operators had a cluster do. They stand in the feed of partition 0."""

from hookbundle.storage.daemon_facts import Fact


class OfCluster(Fact, frozen=True, kw_only=True):
    """`node`: which it concerns."""

    node: str


class PartitionMoved(OfCluster, frozen=True, kw_only=True):
    """A partition was given to the node, by command. `before`: which one owned it."""

    caller: str
    partition: int
    before: str


class NodeDrained(OfCluster, frozen=True, kw_only=True):
    """The node gives away all that it owns, by command. `owns`: how many it has still."""

    caller: str
    owns: int


class NodeUndrained(OfCluster, frozen=True, kw_only=True):
    """The node takes partitions again, by command."""

    caller: str


class NodeForgotten(OfCluster, frozen=True, kw_only=True):
    """The record of the node was removed, by command."""

    caller: str


class PartitionRepaired(OfCluster, frozen=True, kw_only=True):
    """The node makes its copy of the partition anew from the log, by command. `differs`: kinds of
    records in which it was not as its owner's; none if it could not be read."""

    caller: str
    partition: int
    differs: tuple[str, ...]


class ClusterUpgraded(OfCluster, frozen=True, kw_only=True):
    """What the cluster writes was raised, by command given to the node; there is no way back.
    `schema`: of records that it writes now. `before`: which it wrote until then."""

    caller: str
    schema: int
    before: int


class ClusterRecovered(OfCluster, frozen=True, kw_only=True):
    """Partitions whose logs were lost began anew with the node's copies, by command. `partitions`:
    their numbers. `owned`: the numbers of those of them that have an owner again. `left_out`: what
    was not done, and why. `force`: what other nodes had more was given up. `empty`: what nobody had
    began with nothing. `record_made`: the log servers had no record of the cluster, and have one
    now."""

    caller: str
    partitions: tuple[int, ...]
    owned: tuple[int, ...]
    left_out: tuple[str, ...]
    force: bool
    empty: bool
    record_made: bool


class CompactionBegun(OfCluster, frozen=True, kw_only=True):
    """The node has begun to have all logs and copies rewritten, by command."""

    caller: str
    partitions: int


class CompactionEnded(OfCluster, frozen=True, kw_only=True):
    """The node is through with all partitions. `left_out`: what could not be done, and why."""

    caller: str
    partitions: int
    left_out: tuple[str, ...]


class CompactionStopped(OfCluster, frozen=True, kw_only=True):
    """The node has ended before it was through. `done`: how many partitions it had gone through."""

    caller: str
    partitions: int
    done: int
