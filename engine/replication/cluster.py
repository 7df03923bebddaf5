"""What a cluster is: its record, that of each node, and what a node is told of it.

The records are JSON on the log servers, for people as well. What a later version has added to one
is passed over.

The cluster's record says what its nodes write: rows of a `schema` (storage/database/records.py),
in logs of a `format` (entries.py). A node can read and write several of each, from the oldest that
its program knows to the latest; so nodes of two versions work together, on what both know. Both
numbers are raised by command, when all nodes can, and never sink.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from hookbundle.engine.errors import ClusterUnusable

FORMAT = 1
FORMAT_OLDEST = 1
CLUSTER_KEY = "cluster"
NODE_KEY = "node."
KEY_BYTES = 32


class OtherVersion(ClusterUnusable):
    """The cluster writes what this program can't read, or not write any more."""


class ClusterRecord(msgspec.Struct, frozen=True):
    """`id`: random. `format`, `schema`: which owners write. `key_id`: of the key that its nodes
    share."""

    format: int
    id: str
    partitions: int
    schema: int
    created_ms: int
    key_id: str


class _OfFormat(msgspec.Struct, frozen=True):
    """What each format has."""

    format: int


class NodeRecord(msgspec.Struct, frozen=True):
    """`schema`, `format`: the latest that it knows. `joined_ms`: when it was first there."""

    name: str
    version: str
    schema: int
    joined_ms: int
    format: int = FORMAT_OLDEST


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What the cluster could write: the latest that any of its nodes knows.

    `behind`: the nodes that do not know it yet; while there are some, it is not written.
    """

    format: int
    schema: int
    behind: tuple[NodeRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterConfig:
    """`copies`: of each partition, its owner's among them. `key`: which all nodes share."""

    name: str
    node: str
    copies: int
    dead_after_s: float
    generation_bytes: int
    erase_within_ms: int
    key: bytes


def key_id(key: bytes) -> str:
    """By it nodes see whether they have the same key; the key can't be found from it."""
    return blake2b(key, digest_size=8, person=b"hb-cluster-key").hexdigest()


def read_cluster(written: bytes) -> ClusterRecord:
    """Raises: ClusterUnusable; OtherVersion if this program does not know its format."""
    try:
        # First, because the rest of a later format may be of another shape.
        format_ = msgspec.json.decode(written, type=_OfFormat).format
        _check("format", format_, FORMAT_OLDEST, FORMAT)
        return msgspec.json.decode(written, type=ClusterRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise ClusterUnusable(f"the cluster's record can't be read: {exc}") from exc


def check_schema(record: ClusterRecord, oldest: int, latest: int) -> None:
    """Raises: OtherVersion if a program that knows these can't read, or write, the rows."""
    _check("schema", record.schema, oldest, latest)


def _check(what: str, in_use: int, oldest: int, latest: int) -> None:
    if in_use > latest:
        raise OtherVersion(
            f"the cluster writes {what} {in_use}, and this program knows {latest}: "
            "use the version that the other nodes have"
        )
    if in_use < oldest:
        raise OtherVersion(
            f"the cluster writes {what} {in_use}, and this program knows {oldest} and later: start "
            "the version that the other nodes have, and raise it with `hookbundle cluster upgrade`"
        )


def raised(written: bytes, to: Upgrade) -> bytes:
    """The cluster's record with what it writes raised, and all else as it was, also what a later
    version has put there."""
    fields = msgspec.json.decode(written, type=dict[str, msgspec.Raw])
    return msgspec.json.encode({**fields, "format": to.format, "schema": to.schema})


def upgrade_of(cluster: ClusterRecord, nodes: Sequence[NodeRecord]) -> Upgrade | None:
    """None if all that its nodes know is written already."""
    format_ = max([cluster.format, *(each.format for each in nodes)])
    schema = max([cluster.schema, *(each.schema for each in nodes)])
    if (format_, schema) == (cluster.format, cluster.schema):
        return None
    behind = [each for each in nodes if each.format < format_ or each.schema < schema]
    return Upgrade(format_, schema, tuple(behind))


def read_node(written: bytes) -> NodeRecord | None:
    """None if it can't be read."""
    try:
        return msgspec.json.decode(written, type=NodeRecord)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
