"""A request that one node makes of another in the place of a client, and its answer: values."""

from typing import Literal

import msgspec

from hookbundle.engine.errors import CorruptRecord

ANSWER_BYTES_MAX = 64 * 1024 * 1024  # of one that is not asked for part by part

Headers = tuple[tuple[str, str], ...]
"""Names and values, as they came; a name may come more than once."""


class AskedFor(msgspec.Struct, frozen=True, array_like=True):
    """Who calls, as the node that has the connection has found out."""

    name: str
    scope: Literal["intake", "admin"]
    workspace_id: str


class NodeRequest(msgspec.Struct, frozen=True, array_like=True):
    """`target`: path and query. `caller`: None if the node that asks does not know who calls."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    caller: AskedFor | None = None


class NodeAnswer(msgspec.Struct, frozen=True, array_like=True):
    """`rest`: a name, by which what follows the body can be asked for; empty if that is all."""

    status: int
    headers: Headers
    body: bytes
    rest: str = ""


def pack(value: NodeRequest | NodeAnswer) -> bytes:
    return msgspec.msgpack.encode(value)


def read_request(written: bytes) -> NodeRequest:
    """Raises: CorruptRecord."""
    try:
        return msgspec.msgpack.decode(written, type=NodeRequest)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CorruptRecord(f"what another node asked can't be read: {exc}") from exc


def read_answer(written: bytes) -> NodeAnswer:
    """Raises: CorruptRecord."""
    try:
        return msgspec.msgpack.decode(written, type=NodeAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise CorruptRecord(f"what another node answered can't be read: {exc}") from exc
