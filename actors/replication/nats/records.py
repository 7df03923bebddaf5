"""Records of a cluster on the log servers: a bucket of keys, in which each value has a revision.

A record is read from the server that leads the bucket, not from whichever is near: that one may be
behind. A change names the revision that it was made from, and is refused if there is another.
"""

from base64 import b64decode
from dataclasses import dataclass

import msgspec

from hookbundle.actors.replication.nats import api
from hookbundle.actors.replication.nats.client import NoAnswer
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.names import Names

EXPECTED = "Nats-Expected-Last-Subject-Sequence"
NEW = 0  # the revision of a key that is not there
DELETED = b"KV-Operation"


@dataclass(frozen=True, slots=True)
class Record:
    value: bytes
    revision: int


class Records:
    """The bucket of a cluster."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self._connection = connection
        self._stream = f"KV_{names.bucket}"
        self._subject = f"$KV.{names.bucket}."

    async def make(self, replicas: int) -> None:
        """The bucket is there. Raises: NoAnswer; Unreachable; ClusterUnusable."""
        wanted = {
            "name": self._stream,
            "subjects": [f"{self._subject}>"],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "num_replicas": replicas,
            "max_msgs_per_subject": 1,
            "allow_rollup_hdrs": True,
            "deny_delete": True,
            "allow_direct": True,
        }
        answer = await api.call(self._connection, f"STREAM.CREATE.{self._stream}", wanted)
        if answer.error is not None:
            raise ClusterUnusable(
                f"the cluster's records can't be stored on {replicas} log servers: {answer.why}. "
                "These have to be one NATS cluster of at least so many; to try things on one, "
                "--replicas 1"
            )

    async def replicas(self) -> int | None:
        """On how many servers it is; None if there is no bucket. Raises: NoAnswer; Unreachable."""
        return (await self.placed())[0]

    async def placed(self) -> tuple[int | None, tuple[str, ...]]:
        """As `replicas`; and which of the servers are gone, or do not have all of it."""
        answer = await api.call(self._connection, f"STREAM.INFO.{self._stream}")
        if answer.code == api.NO_STREAM:
            return None, ()
        found = _sure(answer)
        away = [each.name for each in found.cluster.replicas if each.offline or not each.current]
        return found.config.num_replicas, tuple(sorted(away))

    async def delete(self) -> None:
        """The bucket is not there. Raises: NoAnswer; Unreachable."""
        answer = await api.call(self._connection, f"STREAM.DELETE.{self._stream}")
        if answer.code != api.NO_STREAM:
            _sure(answer)

    async def get(self, key: str) -> Record | None:
        """Raises: NoAnswer; Unreachable."""
        call = f"STREAM.MSG.GET.{self._stream}"
        answer = await api.call(self._connection, call, {"last_by_subj": self._subject + key})
        if answer.code in (api.NO_MESSAGE, api.NO_STREAM):
            return None
        stored = _sure(answer).message
        if stored is None or DELETED in b64decode(stored.hdrs):
            return None
        return Record(b64decode(stored.data), stored.seq)

    async def put(self, key: str, value: bytes, revision: int) -> bool:
        """False if another revision is there. Raises: NoAnswer; Unreachable."""
        headers = {EXPECTED: str(revision)}
        message = await self._connection.ask(self._subject + key, value, headers)
        answer = api.read(message.body)
        if answer.code in api.SEQUENCE_TAKEN:
            return False
        _sure(answer)
        return True

    async def forget(self, key: str) -> None:
        """Nothing is under the key, as if nothing ever was. Raises: NoAnswer; Unreachable."""
        request = {"filter": self._subject + key}
        _sure(await api.call(self._connection, f"STREAM.PURGE.{self._stream}", request))

    async def keys(self, prefix: str) -> list[str]:
        """Raises: NoAnswer; Unreachable."""
        request = {"subjects_filter": f"{self._subject}{prefix}"}
        answer = await api.call(self._connection, f"STREAM.INFO.{self._stream}", request)
        if answer.code == api.NO_STREAM:
            return []
        subjects = _sure(answer).state.subjects or {}
        return sorted(subject.removeprefix(self._subject) for subject in subjects)


def _sure(answer: api.Answer) -> api.Answer:
    """Raises: NoAnswer for an error that says nothing about what was asked."""
    if answer.error is not None:
        raise NoAnswer(answer.why)
    return answer


def pack(record: msgspec.Struct) -> bytes:
    return msgspec.json.encode(record)
