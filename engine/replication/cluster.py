"""What a cluster is: its record, that of each node, and what a node is told of it.

The records are JSON on the log servers, for people as well. What a later version has added to one
is passed over; a greater `format` is not read at all.
"""

from dataclasses import dataclass
from hashlib import blake2b

import msgspec

from hookbundle.engine.errors import ClusterUnusable

FORMAT = 1
CLUSTER_KEY = "cluster"
NODE_KEY = "node."
KEY_BYTES = 32


class ClusterRecord(msgspec.Struct, frozen=True):
    """`id`: random. `schema`: which owners write. `key_id`: of the key that its nodes share."""

    format: int
    id: str
    partitions: int
    schema: int
    created_ms: int
    key_id: str


class NodeRecord(msgspec.Struct, frozen=True):
    """`schema`: the latest that the node reads. `joined_ms`: when it was first there."""

    name: str
    version: str
    schema: int
    joined_ms: int


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
    """Raises: ClusterUnusable."""
    try:
        record = msgspec.json.decode(written, type=ClusterRecord)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise ClusterUnusable(f"the cluster's record can't be read: {exc}") from exc
    if record.format != FORMAT:
        raise ClusterUnusable(
            f"the cluster has format {record.format}, and this program knows {FORMAT}: "
            "use the version that the other nodes have"
        )
    return record


def read_node(written: bytes) -> NodeRecord | None:
    """None if it can't be read."""
    try:
        return msgspec.json.decode(written, type=NodeRecord)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
