"""What intake answers, and an example of what it takes."""

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.messages.changes import CloseIn, DeleteIn, EditIn
from hookbundle.engine.messages.message import Account, ChatIn, MessageIn

EXAMPLE = {
    "whatsapp_account": {
        "full_name": "Amnon Haha",
        "email": "amnon@acme.example",
        "phone": "+972500000000",
    },
    "chat": {
        "full_name": "John Doe",
        "responsible_name": "Amnon",
        "responsible_email": "amnon@acme.example",
        "chat_url": "https://inbox.example/chat/10010001/messages/",
        "chat_id": "10010001",
        "is_new_chat": False,
        "is_group": False,
        "phone": "+97254000000",
        "labels": ["VIP"],
        "refs": {"hubspot": "501"},
    },
    "message": {
        "direction": "received",
        "timestamp": "2021-02-24T16:25:29+0000",
        "message_id": "wamid.HBgLMTIzNDU2Nzg5MA",
        "sender": {"full_name": "John Doe", "phone": "+972540000000"},
        "recipient": {"full_name": "Amnon", "phone": "+972550000000"},
        "text": "Hi there 👋",
        "permalink": "https://inbox.example/chat/10010001/messages/1",
    },
}


class IntakeIn(msgspec.Struct, frozen=True):
    """A message, an edit, a deletion, or the wish to close a chat: it has one of the four fields.

    A message needs `whatsapp_account`; of `chat` the others need `chat_id` alone.
    """

    chat: ChatIn
    whatsapp_account: Account | UnsetType = UNSET
    message: MessageIn | UnsetType = UNSET
    edit: EditIn | UnsetType = UNSET
    delete: DeleteIn | UnsetType = UNSET
    close: CloseIn | UnsetType = UNSET


class SkippedOut(msgspec.Struct, frozen=True):
    message_id: str
    reason: str


class AcceptedOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """How many messages were accepted, duplicate and skipped; together they are the request.

    What follows is left out if there is none. `differs`: ids of duplicates that came with another
    text than before, which was not stored, at most 100. `unknown`: fields that are not known and
    were not kept, each once, at most 20; `did_you_mean`: which field each may have been meant to
    be. With `?strict=1` such a request is refused. `overflowed`: of the accepted ones, those that
    one webhook or more did not get, because it is full; another one got them. `unrouted`: of the
    accepted ones, those that no webhook's filter wanted.

    Of changes: `edited`, `deleted`: in the open window of one webhook or more; `late`: one webhook
    or more had sealed the message before, and nothing is sent; `waiting`: kept for a minute, as the
    message has not come yet; `closed`: windows that were closed. What changed nothing, as an older
    edit or a repeated one, is not counted.
    """

    accepted: int
    duplicate: int
    skipped: list[SkippedOut]
    differs: list[str] = []
    unknown: list[str] = []
    did_you_mean: dict[str, str] = {}
    overflowed: int = 0
    unrouted: int = 0
    edited: int = 0
    deleted: int = 0
    late: int = 0
    waiting: int = 0
    closed: int = 0
