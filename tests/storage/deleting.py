"""A workspace with something of everything, deleted, and erased step by step."""

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.erasing import (
    ChatDeleted,
    DeleteChat,
    DeleteWorkspace,
    WorkspaceDeleted,
)
from hookbundle.storage.transitions.idempotency import Claimed, ClaimRequest
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.storage.populated import findings
from hookbundle.tests.storage.scratch import NO, House, failed, incoming


def delete(house: House, ws: str = "acme", version: int | None = None) -> WorkspaceDeleted:
    transition = DeleteWorkspace(
        workspace_id=ws, version=version, now_ms=house.now_ms, caller="test"
    )
    return house.do(transition, WorkspaceDeleted)


def delete_chat(house: House, chat: str = "c") -> ChatDeleted:
    transition = DeleteChat(workspace_id="acme", chat_id=chat, now_ms=house.now_ms, caller="test")
    return house.do(transition, ChatDeleted)


def step(house: House, last: Erased | None = None, most: int = 3) -> Erased:
    (row, *_) = house.dues(DueKind.ERASE)
    last = last or Erased(finished=False)
    erase = EraseStep(row=row, most=most, now_ms=house.now_ms, before=last.before, after=last.after)
    return house.do(erase, Erased)


def erase(house: House) -> int:
    """How many steps it took; after each, the database was sound."""
    steps, last = 0, Erased(finished=False)
    while not last.finished:
        last = step(house, last)
        steps += 1
        assert_sound(house)
    return steps


def assert_sound(house: House) -> None:
    assert findings(house) == []


def keys_of(house: House, number: int) -> list[bytes]:
    """Keys that belong to the workspace, in whatever way."""
    owned = [key for key in house.dump() if key[:1] not in b"DEFIMTW"]
    found = [key for key in owned if keyspace.parse_owner(key) == number]
    kinds = set(DueKind) - {DueKind.MAIL}
    dues = [row for row in house.dues() if row.number == number and row.kind in kinds]
    return found + [keyspace.due(row) for row in dues]


def busy(house: House, ws: str = "acme") -> int:
    """The number of a new workspace that has something of everything."""
    number = house.workspace(ws)
    for chat in ("c0", "c1", "c2", "c3"):
        house.accept("m1", "m2", ws=number, chat=chat)
    house.accept(*(incoming(f"l{i}", text="t" * 600) for i in range(20)), ws=number, chat="c0")
    house.accept(*(f"s{i}" for i in range(80)), ws=number, chat="c1")
    for chat in ("c1", "c2", "c3"):
        house.seal(chat, ws=number)
    for _ in range(3):
        house.attempt(NO, number)  # which parks it
    house.attempt(failed(), number)
    claim = ClaimRequest(workspace_number=number, key=b"k", digest=b"d", now_ms=house.now_ms)
    house.do(claim, Claimed)
    digest = ws.encode() * 8
    house.done(
        CreateToken(
            digest=digest, scope="intake", workspace_id=ws, now_ms=house.now_ms, caller="test"
        )
    )
    assert_sound(house)
    return number
