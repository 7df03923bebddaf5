"""WAHA (devlikeapro/waha): events of its four engines, which fill the same fields differently.

Neither `from` nor `to` is the chat: NOWEB and GOWS have the chat in `from` even of sent messages,
GOWS has the participant in `to` of a group. The chat is the second part of the message's id,
`{fromMe}_{chat}_{ID}[_{participant}]`; its third part is WhatsApp's own id, the same in message,
edit and deletion (WAHA's core/utils/ids.ts and session.{webjs,noweb,gows,wpp}.core.ts).
`message` and `message.any` are the same message twice.
"""

from typing import Any

import msgspec

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.sources import addresses, bodies, contents, reading, serialised, times
from hookbundle.engine.sources.addresses import Address
from hookbundle.engine.sources.contents import ATTACHMENT, NO_TEXT, Content, Nothing, Protocol, Text
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.serialised import SerialisedId
from hookbundle.engine.sources.settings import AccountSettings, SourceSettings

IGNORED = {
    "message.waiting": Reason.WAITING,
    "message.reaction": Reason.REACTION,
    "message.ack": Reason.ACK,
    "message.ack.group": Reason.ACK,
    "session.status": Reason.SESSION,
    "state.change": Reason.SESSION,
    "engine.event": Reason.SESSION,
    "presence.update": Reason.PRESENCE,
    "poll.vote": Reason.POLL_VOTE,
    "poll.vote.failed": Reason.POLL_VOTE,
    "event.response": Reason.POLL_VOTE,
    "event.response.failed": Reason.POLL_VOTE,
    "chat.archive": Reason.CHAT,
}
IGNORED_FAMILIES = {"group.": Reason.GROUP, "label.": Reason.LABEL, "call.": Reason.CALL}


class Envelope(msgspec.Struct, frozen=True):
    event: str
    payload: Any = None
    me: Any = None
    timestamp: Any = None
    session: str = ""


class Payload(msgspec.Struct, frozen=True, rename={"from_me": "fromMe", "data": "_data"}):
    """Of a message or an edit; `data` is what the engine itself has."""

    id: str
    from_me: bool | None = None
    body: str | None = None
    timestamp: Any = None
    media: Any = None
    location: Any = None
    has_media: Any = msgspec.field(default=None, name="hasMedia")
    cards: Any = msgspec.field(default=None, name="vCards")
    edited_id: Any = msgspec.field(default=None, name="editedMessageId")
    data: Any = None


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    event = reading.text(body, "event")
    maker.named(event)
    if event in ("message", "message.any"):
        maker.one(body, lambda value: _message(maker, bodies.part(value, Envelope, "")))
    elif event == "message.edited":
        maker.one(body, lambda value: _edit(maker, bodies.part(value, Envelope, "")))
    elif event == "message.revoked":
        maker.one(body, lambda value: _delete(maker, bodies.part(value, Envelope, "")))
    else:
        maker.ignore_by_name(event, IGNORED, IGNORED_FAMILIES)
    return maker.done()


def _message(maker: Maker, envelope: Envelope) -> Outcome:
    payload = bodies.part(envelope.payload, Payload, "payload")
    message_id = serialised.read(payload.id, "payload.id")
    is_sent = message_id.is_sent if payload.from_me is None else payload.from_me
    chat = _chat(maker, message_id, payload.data, envelope.me, is_sent=is_sent)
    name = "" if is_sent else _push_name(payload.data)
    speaker = _participant(maker, message_id, payload.data, envelope)
    return maker.message(
        Said(
            chat=chat,
            message_id=message_id.bare,
            content=_content(payload),
            is_sent=is_sent,
            sent_ms=_sent_ms(payload.timestamp, envelope),
            account=_account(maker, envelope),
            chat_name="" if chat.is_group else name,
            sender_name=name or (speaker.phone or speaker.id if speaker and not is_sent else ""),
            sender_phone=speaker.phone if speaker else "",
        )
    )


def _edit(maker: Maker, envelope: Envelope) -> Outcome:
    """`body` is the new text, `editedMessageId` the bare id of the original, in all engines."""
    payload = bodies.part(envelope.payload, Payload, "payload")
    message_id = serialised.read(payload.id, "payload.id")
    chat = _chat(maker, message_id, payload.data, envelope.me, is_sent=message_id.is_sent)
    is_sent = message_id.is_sent if payload.from_me is None else payload.from_me
    maker.refuse_unwanted(chat, is_sent=is_sent)
    content = _content(payload, of_edit=True)
    if content == ATTACHMENT:
        return maker.ignored(Reason.EDIT_OF_MEDIA)
    original = serialised.bare(payload.edited_id)
    if not original:
        raise InvalidInput((fault("payload.editedMessageId", FaultCode.MISSING),))
    text = content.text if isinstance(content, Text) else None
    at_ms = _sent_ms(payload.timestamp, envelope)
    return maker.edit(maker.chat_id(chat, _account(maker, envelope)), original, text, at_ms)


def _delete(maker: Maker, envelope: Envelope) -> Outcome:
    """`before` and `after` are messages, or with WPP keys; either may be missing.

    An admin of a group deletes messages of others: only `before` says whose it was.
    """
    payload = envelope.payload
    before, after = reading.at(payload, "before"), reading.at(payload, "after")
    there = [each for each in (after, before) if serialised.bare(reading.at(each, "id"))]
    if not there:
        raise InvalidInput((fault("payload.after.id", FaultCode.MISSING),))
    message_id, data = _id_of_deleted(there[0]), reading.at(there[0], "_data")
    chat = _chat(maker, message_id, data, envelope.me, is_sent=message_id.is_sent)
    is_told = there[-1] is before or not chat.is_group
    maker.refuse_unwanted(chat, is_sent=is_told and _is_sent(there[-1]))
    revoked = serialised.bare(reading.at(payload, "revokedMessageId")) or serialised.bare(
        reading.at(before, "id")
    )
    if not revoked:
        raise InvalidInput((fault("payload.revokedMessageId", FaultCode.MISSING),))
    at_ms = times.read_ms(reading.at(after, "timestamp"))
    return maker.delete(maker.chat_id(chat, _account(maker, envelope)), revoked, at_ms)


def _id_of_deleted(told: Any) -> SerialisedId:
    """Raises: InvalidInput."""
    written = reading.text(told, "id")
    if not serialised.is_one(written):
        is_sent = "true" if _is_sent(told) else "false"
        written = f"{is_sent}_{reading.text(told, 'remoteJid')}_{written}"
    return serialised.read(written, "payload.id")


def _is_sent(told: Any) -> bool:
    written = reading.text(told, "id")
    is_key = not serialised.is_one(written)
    return reading.at(told, "fromMe") is True if is_key else written.startswith("true_")


def _chat(maker: Maker, message_id: SerialisedId, data: Any, me: Any, *, is_sent: bool) -> Address:
    """The phone of a hidden contact stands where its engine has it; WEBJS has it nowhere."""
    also = reading.first_of(
        reading.text(data, "key", "remoteJidAlt"),
        "" if is_sent else reading.text(data, "key", "senderPn"),
        reading.text(data, "Info", "RecipientAlt" if is_sent else "SenderAlt"),
    )
    return addresses.of(
        message_id.chat, maker.notes, also=_own(message_id.chat, me) or also, path="payload.id"
    )


def _participant(
    maker: Maker, message_id: SerialisedId, data: Any, envelope: Envelope
) -> Address | None:
    """Who speaks in a group."""
    if not message_id.chat.endswith("@g.us") or not message_id.participant:
        return None
    also = reading.first_of(
        reading.text(data, "key", "participantAlt"),
        reading.text(data, "key", "participantPn"),
        reading.text(data, "Info", "SenderAlt"),
    )
    written = message_id.participant
    also = _own(written, envelope.me) or also
    speaker = addresses.of(written, maker.notes, also=also, path="payload.id")
    maker.chat_id(speaker, _account(maker, envelope))  # learns the phone of a hidden id
    return speaker


def _own(written: str, me: Any) -> str:
    """Our own address, if it is our own hidden id that is written."""
    lid = addresses.lid_of(written)
    is_own = lid and lid == addresses.lid_of(reading.text(me, "lid"))
    return reading.text(me, "id") if is_own else ""


def _content(payload: Payload, *, of_edit: bool = False) -> Content:
    by_type = contents.of_web_type(reading.at(payload.data, "type"))
    if isinstance(by_type, Nothing) and not of_edit:
        return by_type
    if payload.has_media or payload.media or by_type == ATTACHMENT:
        return ATTACHMENT
    if payload.location or payload.cards or by_type == NO_TEXT:
        return NO_TEXT
    message = reading.at(payload.data, "message") or reading.at(payload.data, "Message")
    found = contents.of_message(message)
    if isinstance(found, Protocol) and of_edit:
        edited = contents.of_message(found.protocol.get("editedMessage"))
        found = None if isinstance(edited, Protocol) else edited
    if isinstance(found, Protocol):
        return Nothing(Reason.PROTOCOL)
    if found is None or isinstance(found, Text):  # WAHA's own text has more of some messages
        text = payload.body or (found.text if found else None)
        return contents.text_or_skip(text)
    return found


def _push_name(data: Any) -> str:
    """The contact's own name; in a message of our own it is ours."""
    return reading.first_of(
        reading.name(data, "notifyName"),
        reading.name(data, "pushName"),
        reading.name(data, "Info", "PushName"),
    )


def _account(maker: Maker, envelope: Envelope) -> AccountSettings:
    return maker.account(addresses.phone_of(reading.text(envelope.me, "id")), envelope.session)


def _sent_ms(value: Any, envelope: Envelope) -> int | None:
    told_ms, sent_ms = times.read_ms(envelope.timestamp), times.read_ms(value)
    return told_ms if sent_ms is None else times.within_second(sent_ms, told_ms)
