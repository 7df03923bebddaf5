"""Open windows, as the API shows them."""

from collections.abc import Sequence

import msgspec

from hookbundle.engine.windows.ends import Why
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.reads.listing import OpenWindow


class ChatOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chat's open window of a webhook; `body` is the bundle as it would be sent, where asked for.

    `due_at`: when it ends, unless it ends early; `why`: what will end it then, in the words of a
    delivery's `reason`. `first`: the message that opened it left at once, and is not in it; it may
    be empty, and then has no `body`. `chat_name`, `phone`: of its newest message, left out where
    empty. `windows`: all that are open in the chat, if there are several and none is asked for.
    """

    workspace: str
    webhook: str
    chat_id: str
    opened_at: str
    due_at: str
    why: Why
    messages: int
    chat_name: str = ""
    phone: str = ""
    first: bool = False
    body: str | None = None
    windows: list["ChatOut"] = []


class ChatsOut(msgspec.Struct, frozen=True):
    """A page, which may be short; `cursor` is null after the last one."""

    chats: list[ChatOut]
    cursor: str | None


class FlushedOut(msgspec.Struct, frozen=True):
    """How many windows were sealed, and how many messages were in them.

    `cursor` is null if that was all.
    """

    sealed: int
    messages: int
    cursor: str | None = None


def chat_out(
    window: OpenWindow, body: bytes | None = None, windows: Sequence[OpenWindow] = ()
) -> ChatOut:
    return ChatOut(
        workspace=window.workspace_id,
        webhook=window.webhook_id,
        chat_id=window.chat_id,
        opened_at=iso(window.opened_ms),
        due_at=iso(window.due_ms),
        why=window.why,
        messages=window.messages,
        chat_name=window.name.name,
        phone=window.name.phone,
        first=window.first,
        body=None if body is None else body.decode(),
        windows=list(map(chat_out, windows)) if len(windows) > 1 else [],
    )
