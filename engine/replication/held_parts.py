"""Parts of requests that have not all come: each node that asks has a share of what may be held.

Without shares, one node that sends first parts and never the last would keep the others from being
heard. What is not complete in time is dropped: its sender has given up.
"""

from dataclasses import dataclass, field

from hookbundle.engine.replication.envelopes import Envelope

HELD_BYTES_MAX = 64 * 1024 * 1024
SHARE_BYTES_MAX = 24 * 1024 * 1024  # of one node; two of the largest requests, and more
PART_BYTES = 256  # what a part takes beside its body
COMPLETE_WITHIN_S = 10.0


@dataclass(slots=True)
class Begun:
    """A request of which some parts are there."""

    since_s: float
    reply_to: str = ""
    parts: dict[int, bytes] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(map(_size, self.parts.values()))


@dataclass(frozen=True, slots=True)
class Whole:
    """A request, all parts in their order; `reply_to` is that of the first one."""

    reply_to: str
    body: bytes


class NoRoom(Exception):
    """The request is dropped, with all its parts."""


class HeldParts:
    """Belongs to one node, which is asked."""

    def __init__(self) -> None:
        self._begun: dict[tuple[str, int], Begun] = {}
        self._bytes: dict[str, int] = {}

    @property
    def held_bytes(self) -> int:
        return sum(self._bytes.values())

    def add(self, part: Envelope, reply_to: str, now_s: float) -> Whole | None:
        """The request, if this was what it lacked. Raises: NoRoom."""
        self._drop_old(now_s)
        if part.parts == 1:
            return Whole(reply_to, part.body)  # nothing of it is held
        key = part.sender, part.number
        size = _size(part.body)
        held = self._bytes.get(part.sender, 0)
        if held + size > SHARE_BYTES_MAX or self.held_bytes + size > HELD_BYTES_MAX:
            self._drop(key)
            raise NoRoom
        begun = self._begun.setdefault(key, Begun(now_s))
        begun.parts[part.part] = part.body
        if part.part == 1:
            begun.reply_to = reply_to
        self._bytes[part.sender] = held + size
        if len(begun.parts) < part.parts:
            return None
        self._drop(key)
        ordered = (begun.parts[index] for index in sorted(begun.parts))
        return Whole(begun.reply_to, b"".join(ordered))

    def _drop_old(self, now_s: float) -> None:
        while self._begun:
            key, begun = next(iter(self._begun.items()))
            if now_s - begun.since_s <= COMPLETE_WITHIN_S:
                return
            self._drop(key)

    def _drop(self, key: tuple[str, int]) -> None:
        begun = self._begun.pop(key, None)
        if begun is None:
            return
        left = self._bytes[key[0]] - begun.size
        if left:
            self._bytes[key[0]] = left
        else:
            del self._bytes[key[0]]


def _size(body: bytes) -> int:
    return len(body) + PART_BYTES
