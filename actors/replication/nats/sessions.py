"""Records of who is signed in, on the log servers: in their memory, on as many as hold the logs.

They outlive a server, and not all of them at once. The stream is made when the first is written.
"""

from base64 import b64decode

from hookbundle.actors.replication.nats import api
from hookbundle.actors.replication.nats.client import NoAnswer, Unreachable
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.records import EXPECTED
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded
from hookbundle.engine.replication.names import Names

RECORDS_MAX = 16_384
NS_PER_MS = 1_000_000


class SessionBucket:
    """A record under each name; `life_ms` after it was written it is gone."""

    def __init__(self, connection: Connection, names: Names, replicas: int, life_ms: int) -> None:
        self._connection = connection
        self._stream = f"KV_{names.sessions}"
        self._subject = f"$KV.{names.sessions}."
        self._replicas = replicas
        self._life_ms = life_ms

    async def get(self, name: str) -> bytes | None:
        """Raises: Overloaded if no server answers."""
        try:
            stored = await self._stored(name)
        except (NoAnswer, Unreachable) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc
        return None if stored is None else b64decode(stored.data) or None

    async def put(self, name: str, record: bytes) -> None:
        """Raises: Overloaded if no server has taken it; it may be there all the same."""
        try:
            if not await self._taken(name, record):
                await self._make()
                if not await self._taken(name, record):
                    raise Overloaded.of(Code.LOG_WAITS)
        except (NoAnswer, Unreachable) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc

    async def renew(self, name: str, before: bytes, record: bytes) -> None:
        """The record takes the place of `before`; one that is there by now stays.

        Raises: as `put`.
        """
        try:
            stored = await self._stored(name)
            if stored is None or b64decode(stored.data) != before:
                return
            subject, headers = self._subject + name, {EXPECTED: str(stored.seq)}
            answer = api.read((await self._connection.ask(subject, record, headers)).body)
        except (NoAnswer, Unreachable) as exc:
            raise Overloaded.of(Code.LOG_WAITS) from exc
        if answer.error is not None and answer.code not in api.SEQUENCE_TAKEN:
            raise Overloaded.of(Code.LOG_WAITS)

    async def delete(self, name: str) -> None:
        """Raises: as `put`."""
        await self.put(name, b"")

    async def _stored(self, name: str) -> api.StoredMessage | None:
        """Raises: NoAnswer; Unreachable."""
        wanted = {"last_by_subj": self._subject + name}
        answer = await api.call(self._connection, f"STREAM.MSG.GET.{self._stream}", wanted)
        if answer.code in (api.NO_MESSAGE, api.NO_STREAM):
            return None
        if answer.message is None:
            raise NoAnswer(answer.why)
        return answer.message

    async def _taken(self, name: str, record: bytes) -> bool:
        """Raises: NoAnswer."""
        try:
            message = await self._connection.ask(self._subject + name, record)
        except Unreachable:
            return False  # nobody listens on the subject: there is no such stream
        return api.read(message.body).error is None

    async def _make(self) -> None:
        """Raises: NoAnswer; Unreachable."""
        wanted = {
            "name": self._stream,
            "subjects": [f"{self._subject}>"],
            "storage": "memory",
            "num_replicas": self._replicas,
            "max_msgs_per_subject": 1,
            "max_msgs": RECORDS_MAX,
            "max_age": self._life_ms * NS_PER_MS,
            "discard": "old",
        }
        await api.call(self._connection, f"STREAM.CREATE.{self._stream}", wanted)
