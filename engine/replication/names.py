"""Names of a cluster's streams, subjects and records on the log servers.

A subject is divided by dots, and a name in it has none: it would be another subject.
"""

import re
from dataclasses import dataclass

from hookbundle.engine.replication.entries import GENERATION, Generation

CLUSTER = re.compile(r"[a-z0-9-]{1,32}")
NODE = re.compile(r"(?!-)[A-Za-z0-9_-]{1,64}")  # with - in front it would be a flag
PARTITIONS_MAX = 256


@dataclass(frozen=True, slots=True)
class Names:
    """Of one cluster; `cluster` is as CLUSTER says."""

    cluster: str

    @property
    def bucket(self) -> str:
        """Of the cluster's records."""
        return f"HB_{self.cluster}"

    @property
    def sessions(self) -> str:
        """The bucket of who is signed in to the console."""
        return f"{self.bucket}_SESSIONS"

    def stream(self, partition: int, generation: Generation) -> str:
        return f"{self._streams(partition)}{generation}"

    def subject(self, partition: int, generation: Generation) -> str:
        """On which its entries are published."""
        return f"hb.{self.cluster}.log.{partition:03}.{generation}"

    def subjects(self, partition: int) -> str:
        """Of all generations of the partition."""
        return f"hb.{self.cluster}.log.{partition:03}.*"

    def news(self, partition: int) -> str:
        """On which it is said that something stands in its log."""
        return f"hb.{self.cluster}.news.{partition:03}"

    def generation(self, partition: int, stream: str) -> Generation | None:
        """The generation whose stream it is; None if it is none of the partition's."""
        written = stream.removeprefix(self._streams(partition))
        if written == stream or not GENERATION.fullmatch(written):
            return None
        return Generation.read(written)

    def beat(self, node: str) -> str:
        return f"hb.{self.cluster}.beat.{node}"

    def asking(self, node: str) -> str:
        return f"hb.{self.cluster}.ask.{node}"

    def _streams(self, partition: int) -> str:
        return f"HB_{self.cluster}_{partition:03}_"


def is_of(cluster: str, stream: str) -> bool:
    """Whether a stream is a log of the cluster."""
    return re.fullmatch(rf"HB_{re.escape(cluster)}_[0-9]{{3}}_[0-9]+x[0-9]+", stream) is not None


def node_name(host: str) -> str | None:
    """What a node is called whose machine has the name; None if nothing of it can be used."""
    short = host.partition(".")[0]
    return short if NODE.fullmatch(short) else None
