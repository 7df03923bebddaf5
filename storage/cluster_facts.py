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
