"""What a template may name: the context's fields, and what kind of value each one is.

The names are known when a template is set, so one that can't exist is a fault then, and never an
empty field in a body. A name that can exist, and has no value in one chat (a record id, a phone),
is empty there. context.py fills what stands here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from hookbundle.engine.messages.message import REF_KEY

REF = re.compile(REF_KEY)


class Plain(Enum):
    """A value that can stand within a text."""

    TEXT = "text"
    NUMBER = "number"
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class RecordShape:
    """An object. `open_shape`: of any further name that matches REF_KEY; without it, of none."""

    fields: Mapping[str, "Shape"] = field(default_factory=dict)
    open_shape: "Shape | None" = None


@dataclass(frozen=True, slots=True)
class ListShape:
    item: "Shape"


Shape = Plain | RecordShape | ListShape

TEXT, NUMBER, FLAG = Plain.TEXT, Plain.NUMBER, Plain.FLAG
LOCAL_TIME = "local_time"  # of a message; made from its timestamp where it is asked for
TIMESTAMP = "timestamp"

PARTY = RecordShape({"full_name": TEXT, "phone": TEXT})
MESSAGE = RecordShape(
    {
        "direction": TEXT,
        TIMESTAMP: TEXT,
        "message_id": TEXT,
        "sender": PARTY,
        "recipient": PARTY,
        "text": TEXT,
        LOCAL_TIME: TEXT,
    }
)
MESSAGES = ListShape(MESSAGE)

CONTEXT: Mapping[str, Shape] = MappingProxyType(
    {
        "whatsapp_account": RecordShape({"full_name": TEXT, "email": TEXT, "phone": TEXT}),
        "chat": RecordShape(
            {
                "full_name": TEXT,
                "responsible_name": TEXT,
                "responsible_email": TEXT,
                "chat_url": TEXT,
                "chat_id": TEXT,
                "is_new_chat": FLAG,
                "is_group": FLAG,
                "phone": TEXT,
            }
        ),
        "messages": MESSAGES,
        "first_message_timestamp": TEXT,
        "last_message_timestamp": TEXT,
        "aggregation": TEXT,
        "first_message_local_time": TEXT,
        "last_message_local_time": TEXT,
        "time_zone": TEXT,
        "link": TEXT,
        "labels": ListShape(TEXT),
        "bundle": RecordShape(
            {"id": TEXT, "sequence": NUMBER, "previous_id": TEXT, "part": NUMBER, "reason": TEXT}
        ),
        "contact": RecordShape(
            {"phone_e164": TEXT, "phone_digits": TEXT, "user_id": TEXT, "username": TEXT}
        ),
        "refs": RecordShape(open_shape=TEXT),
        "stats": RecordShape(
            {"received": NUMBER, "sent": NUMBER, "first_reply_seconds": NUMBER, "unanswered": FLAG}
        ),
    }
)
OPTIONS = "options"  # beside CONTEXT: the variables of the format, which are known when it is set

NAMES = frozenset({*CONTEXT, OPTIONS})


@dataclass(frozen=True, slots=True)
class Unknown:
    """The name can't exist there. `known`: those that can; empty where nothing has a name."""

    name: str
    known: tuple[str, ...]


def step(shape: Shape, segment: str | int) -> Shape | Unknown:
    """The shape of what a name, or a place in a list, of the value leads to."""
    match shape, segment:
        case ListShape(item), int() | "first" | "last":
            return item
        case ListShape(), "size":
            return NUMBER
        case RecordShape(fields), str() if segment in fields:
            return fields[segment]
        case RecordShape(_, Plain() as each), str() if REF.search(segment):
            return each
        case RecordShape(fields), _:
            return Unknown(str(segment), tuple(fields))
        case ListShape(), _:
            return Unknown(str(segment), ("first", "last", "size"))
        case _:
            return Unknown(str(segment), ())


def names(shape: Shape, before: str) -> list[tuple[str, Shape]]:
    """All plain paths within the shape, each with its kind; for the documents."""
    match shape:
        case RecordShape(fields, open_shape):
            found = [
                each for name, part in fields.items() for each in names(part, f"{before}.{name}")
            ]
            return found + ([(f"{before}.KEY", open_shape)] if open_shape else [])
        case ListShape(item):
            return [(before, shape), *names(item, f"{before}[]")]
        case _:
            return [(before, shape)]
