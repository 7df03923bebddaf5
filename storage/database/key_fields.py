"""What is in a key: the only place that takes one apart. keyspace.py has the table of all keys."""

from hookbundle.storage.database.keyspace import (
    DELIVERY_TAIL,
    DUE_KEY,
    ENDED_KEY,
    OWNED,
    OWNED_U4,
    OWNED_U8,
    OWNED_U8_U4,
    PART_TAIL,
    U8,
    Due,
    DueKind,
)

_KINDS = {int(kind): kind for kind in DueKind}


def due(key: bytes) -> Due:
    """The row of the due index that has the key. Raises: ValueError for an unknown kind."""
    _, kind, at_ms, whose = DUE_KEY.unpack_from(key)
    return Due(at_ms, _KINDS.get(kind) or DueKind(kind), whose, key[DUE_KEY.size :])


def owner(key: bytes) -> int:
    """The workspace's or webhook's number, which follows the letter."""
    found: int = OWNED.unpack_from(key)[1]
    return found


def subject(key: bytes) -> bytes:
    """The chat, or the request key, in a key made by `owned`."""
    return key[OWNED.size :]


def of_delivery(key: bytes) -> tuple[int, int, int]:
    """The webhook, the delivery, and the number of the attempt or chunk."""
    _, webhook, delivery, last = OWNED_U8_U4.unpack(key)
    return webhook, delivery, last


def place(key: bytes) -> tuple[int, int, int]:
    """The webhook, the number in the delivery's id, and the delivery's."""
    return owner(key), U8.unpack_from(key, OWNED.size)[0], number(key)


def of_chat(key: bytes) -> tuple[int, bytes, bytes]:
    """The workspace's number, the chat, and what follows it. Raises: ValueError."""
    start = OWNED.size + 1
    size = key[OWNED.size] if len(key) >= start else 0
    if len(key) < start + size:
        raise ValueError(f"{key!r} is too short")
    return owner(key), key[start : start + size], key[start + size :]


def part(key: bytes) -> tuple[int, bytes, int, int]:
    """The workspace's number, the chat, the webhook's and the part's number."""
    workspace, chat, tail = of_chat(key)
    return workspace, chat, *PART_TAIL.unpack(tail)


def chat_delivery(key: bytes) -> tuple[int, int]:
    """The delivery's and the webhook's number at the end of a key by `chat_delivery`, `ended`."""
    delivery, webhook = DELIVERY_TAIL.unpack_from(key, len(key) - DELIVERY_TAIL.size)
    return delivery, webhook


def ended_ms(key: bytes) -> int:
    """When the delivery ended, in a key made by `ended`."""
    at_ms: int = ENDED_KEY.unpack(key)[2]
    return at_ms


def arrivals(key: bytes) -> tuple[int, int, bytes, int]:
    """The webhook, the day, the chat, and when the row was put there. Raises: ValueError."""
    start = OWNED_U4.size + 1
    size = key[OWNED_U4.size] if len(key) >= start else 0
    if len(key) != start + size + U8.size:
        raise ValueError(f"{key!r} should have {size} bytes for the chat")
    _, webhook, day = OWNED_U4.unpack_from(key)
    return webhook, day, key[start : start + size], number(key)


def day_of_arrivals(key: bytes) -> int:
    found: int = OWNED_U4.unpack_from(key)[2]
    return found


def request_time(key: bytes) -> tuple[int, bytes]:
    """The time and the request key."""
    return U8.unpack_from(key, OWNED.size)[0], key[OWNED_U8.size :]


def part_number(tail: bytes) -> int:
    """The number of a part of seen ids, from the end of its key."""
    return int.from_bytes(tail, "big")


def number(key: bytes) -> int:
    """The 8-byte number at the end of a key: of a delivery, a log entry, an e-mail or an event."""
    found: int = U8.unpack_from(key, len(key) - U8.size)[0]
    return found
