"""The id of a message as WhatsApp Web writes it: `{fromMe}_{chat}_{ID}[_{participant}]`.

The third part is WhatsApp's own id, the same in a message, its edits and its deletion.
"""

from dataclasses import dataclass
from typing import Any

from hookbundle.engine.errors import InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault

PARTS_MAX = 4


@dataclass(frozen=True, slots=True)
class SerialisedId:
    is_sent: bool
    chat: str
    bare: str
    participant: str = ""


def read(text: str, path: str) -> SerialisedId:
    """Raises: InvalidInput if it is none."""
    if not is_one(text):
        raise InvalidInput((fault(path, FaultCode.NOT_IN_FORM, value=quoted(text)),))
    from_me, chat, own, *rest = _parts_of(text)
    return SerialisedId(from_me == "true", chat, own, rest[0] if rest else "")


def is_one(text: str) -> bool:
    parts = _parts_of(text)
    return len(parts) in (3, 4) and parts[0] in ("true", "false") and all(parts)


def bare(value: Any) -> str:
    """WhatsApp's own id, of an id that may be serialised; empty if it is none."""
    text = value if isinstance(value, str) else ""
    return _parts_of(text)[2] if is_one(text) else text


def _parts_of(text: str) -> list[str]:
    """Its parts, one too many at most."""
    return text.split("_", PARTS_MAX)
