"""Which of the webhook's rules a window has: that of the message which opened it.

A message that opens a window is judged then. When the settings have changed it is judged once more,
as if it came now. It is the first that arrived of those in the window. One that left at once is in
a delivery of its own; when that was trimmed, its chat and account are still known, and its text is
not.
"""

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.filters.subject import Subject
from hookbundle.engine.messages.message import Incoming
from hookbundle.engine.windows.rule import OTHERWISE
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import Part, Window
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.rows import BYTES_PER_WEIGHT, READ_WEIGHT
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import bodies, queue
from hookbundle.storage.tables.changing import details
from hookbundle.storage.tables.routing import offers
from hookbundle.storage.tables.rules import ends


class _Body(msgspec.Struct):
    """The body of a bundle, as far as a filter needs it."""

    whatsapp_account: msgspec.Raw
    chat: msgspec.Raw
    messages: list[msgspec.Raw]


_body_decoder = msgspec.json.Decoder(_Body)


def choice(unit: Unit, webhook: Webhook, message: Incoming) -> int:
    """The number of the rule that the message, which finds no open window, opens one by."""
    setting = ends.setting(webhook)
    if not setting.choices:
        return OTHERWISE
    return _choose(unit, webhook, offers.subject_of(message))


def judge_again(unit: Unit, webhook: Webhook, chat: bytes, window: Window) -> None:
    """The window has the rule that it would have if it were opened with the settings of now.

    Raises: CorruptRecord.
    """
    if not ends.setting(webhook).choices:
        window.choice = OTHERWISE
        return
    window.choice = _choose(unit, webhook, _opener(unit, webhook, chat, window))


def is_left_behind(state: WebhookState, webhook: Webhook, chat: bytes) -> bool:
    """Whether windows are being re-timed, and the chat's is still to come."""
    after = state.retime_after
    return after is not None and keyspace.owned(keyspace.CHATS, webhook.workspace, chat) > after


def _choose(unit: Unit, webhook: Webhook, subject: Subject) -> int:
    chosen = ends.setting(webhook).choose(subject)
    unit.weight += 1 + subject.looked_through // offers.CHARS_PER_WEIGHT
    return chosen


def _opener(unit: Unit, webhook: Webhook, chat: bytes, window: Window) -> Subject:
    """The message that opened the window."""
    if window.first:
        return _left_at_once(unit, webhook, chat, window)
    members = window.tail
    for number in range(window.parts):
        key = keyspace.part(webhook.workspace, chat, webhook.number, number)
        value = unit.get_raw(key) or b""
        unit.weight += READ_WEIGHT + len(value) // BYTES_PER_WEIGHT
        found = codec.unpack(key, value, Part).members
        if found:  # all that a part had may have been deleted
            members = found
            break
    message = members[0].message if members else b"{}"
    own = details.own_of(members[0]) if members else None
    account, chat_json, extra = msgspec.structs.astuple(own or details.of_first(window))
    return Subject(account=account, chat=chat_json, message=message, extra=extra)


def _left_at_once(unit: Unit, webhook: Webhook, chat: bytes, window: Window) -> Subject:
    try:
        found = queue.find(unit, webhook.number, window.first)
        if found is not None and found.chat_id.encode() == chat:
            whole = bodies.read(unit.get_raw, webhook.number, window.first, found.body_bytes)
            unit.weight += READ_WEIGHT + len(whole) // BYTES_PER_WEIGHT
            body = _body_decoder.decode(whole)
            return Subject(
                account=bytes(body.whatsapp_account),
                chat=bytes(body.chat),
                message=bytes(body.messages[0]),
                extra=found.extra,
            )
    except CorruptRecord:
        pass  # `check` names it; the window has a rule without it
    return Subject(account=window.account, chat=window.chat, message=b"{}", extra=window.extra)
