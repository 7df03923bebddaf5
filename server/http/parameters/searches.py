"""What a list of deliveries is asked for: its filters, its order, and where it goes on.

A cursor is good for the question that it was given for: it holds a digest of the filters, and the
moment from which ages count, so that `-2h` means the same on every page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Literal, TypeVar

from aiohttp import web

from hookbundle.engine.delivery import former_names
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault, not_one_of
from hookbundle.engine.messages.phones import PHONE_DIGITS_MAX
from hookbundle.server.http.parameters.times import check_order, time_of, time_query
from hookbundle.server.http.requests import cursor_of, number_of, position_of
from hookbundle.server.http.routes import Query
from hookbundle.storage.reads.searching.wanted import ALL_STATES, TIME_MAX, Statuses, Wanted
from hookbundle.storage.tables.contacts import digits_of

QUEUED = frozenset({DeliveryState.QUEUED, DeliveryState.IN_FLIGHT})
STATES: dict[str, frozenset[DeliveryState]] = {
    **{state.value: frozenset({state}) for state in DeliveryState},
    "queued": QUEUED,
}
RESENDING = "resending"  # no state of its own: such a delivery stays delivered
KNOWN = ", ".join(f"`{state.value}`" for state in DeliveryState)
DEAD_LETTERS = frozenset({DeliveryState.DEAD_LETTER})
IN_ORDER = QUEUED | DEAD_LETTERS
NO_ANSWER = "none"
ORDERS = ("newest", "queue")
STATUS_MIN, STATUS_MAX = 100, 599

WEBHOOK = Query(name="webhook", meaning="only of this webhook, by its id; several with commas")
STATUS_MEANING = "a status as `503`, a class as `5xx`, or `none` where no answer came"
FILTERS = (
    WEBHOOK,
    Query(
        name="state",
        meaning=f"one of {KNOWN}, or several with commas; that which is being sent is queued, "
        "too; `resending`: delivered, and to be sent once more",
    ),
    Query(name="chat", meaning="the chat's id"),
    Query(name="message", meaning="with this message, by its id; wants `chat`"),
    Query(name="phone", meaning="of chats that had this phone, with its country's code"),
    Query(name="q", meaning="a part of the chat's latest name, in large or small letters"),
    Query(name="http_status", meaning=f"of the last answer: {STATUS_MEANING}"),
    time_query("since", "sealed then or later"),
    time_query("until", "sealed before that"),
)
ORDER = Query(
    name="order",
    meaning="`newest` first, of all states; or `queue`: dead letters and then what is queued, each "
    "in the order in which it goes, with no other filter than `state` and `webhook`",
    kind=Literal["newest", "queue"],
)
DIGEST_BYTES, TIME_BYTES = 6, 8
OF_QUEUE = ("state", "webhook")  # filters of what waits, in its order
NAMES = tuple(query.name for query in FILTERS)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and how far it was answered. `position` is empty at the beginning."""

    wanted: Wanted
    in_order: bool
    position: bytes
    stamp: bytes

    def cursor(self, position: bytes | None) -> str | None:
        """What the next page begins with; None after the last one."""
        return None if position is None else cursor_of(self.stamp + position, "deliveries")


def asked_of(request: web.Request, now_ms: int) -> Asked:
    """Raises: InvalidInput, with every fault of the filters."""
    digest, given = _digest_of(request), position_of(request, "deliveries")
    head = DIGEST_BYTES + TIME_BYTES
    if given:
        if given[:DIGEST_BYTES] != digest or len(given) <= head:
            raise InvalidInput((fault("cursor", FaultCode.NO_CURSOR),))
        now_ms = min(now_ms, int.from_bytes(given[DIGEST_BYTES:head], "big"))
    faults: list[Fault] = []
    states, resending = _each(faults, _states_of, request) or (ALL_STATES, False)
    wanted = Wanted(
        webhooks=webhooks_of(request),
        states=states,
        resending=resending,
        chat=request.query.get("chat") or None,
        phones=_each(faults, _phones_of, request),
        name=request.query.get("q", "").strip().casefold(),
        statuses=_each(faults, partial(statuses_of, name="http_status"), request),
        message=_each(faults, _message_of, request) or "",
        since_ms=_each(faults, partial(time_of, name="since", now_ms=now_ms), request) or 0,
        until_ms=_each(faults, partial(time_of, name="until", now_ms=now_ms), request) or TIME_MAX,
    )
    in_order = _each(faults, _is_in_order, request) or False
    _each(faults, lambda _: check_order(wanted.since_ms, wanted.until_ms), request)
    if faults:
        raise InvalidInput.with_faults(faults)
    stamp = digest + now_ms.to_bytes(TIME_BYTES, "big")
    return Asked(wanted, in_order, given[head:], stamp)


def webhooks_of(request: web.Request) -> tuple[str, ...]:
    """The ids that `?webhook=` names; none: all."""
    names = request.query.get("webhook", "").split(",")
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def statuses_of(request: web.Request, name: str) -> Statuses | None:
    """Raises: InvalidInput."""
    return statuses_in(request.query.get(name), name)


def statuses_in(text: str | None, path: str) -> Statuses | None:
    """What a text of a query, or of a body at that path, says. Raises: InvalidInput."""
    if not text:
        return None
    if text == NO_ANSWER:
        return Statuses(0, 0)
    if len(text) == 3 and text[0] in "12345" and text[1:].lower() == "xx":
        least = 100 * "12345".index(text[0]) + 100
        return Statuses(least, least + 99)
    status = number_of(text, STATUS_MAX)
    if status is None or status < STATUS_MIN:
        raise InvalidInput((fault(path, FaultCode.NO_STATUS, got=quoted(text)),))
    return Statuses(status, status)


def _states_of(request: web.Request) -> tuple[frozenset[DeliveryState], bool] | None:
    """The states, and whether also those are wanted that are resent. Raises: InvalidInput."""
    text = request.query.get("state")
    if not text:
        return None
    names = [former_names.state_of(name.strip()) for name in text.split(",")]
    known = (*STATES, RESENDING)
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise InvalidInput((not_one_of("state", known, unknown),))
    of_states = (STATES[name] for name in names if name != RESENDING)
    return frozenset().union(*of_states), RESENDING in names


def _message_of(request: web.Request) -> str | None:
    """Raises: InvalidInput without a chat: its bodies are read, and not those of all chats."""
    text = request.query.get("message")
    if text and not request.query.get("chat"):
        raise InvalidInput((fault("chat", FaultCode.CHAT_WANTED),))
    return text or None


def _phones_of(request: web.Request) -> tuple[bytes, ...] | None:
    """The number's digits as they may have come: bare or behind a plus sign, or behind 00."""
    text = request.query.get("phone")
    if not text:
        return None
    digits = digits_of(text)
    bare = digits.removeprefix(b"00")
    if not bare:
        most = str(PHONE_DIGITS_MAX)
        raise InvalidInput((fault("phone", FaultCode.NO_PHONE, got=quoted(text), most=most),))
    return tuple(dict.fromkeys((digits, bare, b"00" + bare)))


def _is_in_order(request: web.Request) -> bool:
    """Whether the order is that of the queue. Raises: InvalidInput."""
    order = request.query.get("order")
    if order not in (None, "", *ORDERS):
        raise InvalidInput((not_one_of("order", ORDERS, order),))
    if order != "queue":
        return False
    given = [name for name in NAMES if name not in OF_QUEUE and request.query.get(name)]
    faults = [fault(name, FaultCode.NO_FILTER_OF_QUEUE) for name in given]
    states, resending = _states_of(request) or (IN_ORDER, False)
    if resending or states not in (QUEUED, DEAD_LETTERS, IN_ORDER):
        faults.append(fault("state", FaultCode.NO_FILTER_OF_QUEUE))
    if faults:
        raise InvalidInput(tuple(faults))
    return True


def _each(
    faults: list[Fault], read: Callable[[web.Request], T | None], request: web.Request
) -> T | None:
    """What was read; None with its faults noted."""
    try:
        return read(request)
    except InvalidInput as exc:
        faults += [each for each in exc.faults if each not in faults]
        return None


def _digest_of(request: web.Request) -> bytes:
    asked = [(name, request.query.get(name, "")) for name in (*NAMES, ORDER.name)]
    question = repr((request.match_info.get("ws", ""), [pair for pair in asked if pair[1]]))
    return blake2b(question.encode(), digest_size=DIGEST_BYTES).digest()
