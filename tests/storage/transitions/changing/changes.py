"""Edits and deletions of the chat `c`, and what windows hold after them."""

import json
from functools import partial
from typing import Any

from hookbundle.engine.messages.changes import Change
from hookbundle.engine.messages.message import Incoming, digest_of
from hookbundle.storage.database import rows
from hookbundle.storage.database.chat_records import Window
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.tables import windows
from hookbundle.storage.transitions.changing.changing import ChangeMessages, ChangesMade
from hookbundle.storage.transitions.changing.dropping import DropChanges
from hookbundle.tests.storage.scratch import PRODUCT, START_MS, ScratchDatabase, incoming


def edit(message_id: str, text: str = "new", edited_ms: int = 0) -> Change:
    return Change(message_id, digest_of(message_id), text, edited_ms)


def delete(message_id: str) -> Change:
    return edit(message_id, "")


def changing(db: ScratchDatabase, *changes: Change, chat: str = "c", ws: int = 1) -> ChangeMessages:
    return ChangeMessages(
        workspace_number=ws,
        chat_id=chat,
        changes=changes,
        now_ms=db.now_ms,
        product_name=PRODUCT,
        quota=db.quota,
    )


def change(db: ScratchDatabase, *changes: Change, chat: str = "c", ws: int = 1) -> ChangesMade:
    return db.do(changing(db, *changes, chat=chat, ws=ws), ChangesMade)


def drop_due(db: ScratchDatabase) -> None:
    """What the timer does with the changes whose time is up."""
    due = tuple(row for row in db.dues(DueKind.CHANGE) if row.at_ms <= db.now_ms)
    if due:
        db.done(DropChanges(due, db.now_ms))


def detailed(
    message_id: str, sent_s: int = 0, *, name: str = "Jane", new: bool = False, **more: Any
) -> Incoming:
    """A message whose chat has this name, sent so many seconds after the start."""
    chat = json.dumps({"full_name": name, "chat_id": "c", "is_new_chat": new})
    return incoming(
        message_id,
        START_MS + sent_s * 1_000,
        chat=chat.replace(" ", "").encode(),
        is_new_chat=new,
        **more,
    )


def bundle(db: ScratchDatabase, webhook_id: str = "outbound", chat: str = "c") -> dict[str, Any]:
    """The body of the chat's open window as it would be sent; empty without one."""
    webhook = db.view().named(webhook_id).webhook
    window = window_of(db, webhook.number, chat)
    if window is None:
        return {}
    with db.env.read() as txn:
        found = windows.members(partial(rows.get_raw, txn), webhook, chat.encode(), window)
    body: dict[str, Any] = json.loads(windows.body(window, found, PRODUCT))
    return body


def window_of(db: ScratchDatabase, number: int, chat: str = "c") -> Window | None:
    record = db.chat(chat)
    return record.window_of(number) if record else None


def texts(db: ScratchDatabase, webhook_id: str = "outbound", chat: str = "c") -> list[str]:
    return [each["text"] for each in bundle(db, webhook_id, chat).get("messages", ())]


def told(db: ScratchDatabase, kind: str) -> list[dict[str, Any]]:
    return [each["data"] for each in db.events(kind)]
