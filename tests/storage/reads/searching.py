"""What a search finds in a scratch database, by the numbers of deliveries."""

from typing import Any

import msgspec

from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.reads.searching.search import Search
from hookbundle.storage.reads.searching.wanted import Wanted
from hookbundle.tests.storage.scratch import OK, ScratchDatabase, incoming


def search(db: ScratchDatabase, *, rows_most: int = 64, **filters: Any) -> Search:
    alive_since_ms = filters.pop("alive_since_ms", 0)
    ws = filters.pop("ws", "acme")
    return Search(db.env, ws, Wanted(**filters), alive_since_ms, rows_most=rows_most)


def found(
    db: ScratchDatabase, *, page: int = 100, rows_most: int = 64, **filters: Any
) -> list[int]:
    """The numbers of all that is found, in the order in which it is found."""
    numbers: list[int] = []
    position: bytes | None = b""
    while position is not None:
        read = search(db, rows_most=rows_most, **filters).read(page, position)
        numbers += [each.delivery.number for each in read.found]
        position = read.position
    return numbers


def of_contact(
    db: ScratchDatabase, message_id: str, name: str = "", phone: str = "", chat: str = "c"
) -> Incoming:
    """A message of a chat with this name and phone."""
    contact = {"chat_id": chat, "full_name": name, "phone": phone}
    return incoming(message_id, db.now_ms, chat=msgspec.json.encode(contact))


def deliver(
    db: ScratchDatabase, chat: str = "c", *, name: str = "", phone: str = "", ws: int = 1
) -> None:
    """A delivery of the chat was sent; each is a second younger than the one before."""
    db.now_ms += 1_000
    db.accept(of_contact(db, f"m{db.now_ms}", name, phone, chat), ws=ws, chat=chat)
    db.attempt(OK, ws)
