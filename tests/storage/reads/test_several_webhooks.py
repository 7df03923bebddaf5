"""Lists of a workspace with several webhooks: each has all of them, and each page its part."""

import random
from collections.abc import Callable
from typing import TypeVar

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.reads import replays
from hookbundle.storage.reads.chats import due_order
from hookbundle.storage.reads.chats.due_order import DueOrder
from hookbundle.storage.reads.delivery_view import DeliveryView
from hookbundle.storage.reads.listing import Listing, OpenWindow, Page
from hookbundle.storage.reads.searching.search import Search
from hookbundle.storage.reads.searching.wanted import Wanted
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, seal_only

BOTH = (keyspace.QUEUED, keyspace.DEAD_LETTERS)
LONG_MS = 100 * HOUR_MS  # longer than all waits of a life: no window is over
T = TypeVar("T")
Windows = dict[tuple[str, str], int]  # when each falls due, by webhook and chat


def all_pages(read: Callable[[int, bytes], Page[T]], limit: int) -> list[T]:
    found, position = list[T](), b""
    for _ in range(2_000):
        page = read(limit, position)
        assert len(page.found) <= limit
        found += page.found
        if page.position is None:
            return found
        position = page.position
    raise AssertionError("the list has no end")


def due_pages(db: ScratchDatabase, limit: int, *webhooks: str) -> list[OpenWindow]:
    def read(most: int, position: bytes) -> Page[OpenWindow]:
        page = DueOrder(db.env, "acme", most, position, webhook_ids=webhooks)
        while page.read_on():
            pass
        return Page(page.found, page.position)

    return all_pages(read, limit)


def places(windows: list[OpenWindow]) -> list[tuple[str, str]]:
    return [(each.webhook_id, each.chat_id) for each in windows]


class Life:
    """A random life of three webhooks, and what their lists should be by it."""

    def __init__(self, db: ScratchDatabase, seed: int) -> None:
        self.db, self.rng = db, random.Random(seed)
        db.workspace(aggregation_ms=LONG_MS)
        other = db.workspace("other")
        self.numbers = {"outbound": 1}
        for name, length in (("crm", 2 * LONG_MS), ("phone", 0)):
            self.numbers[name] = add_webhook(db, "acme", name, aggregation_ms=length)
        self.windows: Windows = {}
        self.queued: dict[int, str] = {}
        self.dead: dict[int, str] = {}
        self.ended: dict[int, str] = {}
        for step in range(40):
            self.db.now_ms += self.rng.randrange(3) * 60_000
            db.accept(f"o{step}", ws=other, chat=self._chat())
            self.rng.choice([self._accept, self._accept, self._seal, self._attempt])(step)

    def _chat(self) -> str:
        return f"c{self.rng.randrange(6)}"

    def _accept(self, step: int) -> None:
        chat, next_number = self._chat(), self._next()
        self.db.accept(f"m{step}", chat=chat)
        lengths = {"outbound": LONG_MS, "crm": 2 * LONG_MS}
        for name, length in lengths.items():
            self.windows.setdefault((name, chat), self.db.now_ms + length)
        self.queued[next_number] = "phone"

    def _seal(self, _: int) -> None:
        chat, next_number = self._chat(), self._next()
        self.db.seal(chat)
        for name in ("outbound", "crm"):
            if self.windows.pop((name, chat), None) is not None:
                self.queued[next_number] = name
                next_number += 1

    def _attempt(self, _: int) -> None:
        name = self.rng.choice(list(self.numbers))
        mine = [number for number, owner in self.queued.items() if owner == name]
        if not mine:
            return
        outcome, number = (OK if self.rng.random() < 0.5 else NO), min(mine)
        self.db.attempt(outcome, ws=self.numbers[name])
        if outcome is NO:
            for _ in range(2):
                self.db.attempt(NO, ws=self.numbers[name])
        ends = self.ended if outcome is OK else self.dead
        ends[number] = self.queued.pop(number)

    def _next(self) -> int:
        return self.db.reads.meta().delivery_next


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("only", [(), ("crm",), ("phone", "outbound")])
def test_every_list_of_three_webhooks_pages_right(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, seed: int, only: tuple[str, ...]
) -> None:
    monkeypatch.setattr(due_order, "FEW", 2_000 if seed % 2 else -1)
    monkeypatch.setattr(due_order, "RECORDS_A_SLICE", 3)
    life = Life(db, seed)
    listing = Listing(db.env, rows_most=1 + seed % 4)
    limit = 1 + seed % 3

    def meant(name: str) -> bool:
        return not only or name in only

    def ids(numbers: dict[int, str]) -> list[tuple[str, int]]:
        return [(numbers[each], each) for each in sorted(numbers) if meant(numbers[each])]

    def shown(found: list[DeliveryView]) -> list[tuple[str, int]]:
        return [(each.webhook_id, each.delivery.number) for each in found]

    def windows(most: int, position: bytes) -> Page[OpenWindow]:
        return listing.windows("acme", most, position, webhook_ids=only)

    def waiting(most: int, position: bytes) -> Page[DeliveryView]:
        return listing.deliveries("acme", BOTH, most, position, webhook_ids=only)

    search = Search(db.env, "acme", Wanted(webhooks=only), 0, rows_most=2)
    newest = all_pages(search.read, limit)
    by_chat, by_due = all_pages(windows, limit), due_pages(db, limit, *only)

    wanted = [key for key in life.windows if meant(key[0])]
    by_number = sorted(wanted, key=lambda key: (key[1], life.numbers[key[0]]))
    by_time = sorted(wanted, key=lambda key: (life.windows[key], life.numbers[key[0]], key[1]))
    assert places(by_chat) == by_number
    assert places(by_due) == by_time
    assert [each.due_ms for each in by_due] == [life.windows[key] for key in by_time]
    assert shown(all_pages(waiting, limit)) == ids(life.dead) + ids(life.queued)
    assert shown(newest) == ids({**life.dead, **life.queued, **life.ended})[::-1]


def test_windows_of_all_workspaces_name_their_webhooks(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=2 * HOUR_MS)
    add_webhook(db, "acme", "crm")
    db.accept("m1")

    page = Listing(db.env).windows_by_due(10)

    assert [(each.workspace_id, each.webhook_id) for each in page.found] == [
        ("acme", "crm"),
        ("acme", "outbound"),
    ]


def test_a_preview_is_that_of_the_webhook_asked_for_and_lists_all(db: ScratchDatabase) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm")
    db.accept("m1")
    seal_only(db, "outbound")
    db.accept("m2")

    of_outbound = db.reads.preview("acme", "c", "Timelines")
    of_crm = db.reads.preview("acme", "c", "Timelines", "crm")

    assert b'"m1"' not in of_outbound.body
    assert b'"m1"' in of_crm.body
    assert [each.webhook_id for each in of_outbound.windows] == ["outbound", "crm"]
    assert [each.webhook_id for each in of_crm.windows] == ["crm"]


def test_without_a_window_of_outbound_the_oldest_one_is_previewed(db: ScratchDatabase) -> None:
    db.workspace()
    add_webhook(db, "acme", "crm")
    add_webhook(db, "acme", "phone")
    db.accept("m1")
    seal_only(db, "outbound")

    found = db.reads.preview("acme", "c", "Timelines")
    with pytest.raises(NotFound):
        db.reads.preview("acme", "c", "Timelines", "outbound")
    with pytest.raises(NotFound):
        db.reads.preview("acme", "c", "Timelines", "nothing")

    assert (found.window.webhook_id, len(found.windows)) == ("crm", 2)


def test_disabled_webhooks_are_named(db: ScratchDatabase) -> None:
    db.workspace()
    db.workspace("blue")
    crm = add_webhook(db, "acme", "crm")
    for number in (2, crm):
        with db.unit() as unit:
            unit.put_flag(keyspace.owned(keyspace.DISABLED, number))

    assert db.reads.disabled(10) == ["blue", "acme/crm"]


def test_a_replay_counts_and_is_that_of_its_webhook(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    crm = add_webhook(db, "acme", "crm", aggregation_ms=0)
    db.accept("m1", "m2")
    for _ in range(3):
        db.attempt(NO, ws=crm)
    wanted = ReplayFilter(states=("dead_letter",))

    counts = {name: replays.Count(db.env, "acme", wanted, name) for name in ("outbound", "crm")}
    for count in counts.values():
        while count.read_on():
            pass

    assert {name: count.found for name, count in counts.items()} == {"outbound": 0, "crm": 1}
    with pytest.raises(NotFound):
        replays.Count(db.env, "acme", wanted, "nothing").read_on()
