"""What other systems write, as their own documentation has it, and which chat that is of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookbundle.engine.sources.settings import GenericFields, SourceSettings

FIELDS = SourceSettings(
    fields=GenericFields(
        message_id="data.id",
        chat_id="data.chat",
        text="data.text",
        timestamp="data.at",
        event="type",
    ),
    message_events=("message.new",),
)
OF_SOURCES = (
    "source message",
    "source tries again",
    "source repeats itself",
    "source event ignored",
    "hidden id known",
)
OWN = {"15550101234": "c", "15550102222": "ca"}  # how a system of its own names its chats


@dataclass(frozen=True, slots=True)
class Event:
    """A message: `contact`: the phone's digits; `form`: see NAMED of sources.py."""

    id: str
    sent_s: int
    text: str
    contact: str
    form: str

    @property
    def lid(self) -> str:
        return f"{self.contact[::-1]}@lid"

    def teaches(self, kind: str) -> bool:
        return self.form == "both" and kind != "generic"

    def chat_in(self, kind: str, phones: Mapping[str, str]) -> str:
        """`phones`: of hidden ids, what was told so far."""
        if kind == "generic":
            return OWN[self.contact]
        return phones.get(self.lid, self.lid) if self.form == "lid" else self.contact


def _of_waha(events: Sequence[Event]) -> Any:
    (event,) = events
    chat = f"{event.contact}@c.us" if event.form == "phone" else event.lid
    also = {"remoteJidAlt": f"{event.contact}@s.whatsapp.net"} if event.form == "both" else {}
    payload = {
        "id": f"false_{chat}_{event.id}",
        "timestamp": event.sent_s,
        "fromMe": False,
        "body": event.text,
        "hasMedia": False,
        "_data": {"key": {"remoteJid": chat, **also}},
    }
    return {"event": "message", "session": "default", "payload": payload}


def _of_evolution(events: Sequence[Event]) -> Any:
    data = []
    for event in events:
        chat = f"{event.contact}@s.whatsapp.net" if event.form == "phone" else event.lid
        also = {"remoteJidAlt": f"{event.contact}@s.whatsapp.net"} if event.form == "both" else {}
        data.append(
            {
                "key": {"remoteJid": chat, "fromMe": False, "id": event.id, **also},
                "message": {"conversation": event.text},
                "messageTimestamp": event.sent_s,
            }
        )
    return {"event": "messages.upsert", "instance": "care", "data": data}


def _of_generic(events: Sequence[Event]) -> Any:
    (event,) = events
    data = {"id": event.id, "chat": OWN[event.contact], "text": event.text, "at": event.sent_s}
    return {"type": "message.new", "data": data}


SYSTEMS: dict[str, Callable[[Sequence[Event]], Any]] = {
    "waha": _of_waha,
    "evolution": _of_evolution,
    "generic": _of_generic,
}


def unknown_body(kind: str) -> tuple[Any, ...]:
    """A receipt, and an event that there will only be."""
    receipt = {"waha": "message.ack", "evolution": "messages.update", "generic": "read"}[kind]
    data = {"id": "m1", "chat": "c", "text": "read", "at": 1, "ack": 3}
    name = "type" if kind == "generic" else "event"
    return tuple({name: each, "data": data, "payload": data} for each in (receipt, "brand.new"))
