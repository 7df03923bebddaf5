"""Fields that are not known: found in a message, and compared with those that are.

A field that is not known is not kept, so who misspelt one has to be told. A list of them is
bounded: at most UNKNOWN_LISTED_MAX for a request, each cut at KEY_CHARS_MAX.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages.changes import KINDS, CloseIn, DeleteIn, EditIn
from hookbundle.engine.messages.message import Account, ChatIn, Event, MessageIn, Party
from hookbundle.engine.near_names import near_name

KEY_CHARS_MAX = 64  # of an unknown field, in an answer
UNKNOWN_LISTED_MAX = 20

# The objects of a message, each with its fields.
SHAPE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", Event.__struct_fields__),
    ("whatsapp_account", Account.__struct_fields__),
    ("chat", ChatIn.__struct_fields__),
    ("message", MessageIn.__struct_fields__),
    ("message.sender", Party.__struct_fields__),
    ("message.recipient", Party.__struct_fields__),
    ("edit", EditIn.__struct_fields__),
    ("delete", DeleteIn.__struct_fields__),
    ("close", CloseIn.__struct_fields__),
)
KNOWN = {parent: frozenset(fields) for parent, fields in SHAPE}
KNOWN[""] |= KINDS.keys()
# Where a field is that stands in the wrong object; that of a message before that of a chat.
ELSEWHERE = {name: f"{parent}.{name}" for parent, fields in SHAPE[1:4] for name in fields}


@dataclass(slots=True)
class UnknownFields:
    """The fields of a request that are not known, each once; `near`: what may have been meant."""

    fields: list[str] = field(default_factory=list)
    near: dict[str, str] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return len(self.fields) >= UNKNOWN_LISTED_MAX

    def look(self, value: Any) -> None:
        """The unknown fields of one message are listed, as long as there is room."""
        for parent, name in unknown_in(value):
            if self.is_full:
                return
            at = joined(parent, name)
            if at not in self.fields:
                self.fields.append(at)
                near = meant(parent, name)
                if near:
                    self.near[at] = near


def unknown_in(value: Any) -> Iterator[tuple[str, str]]:
    """The fields of a decoded message that are not known, each with the object that it is in."""
    if not isinstance(value, dict):
        return
    message = value.get("message")
    people = message if isinstance(message, dict) else {}
    objects = {
        "": value,
        "whatsapp_account": value.get("whatsapp_account"),
        "chat": value.get("chat"),
        "message": message,
        "message.sender": people.get("sender"),
        "message.recipient": people.get("recipient"),
        "edit": value.get("edit"),
        "delete": value.get("delete"),
        "close": value.get("close"),
    }
    for parent, one in objects.items():
        if isinstance(one, dict) and not one.keys() <= KNOWN[parent]:
            for name in one:
                if name not in KNOWN[parent]:
                    yield parent, name


def strict_faults(value: Any, place: str) -> Iterator[Fault]:
    """A fault for each field of the message that is not known."""
    for parent, name in unknown_in(value):
        yield _fault(joined(parent, name), meant(parent, name)).within(place)


def meant(parent: str, name: str) -> str:
    """The field that is like this one, in the same object or elsewhere; empty if there is none."""
    return _meant(parent, name[:KEY_CHARS_MAX])


@lru_cache(maxsize=1_024)  # who sends an unknown field sends it with every message
def _meant(parent: str, name: str) -> str:
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    near = near_name(name, KNOWN[parent])
    return joined(parent, near) if near else ""


def unknown_faults(value: Mapping[str, Any], known: Sequence[str], path: str) -> Iterator[Fault]:
    """A fault for each field of the object that is not among `known`."""
    for name in value:
        if name not in known:
            near = near_name(name, known)
            yield _fault(joined(path, name), joined(path, near) if near else "")


def _fault(path: str, near: str) -> Fault:
    if near:
        return fault(path, FaultCode.MISSPELT_FIELD, near=near)
    return fault(path, FaultCode.UNKNOWN_FIELD)


def joined(path: str, name: str) -> str:
    """The path of a field, whose name may be anything a client sends."""
    cut = name[:KEY_CHARS_MAX]
    at = cut if cut.isprintable() else quoted(cut)
    return f"{path}.{at}" if path else at
