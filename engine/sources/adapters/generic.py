"""Any system that posts messages as JSON: the settings say where in a body each part is.

    {"fields": {"message_id": "data.messages[].id", "chat_id": "data.messages[].chat",
                "text": "data.messages[].text || data.messages[].caption",
                "direction": "data.messages[].flow", "event": "type"},
     "message_events": ["message.new"], "edit_events": ["message.edited"]}

A chat's id that is an address of WhatsApp is written like everywhere; any other stays as it is.
"""

from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any

import msgspec

from hookbundle.engine.sources import addresses, bodies, contents, reading, times
from hookbundle.engine.sources.adapters import generic_paths as paths
from hookbundle.engine.sources.addresses import Address
from hookbundle.engine.sources.contents import ATTACHMENT
from hookbundle.engine.sources.events import Maker, Said
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Outcome, Reason, Translation
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import AccountSettings, GenericFields, SourceSettings

FIELDS = GenericFields.__struct_fields__
TRUE_TEXTS = ("true", "1", "yes", "group")


class Found:
    """The parts of one message in a body."""

    def __init__(self, fields: Mapping[str, paths.Path], body: Any, item: Any) -> None:
        self._fields, self._body, self._item = fields, body, item

    def value(self, name: str) -> Any:
        """The first that is there of the field's places; None if none is."""
        for place in self._fields[name]:
            root = self._body if place.listed is None else self._item
            value = paths.value_at(root, place.steps)
            if value not in (None, ""):
                return value
        return None

    def text(self, name: str) -> str:
        return reading.id_of(self.value(name))

    def name(self, name: str) -> str:
        return reading.name(self.value(name))

    def word(self, name: str) -> str:
        """A value in lower case, to be compared with words; `true` is one of them."""
        value = self.value(name)
        if isinstance(value, bool):
            return "true" if value else "false"
        return reading.id_of(value).lower()


def adapt(settings: SourceSettings, memory: Memory, request: SourceRequest) -> Translation:
    maker = Maker.of(settings, memory, request)
    body = bodies.json_of(request.body)
    fields = _fields_of(settings.fields)
    listed = next(
        (found for path in fields.values() if (found := paths.list_of(path)) is not None), None
    )
    items = [body] if listed is None else paths.value_at(body, listed)
    if not isinstance(body, (dict, list)) or not isinstance(items, list) or not items:
        maker.ignore(Reason.UNKNOWN_SHAPE)
        return maker.done()
    sent_values = frozenset(value.lower() for value in settings.sent_values)
    for item in items:
        parts = Found(fields, body, item)
        maker.named(parts.text("event"))
        maker.one(parts, partial(_outcome, maker, sent_values))
    return maker.done()


@lru_cache(maxsize=256)
def _fields_of(written: GenericFields | None) -> Mapping[str, paths.Path]:
    return {name: paths.parse(getattr(written, name, "")) or () for name in FIELDS}


def _outcome(maker: Maker, sent_values: frozenset[str], found: Found) -> Outcome:
    settings, event = maker.settings, found.text("event")
    if not found.text("message_id") and not found.text("chat_id"):
        return maker.ignored(Reason.UNKNOWN_SHAPE)
    is_change = event in settings.edit_events or event in settings.delete_events
    if settings.message_events and event not in settings.message_events and not is_change:
        return maker.ignored(Reason.UNKNOWN_EVENT)
    chat, sent_ms = _chat(maker, found), times.read_ms(found.value("timestamp"))
    account = _account(maker, found.text("account_phone"))
    if found.name("account_name"):
        account = msgspec.structs.replace(account, full_name=found.name("account_name"))
    is_sent = found.word("direction") in sent_values
    if is_change:
        maker.refuse_unwanted(chat, is_sent=is_sent)
        chat_id, message_id = maker.chat_id(chat, account), found.text("message_id")
        if event in settings.delete_events:
            return maker.delete(chat_id, message_id, sent_ms)
        return maker.edit(chat_id, message_id, reading.text(found.value("text")), sent_ms)
    name, own_name = found.name("chat_name"), found.name("sender_name")
    sender = found.text("sender_phone")
    return maker.message(
        Said(
            chat=chat,
            message_id=found.text("message_id"),
            content=ATTACHMENT
            if found.value("attachment")
            else contents.text_or_skip(reading.text(found.value("text"))),
            is_sent=is_sent,
            sent_ms=sent_ms,
            account=account,
            chat_name=name or ("" if chat.is_group or is_sent else own_name),
            sender_name=own_name,
            sender_phone=(addresses.phone_of(sender) or sender) if chat.is_group else "",
            chat_url=found.text("chat_url"),
            is_new_chat=found.word("is_new_chat") in TRUE_TEXTS,
            responsible_name=found.name("responsible_name"),
            responsible_email=found.name("responsible_email"),
        )
    )


def _account(maker: Maker, written: str) -> AccountSettings:
    """By its phone, or by any name that `numbers` has; a name is no phone."""
    phone = addresses.phone_of(written)
    is_name = not phone and written in maker.settings.numbers
    return maker.account("" if is_name else phone or written, written)


def _chat(maker: Maker, found: Found) -> Address:
    """Digits alone may be any system's id, so they are no phone here."""
    written = found.text("chat_id")
    phone = addresses.phone_of(found.text("chat_phone"))
    is_phone = written.startswith(("+", "whatsapp:")) and addresses.digits_of(written)
    if is_phone or addresses.is_of_whatsapp(written):
        return addresses.of(written, maker.notes, also=phone, path="chat_id")
    is_group = found.word("is_group") in TRUE_TEXTS
    return Address(written, "" if is_group else phone, is_group=is_group)
