"""A chat's open window before it is sealed: with the body that it would be sent with."""

from functools import partial
from typing import NamedTuple

import lmdb

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace, rows
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.reads.listing import OpenWindow, open_window
from hookbundle.storage.reads.workspace_view import settings_of, webhooks_in
from hookbundle.storage.tables import windows


class Preview(NamedTuple):
    """`body`: of the bundle if `window` were sealed now; without bytes if it is empty, for then
    nothing would be sent. `windows`: all that were asked for."""

    window: OpenWindow
    body: bytes
    windows: tuple[OpenWindow, ...]


def preview(
    txn: lmdb.Transaction, workspace_id: str, chat_id: str, product_name: str, webhook_id: str
) -> Preview:
    """The chat's open window of the webhook.

    Without an id that of `outbound`, or else of the oldest webhook that has one. Raises: NotFound
    if there is no such workspace or webhook, or no such window.
    """
    settings, chat = settings_of(txn, workspace_id), chat_id.encode()
    asked = webhooks_in(txn, settings, (webhook_id,) if webhook_id else ())
    record = rows.get(txn, keyspace.owned(keyspace.CHATS, settings.number, chat), ChatRecord)
    found = [
        (webhook, of, of.window)
        for webhook in asked
        if (of := record.of(webhook.number) if record else None) is not None
        and of.window is not None
    ]
    if not found:
        raise NotFound.of(Code.NO_WINDOW, chat=chat_id, workspace=workspace_id)
    webhook, _, window = found[0]
    body = b""
    if window.count:
        members = windows.members(partial(rows.get_raw, txn), webhook, chat, window)
        body = windows.body(window, members, product_name)
    shown = tuple(open_window(workspace_id, at, chat, of, its) for at, of, its in found)
    return Preview(shown[0], body, shown)
