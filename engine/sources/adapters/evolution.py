"""Evolution API v2: events of its channel for WhatsApp's own protocol.

`messages.edited` fires for every message between phones: edits, deletions and settings alike, so
its `type` decides. Its key is written from the author's point of view: of an edit by the contact it
has *our* number and `fromMe: true`. So the chat of such a change is found by its message's id. The
`status: "DELETED"` of `messages.update` means "not known" and is no deletion. `date_time` is local
time with a false `Z`, and is never read (Evolution's whatsapp.baileys.service.ts and
webhook.controller.ts, 2.3.6).
"""

from typing import Any

import msgspec

from hookbundle.engine.sources import addresses, bodies, contents, reading, times
from hookbundle.engine.sources.addresses import Address
from hookbundle.engine.sources.contents import ATTACHMENT, NO_TEXT, Content, Nothing, Protocol, Text
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import MessageEvent, Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

IGNORED = {
    "messages.update": Reason.ACK,
    "presence.update": Reason.PRESENCE,
    "call": Reason.CALL,
    "application.startup": Reason.SESSION,
    "connection.update": Reason.SESSION,
    "qrcode.updated": Reason.SESSION,
    "logout.instance": Reason.SESSION,
    "remove.instance": Reason.SESSION,
    "status.instance": Reason.SESSION,
    "instance.create": Reason.SESSION,
    "instance.delete": Reason.SESSION,
}
IGNORED_FAMILIES = {
    "chats.": Reason.CHAT,
    "labels.": Reason.LABEL,
    "typebot.": Reason.SESSION,
    "group.participants.": Reason.GROUP,
}
GROUP_EVENTS = ("groups.upsert", "groups.update", "group.update")
# As a text or as a number: both occur.
EDITS = ("MESSAGE_EDIT", 14)
DELETIONS = ("REVOKE", 0)
CIPHERTEXT = ("CIPHERTEXT", 2)  # not decrypted yet


class Key(msgspec.Struct, frozen=True, rename="camel"):
    """A message's id and chat; `..._alt` and `..._pn`: the phones of hidden ids, by version."""

    id: str
    remote_jid: str
    from_me: bool = False
    remote_jid_alt: Any = None
    sender_pn: Any = None
    participant: Any = None
    participant_alt: Any = None
    participant_pn: Any = None


class Message(msgspec.Struct, frozen=True, rename="camel"):
    key: Key
    push_name: Any = None
    message: Any = None
    message_timestamp: Any = None
    message_stub_type: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event = reading.text(body, "event")
    maker.named(event)
    name = event.lower().replace("_", ".").replace("-", ".")
    data = reading.at(body, "data")
    parts = data if isinstance(data, list) else [data]
    account = maker.account(
        addresses.phone_of(reading.text(body, "sender")), reading.text(body, "instance")
    )
    if name in ("messages.upsert", "send.message"):
        maker.each(parts, lambda part: _message(maker, account, part))
    elif name in ("messages.edited", "send.message.update"):
        maker.each(parts, lambda part: _change(maker, account, part))
    elif name == "messages.delete":
        maker.each(parts, lambda part: _delete(maker, account, part))
    elif name == "messages.set":
        if settings.accept.history:
            maker.each(parts, lambda part: _message(maker, account, part))
        else:
            maker.ignore(Reason.HISTORY)
    elif name in GROUP_EVENTS:
        _learn_names(maker, account, parts, "id", "subject")
        maker.ignore(Reason.GROUP)
    elif name.startswith("contacts."):
        _learn_names(maker, account, parts, "remoteJid", "pushName")
        maker.ignore(Reason.CONTACT)
    else:
        maker.ignore_by_name(name, IGNORED, IGNORED_FAMILIES)
    return maker.done()


def _message(maker: Maker, account: AccountSettings, part: Any) -> Outcome:
    said = bodies.part(part, Message, "data")
    key, is_sent = said.key, said.key.from_me
    sent_ms = times.read_ms(said.message_timestamp)
    found = contents.of_message(said.message)
    if isinstance(found, Protocol):
        chat = _chat(maker, key)
        chat_id = maker.chat_id(chat, account)
        # An admin of a group deletes messages of others, too.
        is_own = reading.at(found.protocol, "key", "fromMe") is not False
        maker.refuse_unwanted(chat, is_sent=is_sent and is_own)
        return _protocol(maker, found.protocol, chat_id, sent_ms)
    chat, speaker = _chat(maker, key), _speaker(maker, account, key)
    name = "" if is_sent else reading.name(said.push_name)
    if name in (_number(key.remote_jid), _number(speaker.id if speaker else "")):
        name = ""  # no name at all, but what Evolution writes where it knows none
    outcome = maker.message(
        Said(
            chat=chat,
            message_id=key.id,
            content=found or _without_content(said),
            is_sent=is_sent,
            sent_ms=sent_ms,
            account=account,
            chat_name="" if chat.is_group else name,
            sender_name=name or ("" if speaker is None or is_sent else speaker.phone or speaker.id),
            sender_phone=speaker.phone if speaker else "",
        )
    )
    is_told_badly = speaker is None and (not is_sent or chat.phone == account.phone)
    if is_told_badly and isinstance(outcome, MessageEvent):
        # Its edits will come with our own number as their chat.
        maker.notes.message_is_in(key.id, outcome.event.chat.chat_id)
    return outcome


def _without_content(said: Message) -> Content:
    if said.message_stub_type in CIPHERTEXT:
        return Nothing(Reason.WAITING)
    return Nothing(Reason.SYSTEM) if said.message_stub_type else NO_TEXT


def _change(maker: Maker, account: AccountSettings, part: Any) -> Outcome:
    """`part` is the protocol message itself, and no other key tells the chat."""
    if not isinstance(part, dict) or part.get("type") not in (*EDITS, *DELETIONS):
        return maker.ignored(Reason.PROTOCOL)
    key = bodies.part(part.get("key"), Key, "data.key")
    chat, chat_id = _chat_of_change(maker, account, key)
    if chat_id is None:
        return maker.ignored(Reason.CHAT_UNKNOWN)
    if chat is not None:
        maker.refuse_unwanted(chat, is_sent=_is_sent(chat, key))
    return _protocol(maker, part, chat_id, None)


def _protocol(maker: Maker, protocol: dict[str, Any], chat_id: str, at_ms: int | None) -> Outcome:
    kind = protocol.get("type")
    told_ms = times.read_ms(protocol.get("timestampMs"))
    message_id = reading.text(protocol, "key", "id")
    if isinstance(kind, bool) or kind not in (*EDITS, *DELETIONS):
        return maker.ignored(Reason.PROTOCOL)
    if kind in DELETIONS:
        return maker.delete(chat_id, message_id, told_ms or at_ms)
    edited = contents.of_message(protocol.get("editedMessage"))
    if edited == ATTACHMENT:
        return maker.ignored(Reason.EDIT_OF_MEDIA)
    text = edited.text if isinstance(edited, Text) else None
    return maker.edit(chat_id, message_id, text, told_ms or at_ms)


def _delete(maker: Maker, account: AccountSettings, part: Any) -> Outcome:
    """A key, or a whole record with a key in it if the message was deleted through the API."""
    record = reading.at(part, "key")
    key = bodies.part(part if record is None else record, Key, "data")
    chat, chat_id = _chat_of_change(maker, account, key)
    if chat_id is None:
        return maker.ignored(Reason.CHAT_UNKNOWN)
    if chat is not None:
        maker.refuse_unwanted(chat, is_sent=_is_sent(chat, key))
    return maker.delete(chat_id, key.id, None)


def _chat_of_change(
    maker: Maker, account: AccountSettings, key: Key
) -> tuple[Address | None, str | None]:
    """Of a key as its author writes it: our own number means "the chat with me"."""
    chat = _chat(maker, key)
    if chat.is_group:
        return chat, maker.chat_id(chat, account)
    known = maker.notes.chat_of_message(key.id)
    if known is not None:
        return None, known
    if chat.phone and chat.phone == account.phone:
        return None, None
    return chat, maker.chat_id(chat, account)


def _is_sent(chat: Address, key: Key) -> bool:
    """Whether it is a sent message that is changed; in a group the key does not tell that."""
    return key.from_me and not chat.is_group


def _chat(maker: Maker, key: Key) -> Address:
    also = reading.first_of(
        reading.text(key.remote_jid_alt), "" if key.from_me else reading.text(key.sender_pn)
    )
    return addresses.of(key.remote_jid, maker.notes, also=also, path="data.key.remoteJid")


def _speaker(maker: Maker, account: AccountSettings, key: Key) -> Address | None:
    """Who speaks in a group; in direct chats the participant is empty."""
    written = reading.text(key.participant)
    if not written or not key.remote_jid.endswith("@g.us"):
        return None
    also = reading.first_of(reading.text(key.participant_alt), reading.text(key.participant_pn))
    speaker = addresses.of(written, maker.notes, also=also, path="data.key.participant")
    maker.chat_id(speaker, account)  # learns the phone of a hidden id
    return speaker


def _learn_names(
    maker: Maker, account: AccountSettings, parts: list[Any], jid: str, name: str
) -> None:
    """Names of contacts and subjects of groups; not our own name."""
    for part in parts:
        maker.rest()
        found = addresses.found(reading.text(part, jid), maker.notes)
        if found is not None and found.phone != (account.phone or None):
            maker.notes.chat_is_called(maker.chat_id(found, account), reading.name(part, name))


def _number(address: str) -> str:
    return address.partition("@")[0].partition(":")[0]
