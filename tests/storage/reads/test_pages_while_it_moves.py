"""Pages of a search against a list of all that there is, while deliveries move between the pages.

Deliveries are sealed, attempted, delivered, rejected, discarded, queued again, trimmed and erased
between two pages. What was there all the time is seen once; nothing is seen twice; and each page is
what the whole list has in its place at that moment.
"""

import random

import pytest

from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import Erasure
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.searching.search import Search
from hookbundle.storage.reads.searching.wanted import ALL_STATES, TIME_MAX, Statuses, Wanted
from hookbundle.storage.tables import moving
from hookbundle.storage.tables.repeating.resends import is_waiting
from hookbundle.tests.storage.random_life import Life
from hookbundle.tests.storage.scratch import ScratchDatabase

STATES = list(DeliveryState)
CHATS = ("chat 1", "chat 2", "chat 3")


def wanted_of(rng: random.Random, now_ms: int) -> Wanted:
    """Some filters; each is left out more often than not."""
    since_ms = now_ms - rng.randint(0, 40) * 600_000
    states = frozenset(rng.sample(STATES, rng.randint(0, 5)))
    return Wanted(
        resending=rng.random() < 0.3,
        states=states if rng.random() < 0.6 else ALL_STATES,
        chat=rng.choice(CHATS) if rng.random() < 0.3 else None,
        phones=(b"1",) if rng.random() < 0.2 else None,
        statuses=rng.choice((Statuses(200, 299), Statuses(0, 0))) if rng.random() < 0.2 else None,
        since_ms=since_ms if rng.random() < 0.3 else 0,
        until_ms=now_ms - 600_000 if rng.random() < 0.3 else TIME_MAX,
    )


def all_of(db: ScratchDatabase, ws: str, wanted: Wanted) -> list[int]:
    """The numbers of all wanted deliveries, newest first, found without an index."""
    workspace, rows = Reads(db.env).workspace(ws).settings.number, db.dump()
    state_key = keyspace.owned(keyspace.STATES, workspace)
    state = codec.unpack(state_key, rows[state_key], WebhookState)
    found, chats_with_phone = [], set()
    heads = {
        key_fields.number(key): codec.unpack(key, value, Delivery)
        for key, value in rows.items()
        if key.startswith(keyspace.owned(keyspace.DELIVERIES, workspace))
    }
    for key in rows:
        if key.startswith(keyspace.owned(keyspace.CHAT_PHONES, workspace)):
            _, chat, digits = key_fields.of_chat(key)
            chats_with_phone |= {chat.decode()} if digits == b"1" else set()
    for number, head in heads.items():
        erasure_key = keyspace.owned(keyspace.ERASURES, workspace, head.chat_id.encode())
        erasure = rows.get(erasure_key)
        if erasure and number < codec.unpack(erasure_key, erasure, Erasure).before:
            continue
        seen_as = moving.state_of(state, head)
        is_sent = state.flight is not None and state.flight.delivery == number
        if seen_as is DeliveryState.QUEUED and is_sent:
            seen_as = DeliveryState.IN_FLIGHT
        is_of_phone = wanted.phones is None or head.chat_id in chats_with_phone
        resends = is_waiting(state, head)
        if wanted.takes(head, seen_as, resends=resends) and is_of_phone:
            found.append(number)
    return sorted(found, reverse=True)


@pytest.mark.parametrize("seed", range(12))
def test_pages_repeat_and_skip_nothing_that_was_there_all_the_time(
    db: ScratchDatabase, seed: int
) -> None:
    rng, life, walks = random.Random(seed), Life(db.env, seed, everything=True), 0
    for _ in range(60):
        life.step()
    for _ in range(40):
        for _ in range(4):
            life.step()
        try:
            walks += walked(db, life, rng, rng.choice(("acme", "blue", "cyan")))
        except NotFound:
            continue  # the workspace was deleted
    assert walks > 10


def walked(db: ScratchDatabase, life: Life, rng: random.Random, ws: str) -> int:
    """The number of pages of one search, each checked, with some life between them."""
    wanted, seen, pages = wanted_of(rng, life.now_ms), list[int](), 0
    number = Reads(db.env).workspace(ws).settings.number
    always = set(all_of(db, ws, wanted))
    position: bytes | None = b""
    while position is not None:
        limit, before = rng.randint(1, 4), int.from_bytes(position or b"\x7f" * 8, "big")
        search = Search(db.env, ws, wanted, 0, rows_most=rng.randint(1, 6))
        page = search.read(limit, position)
        model = all_of(db, ws, wanted)
        last = int.from_bytes(page.position, "big") if page.position is not None else 0
        here = [each.delivery.number for each in page.found]
        assert here == [each for each in model if last <= each < before], (wanted, page)
        always &= set(model)
        seen += here
        position, pages = page.position, pages + 1
        if position is not None:
            life.step()
        if Reads(db.env).workspace(ws).settings.number != number:
            raise NotFound("another workspace of the same name")
    assert len(seen) == len(set(seen))
    assert always <= set(seen)
    return pages
