"""What nodes ask each other, in parts, each with a proof that a node of the cluster has sent it.

    Hb-Kind  ask, answer, refused     Hb-N     the number of the request, by who asked
    Hb-From  node/life                Hb-Part  i/n
    Hb-To    node/life                Hb-Mac   HMAC-SHA256 by the cluster's key, over all of it

The body, and the subject that an answer goes to, are in the proof as well. So who can publish on
the log servers and has no key can neither ask in the name of a caller, nor answer, nor have an
answer sent elsewhere. What was sent before is known by its number and refused; what was meant for
another life of a node is none of this one's business. No clock is in it: those of nodes differ.
"""

import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

PARTS_MAX = 1_024
WINDOW = 4_096  # numbers below the greatest that may still come for the first time
SENDERS_MAX = 512  # lives whose numbers are known; twice as many as there may be nodes
OVER_MAX = 100_000  # lives that have asked this one before those
SENDER = re.compile(r"[A-Za-z0-9_-]{1,64}/[0-9a-z]{1,40}")
NUMBER = re.compile(r"[0-9]{1,15}")
PART = re.compile(r"([0-9]{1,4})/([0-9]{1,4})")


class EnvelopeKind(StrEnum):
    ASK = "ask"
    ANSWER = "answer"
    REFUSED = "refused"  # nothing was done


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One part. `sender`, `to`: `node/life`. `number`: of the request, of who asked it."""

    kind: EnvelopeKind
    sender: str
    to: str
    number: int
    part: int = 1
    parts: int = 1
    body: bytes = b""


def seal(envelope: Envelope, reply_to: str, key: bytes) -> dict[str, str]:
    """The headers of the part. `reply_to`: where answers go; empty for an answer."""
    headers = {
        "Hb-Kind": envelope.kind.value,
        "Hb-From": envelope.sender,
        "Hb-To": envelope.to,
        "Hb-N": str(envelope.number),
        "Hb-Part": f"{envelope.part}/{envelope.parts}",
    }
    return headers | {"Hb-Mac": _mac(headers, reply_to, envelope.body, key)}


def opened(headers: Mapping[str, str], body: bytes, reply_to: str, key: bytes) -> Envelope | None:
    """The part; None if nobody with the key has sent it so."""
    mac = headers.get("Hb-Mac", "").encode()
    if not hmac.compare_digest(mac, _mac(headers, reply_to, body, key).encode()):
        return None
    kind, number = headers.get("Hb-Kind", ""), headers.get("Hb-N", "")
    sender, to = headers.get("Hb-From", ""), headers.get("Hb-To", "")
    part = PART.fullmatch(headers.get("Hb-Part", ""))
    if kind not in KINDS or not NUMBER.fullmatch(number) or part is None:
        return None
    if not SENDER.fullmatch(sender) or not SENDER.fullmatch(to):
        return None
    index, count = int(part[1]), int(part[2])
    if not 1 <= index <= count <= PARTS_MAX:
        return None
    return Envelope(
        kind=EnvelopeKind(kind),
        sender=sender,
        to=to,
        number=int(number),
        part=index,
        parts=count,
        body=body,
    )


def parts_of(whole: Envelope, most: int) -> list[Envelope]:
    """The envelope, cut into bodies of `most` bytes. Raises: ValueError if those are too many."""
    body = whole.body
    if len(body) <= most:  # as nearly all
        return [whole]
    pieces = [body[at : at + most] for at in range(0, len(body), most)]
    if len(pieces) > PARTS_MAX:
        raise ValueError(f"{len(body)} bytes are more than nodes send each other")
    return [
        Envelope(
            kind=whole.kind,
            sender=whole.sender,
            to=whole.to,
            number=whole.number,
            part=index,
            parts=len(pieces),
            body=piece,
        )
        for index, piece in enumerate(pieces, 1)
    ]


@dataclass(slots=True)
class Numbers:
    """Of one sender: the greatest that came, and all parts that came since WINDOW before it."""

    greatest: int = 0
    seen: set[tuple[int, int]] = field(default_factory=set)


class Fresh:
    """Knows what came before. What it can't know any more, it takes for a repetition.

    Nodes are started again and again, and each life is another sender. Of those that have asked
    nothing for the longest time nothing is known but their names: they are over.
    """

    def __init__(self) -> None:
        self._of: OrderedDict[str, Numbers] = OrderedDict()
        self._over: dict[str, None] = {}

    def is_new(self, envelope: Envelope) -> bool:
        """Whether the part comes for the first time; it never does again."""
        numbers = self._of.get(envelope.sender)
        if numbers is None:
            if envelope.sender in self._over:
                return False
            numbers = self._begun(envelope.sender)
        self._of.move_to_end(envelope.sender)
        place = envelope.number, envelope.part
        if envelope.number + WINDOW <= numbers.greatest or place in numbers.seen:
            return False
        numbers.seen.add(place)
        if envelope.number > numbers.greatest:
            numbers.greatest = envelope.number
            if len(numbers.seen) > 2 * WINDOW:
                least = numbers.greatest - WINDOW
                numbers.seen = {each for each in numbers.seen if each[0] > least}
        return True

    def _begun(self, sender: str) -> Numbers:
        if len(self._of) >= SENDERS_MAX:
            over, _ = self._of.popitem(last=False)
            self._over[over] = None
            if len(self._over) > OVER_MAX:
                del self._over[next(iter(self._over))]
        numbers = self._of[sender] = Numbers()
        return numbers


def _mac(headers: Mapping[str, str], reply_to: str, body: bytes, key: bytes) -> str:
    said = "\n".join([*(headers.get(name, "") for name in PROVEN), reply_to]).encode()
    return hmac.digest(key, b"%d\n%s%s" % (len(said), said, body), "sha256").hex()


PROVEN = ("Hb-Kind", "Hb-From", "Hb-To", "Hb-N", "Hb-Part")
KINDS = frozenset(EnvelopeKind)
