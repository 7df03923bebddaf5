"""A webhook as the events of the feed tell of it: its windows, its queue, its errors."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from hookbundle.engine.messages.timestamps import rfc_3339

Data = Mapping[str, Any]


class Untold:
    """The end of a window of which the feed says nothing: it is equal to every time.

    Of several webhooks a `message.received` tells one window, that which ends first.
    """

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "(untold)"


UNTOLD = Untold()


@dataclass
class Hook:
    """Windows are (messages, due), deliveries are ids in the order of sending.

    `fails`: of the dead letters, those that make their receiver fail; `unrendered`: those without a
    body. `erased`: of a deleted chat, and still to be discarded. `may_fail`, `may_lack`: of what
    replays have queued; as it may be taken back.
    `leaving`: by chat, messages that left with the request that is told next.
    """

    settings: dict[str, Any]
    enabled: bool = True
    errors: int = 0
    overflowed: int = 0
    full: bool = False
    merging: bool = False
    windows: dict[str, tuple[int, str | Untold]] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    resends: list[str] = field(default_factory=list)
    fails: set[str] = field(default_factory=set, compare=False)
    unrendered: set[str] = field(default_factory=set, compare=False)
    may_lack: set[str] = field(default_factory=set, compare=False, repr=False)
    chats: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    erased: set[str] = field(default_factory=set, compare=False, repr=False)
    may_fail: set[str] = field(default_factory=set, compare=False, repr=False)
    places: dict[str, int] = field(default_factory=dict, compare=False, repr=False)
    leaving: Counter[str] = field(default_factory=Counter, compare=False, repr=False)

    # ---- windows

    def received(self, chat: str, count: int, at_ms: int) -> None:
        """It got so many messages. What they sealed on the way was told before."""
        if not count:
            return
        left = count - self.leaving.pop(chat, 0)
        assert left >= 0, f"{-left} messages too many left {chat}"
        if chat in self.windows:
            has, due = self.windows[chat]
            self.windows[chat] = has + left, due if self._length_ms and has else UNTOLD
        elif left:
            due_ms = at_ms + self._length_ms
            self.windows[chat] = left, rfc_3339(due_ms) if self._length_ms else UNTOLD

    def ends_at(self, chat: str, count: int, due: str) -> None:
        """The chat's window, with so many messages, is due then."""
        assert self.windows[chat] == (count, self.windows[chat][1]), f"{chat}: {self.windows[chat]}"
        if self._length_ms:
            assert self.windows[chat][1] == due, f"{chat}: {self.windows[chat]}, not {due}"
        self.windows[chat] = count, due

    @property
    def _length_ms(self) -> int:
        """Of its windows, if they have one and no other rule."""
        return int(self.settings.get("aggregation_ms", 0))

    def _seal(self, chat: str, data: Data) -> None:
        """Of a request's messages those that leave are told before the request is."""
        self.queue.append(data["delivery"])
        self.chats[data["delivery"]] = chat
        alone = data["reason"] in ("first", "single")
        has = 0 if alone else self.windows.pop(chat, (0, UNTOLD))[0]
        if data["messages"] != has:
            self.leaving[chat] += data["messages"] - has
        if data["reason"] == "first":
            self.windows[chat] = 0, UNTOLD

    # ---- deliveries

    def in_order(self, *ids: Iterable[str]) -> list[str]:
        """As they stand: by the number in the id, or for a merged one by that of its oldest."""
        return sorted(chain(*ids), key=self._place)

    def _place(self, delivery: str) -> int:
        return self.places.get(delivery, int(delivery[-12:], 16))

    def return_all(self, count: int, left: int = 0) -> None:
        """All but `left` are queued again, those over which their receiver fails."""
        assert len(self.dead_letters) == count + left
        assert left in (0, len(self.fails))
        for each in [each for each in self.dead_letters if not (left and each in self.fails)]:
            self._return(each)

    def _return(self, delivery: str) -> None:
        self.dead_letters.remove(delivery)
        self.fails.discard(delivery)
        self.unrendered.discard(delivery)
        self.queue = self.in_order(self.queue, [delivery])

    def replay_queued(self, data: Data) -> None:
        self.may_fail -= set(data["dead_letters"])
        self.may_fail |= self.fails & set(data["dead_letters"])
        self.may_lack -= set(data["dead_letters"])
        self.may_lack |= self.unrendered & set(data["dead_letters"])
        for each in data["dead_letters"]:
            self._return(each)
        self.resends = self.in_order(self.resends, data["resends"])

    def replay_taken_back(self, data: Data) -> None:
        for each in data["dead_letters"]:
            self.queue.remove(each)
            self.dead_letters = self.in_order(self.dead_letters, [each])
            self.fails |= {each} & self.may_fail
            self.unrendered |= {each} & self.may_lack
        for each in data["resends"]:
            self.resends.remove(each)

    def chat_deleted(self, chat: str) -> None:
        self.windows.pop(chat, None)
        self.erased |= {each for each, whose in self.chats.items() if whose == chat}

    def _merge(self, data: Data) -> None:
        """The new one stands where the oldest stood; the others are history."""
        into, (first, *others) = data["delivery"], data["merged"]
        assert self.in_order([first, *others]) == [first, *others]
        self.places[into] = self._place(first)
        self.chats[into] = self.chats[first]
        for each in data["merged"]:
            self.queue.remove(each)
        self.queue = self.in_order(self.queue, [into])

    def delivery(self, kind: str, chat: str, data: Data) -> None:
        """Something of a delivery is told; see Fold for what it adds to the totals."""
        self.errors = data.get("errors", self.errors) if kind != "delivery.unknown" else self.errors
        match kind:
            case "delivery.sealed":
                self._seal(chat, data)
            case "delivery.merged":
                self._merge(data)
            case "delivery.attempted":
                all_waiting = self.in_order(self.queue, self.resends)
                waiting = [each for each in all_waiting if each not in self.erased]
                # The next one may go instead of the head; see storage/tables/failing.py.
                assert data["delivery"] in waiting[:2]
                self.may_lack.discard(data["delivery"])
            case "delivery.not_rendered":
                self.unrendered.add(data["delivery"])
                self.queue.remove(data["delivery"])
                self.dead_letters = self.in_order(self.dead_letters, [data["delivery"]])
            case "delivery.returned":
                returned = self.fails | self.unrendered
                assert len(returned) == data["deliveries"]
                for each in returned:
                    self._return(each)
            case "delivery.retried":
                if "delivery" not in data:
                    self.return_all(data["deliveries"])
                elif data["was"] == "dead_letter":
                    self._return(data["delivery"])
            case "delivery.resend_asked":
                self.resends = self.in_order(self.resends, [data["delivery"]])
            case "delivery.resent" | "delivery.resend_failed":
                self.resends.remove(data["delivery"])
            case "delivery.resend_ended" if "delivery" in data:
                self.resends.remove(data["delivery"])
            case "delivery.resend_ended":
                self.resends = [each for each in self.resends if each == data["kept"]]
            case "delivery.delivered":
                self.queue.remove(data["delivery"])
            case "delivery.dead_lettered":
                if data.get("reason") == "receiver_fails":
                    self.fails.add(data["delivery"])
                self.queue.remove(data["delivery"])
                self.dead_letters = self.in_order(self.dead_letters, [data["delivery"]])
            case "delivery.discarded":
                self._discard(data)

    def _discard(self, data: Data) -> None:
        if "delivery" in data:
            slots = {"queued": self.queue, "dead_letter": self.dead_letters}
            slots[data["was"]].remove(data["delivery"])
            self.fails.discard(data["delivery"])
            self.unrendered.discard(data["delivery"])
            return
        self.queue = [each for each in self.queue if each == data["kept"]]
        self.dead_letters, self.fails, self.unrendered = [], set(), set()
