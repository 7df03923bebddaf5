"""A database with a record of every kind, looked at by a check, and damaged by hand."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check import Finding, check
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import ClaimRequest
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.storage.scratch import NO, House, failed, incoming

R = TypeVar("R", bound=msgspec.Struct)

DIGEST = b"d" * 32


def findings(house: House) -> list[Finding]:
    with house.env.read() as txn:
        return list(check(txn))


def full_house(path: Path) -> House:
    """One of every kind of record in workspace 1, but for READY, which the third has.

    The second one is being erased.
    """
    house = House(path)
    house.workspace()
    for start in range(0, 200, 20):
        house.accept(*(incoming(f"m{start + i}", text="t" * 90) for i in range(20)))
    house.accept("s", chat="sealed")
    house.accept("p", chat="parked")
    house.seal("parked")
    for _ in range(3):
        house.attempt(NO)
    house.seal("sealed")
    for _ in range(8):
        house.attempt(failed())
    house.done(
        CreateToken(
            digest=DIGEST, scope="admin", workspace_id="acme", now_ms=house.now_ms, caller="t"
        )
    )
    house.group(claiming(house, 1, b"key"), DeleteChat(**named(house), chat_id="gone"))
    house.workspace("other")
    house.accept("m", ws=2)
    house.group(DeleteWorkspace(**named(house, "other"), version=None))
    house.accept("m", ws=house.workspace("ready", aggregation_ms=0))
    return house


def named(house: House, ws: str = "acme") -> dict[str, Any]:
    return {"workspace_id": ws, "now_ms": house.now_ms, "caller": "t"}


def claiming(house: House, ws: int, key: bytes) -> ClaimRequest:
    return ClaimRequest(workspace_number=ws, key=key, digest=b"body", now_ms=house.now_ms)


def put(house: House, key: bytes, value: bytes | msgspec.Struct) -> None:
    with house.env.write() as txn:
        txn.put(key, value if isinstance(value, bytes) else codec.pack(key, value))


def drop(house: House, key: bytes) -> None:
    with house.env.write() as txn:
        assert txn.delete(key)


def change(house: House, key: bytes, kind: type[R], **fields: Any) -> None:
    record = codec.unpack(key, house.dump()[key], kind)
    put(house, key, msgspec.structs.replace(record, **fields))


def first(house: House, prefix: bytes) -> bytes:
    return min(key for key in house.dump() if key.startswith(prefix))


def due(house: House, kind: DueKind) -> bytes:
    return keyspace.due(house.dues(kind)[0])
