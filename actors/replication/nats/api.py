"""Calls of the log servers' own API: requests and answers in JSON, errors with numbers.

Everything else goes wrong as on any subject: `NoAnswer`, `Unreachable`.
"""

from typing import Any

import msgspec

from hookbundle.actors.replication.nats.client import NoAnswer
from hookbundle.actors.replication.nats.connection import Connection

NO_STREAM = 10059
NO_MESSAGE = 10037
OTHER_SETTINGS = 10058
SEQUENCE_TAKEN = frozenset({10071, 10164})  # the expected sequence is not the last one

API = "$JS.API"


class Error(msgspec.Struct, frozen=True):
    err_code: int = 0
    description: str = ""


class StreamState(msgspec.Struct, frozen=True):
    """Numbers of the first and last entry; 0 if there is none. `subjects`: if asked for."""

    first_seq: int = 0
    last_seq: int = 0
    bytes: int = 0
    subjects: dict[str, int] | None = None


class StreamSettings(msgspec.Struct, frozen=True):
    num_replicas: int = 1


class Replica(msgspec.Struct, frozen=True):
    """A server that has the stream beside the one that leads it. `current`: it has all of it."""

    name: str = ""
    current: bool = True
    offline: bool = False


class Placed(msgspec.Struct, frozen=True):
    replicas: list[Replica] = []


class StoredMessage(msgspec.Struct, frozen=True):
    """`data`: base64."""

    seq: int
    data: str = ""
    hdrs: str = ""


class Answer(msgspec.Struct, frozen=True):
    """The fields that are read, of all calls; `error` is None if it was done."""

    error: Error | None = None
    state: StreamState = StreamState()
    config: StreamSettings = StreamSettings()
    cluster: Placed = Placed()
    message: StoredMessage | None = None
    streams: list[str] | None = None
    total: int = 0
    stream: str = ""
    seq: int = 0

    @property
    def code(self) -> int:
        """0 if it was done."""
        return self.error.err_code if self.error else 0

    @property
    def why(self) -> str:
        return self.error.description if self.error else ""


def read(body: bytes) -> Answer:
    """Raises: NoAnswer if it is none of a log server."""
    try:
        return msgspec.json.decode(body, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise NoAnswer(f"what came is not an answer of a log server: {exc}") from exc


async def call(connection: Connection, name: str, request: Any = None) -> Answer:
    """Raises: NoAnswer; Unreachable."""
    body = b"" if request is None else msgspec.json.encode(request)
    return read((await connection.ask(f"{API}.{name}", body)).body)


async def streams(connection: Connection, subject: str) -> list[str]:
    """Of all streams that store the subject. Raises: NoAnswer; Unreachable."""
    found: list[str] = []
    while True:
        request = {"subject": subject, "offset": len(found)}
        answer = await call(connection, "STREAM.NAMES", request)
        found += answer.streams or []
        if not answer.streams or len(found) >= answer.total:
            return found
