"""Finding among a million deliveries: how long a page takes, by chat, phone, time, state and name.

A page is read as the API reads it: slices of some records until it has a hundred deliveries, or has
looked at two thousand records. One workspace has all of them, over 14 days, in 5,000 chats; one of
a hundred is a dead letter. Run it as `python bench/histories/search.py [--quick]`.
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value, percentile
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Outcome, Rejected
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.server.http.lists import ROWS_MOST
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.reads.searching.search import Search
from hookbundle.storage.reads.searching.wanted import Statuses, Wanted
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt

FEED = Retention(feed_events=1_000)
GROUP = 500
CHATS = 5_000
DAYS_MS = 14 * 86_400_000
HOUR_MS = 3_600_000
PAGE = 100
TIMES = 500
POLICY = BackoffPolicy(errors_max=10**9, rejections_max=1)


def run(quick: bool) -> dict[str, Value]:
    deliveries = 100_000 if quick else 1_000_000
    with harness.data_directory() as folder:
        env, now_ms = _filled(folder / "data", deliveries)
        found: dict[str, Value] = {"deliveries": deliveries}
        for name, wanted in _questions(random.Random(7), now_ms).items():
            pages_ms = sorted(_page_ms(env, wanted) for _ in range(TIMES))
            found[f"{name}_median_ms"] = round(percentile(pages_ms, 50), 2)
            found[f"{name}_p99_ms"] = round(percentile(pages_ms, 99), 2)
        found |= _one(env, deliveries)
        env.close()
        return found


def _questions(rng: random.Random, now_ms: int) -> dict[str, Callable[[], Wanted]]:
    def at_ms() -> int:
        return now_ms - rng.randint(HOUR_MS, DAYS_MS)

    def of_an_hour() -> Wanted:
        since_ms = at_ms()
        return Wanted(since_ms=since_ms, until_ms=since_ms + HOUR_MS)

    dead_letters = frozenset({DeliveryState.DEAD_LETTER})
    return {
        "newest": Wanted,
        "chat": lambda: Wanted(chat=f"c{rng.randrange(CHATS)}"),
        "chat_and_time": lambda: Wanted(chat=f"c{rng.randrange(CHATS)}", until_ms=at_ms()),
        "phone": lambda: Wanted(phones=(b"1555%07d" % rng.randrange(CHATS),)),
        "time": of_an_hour,
        "state_dead_letter": lambda: Wanted(states=dead_letters, until_ms=at_ms()),
        "status_4xx": lambda: Wanted(statuses=Statuses(400, 499), until_ms=at_ms()),
        "name_of_nobody": lambda: Wanted(name="nobody", until_ms=at_ms()),
    }


def _page_ms(env: Environment, wanted: Callable[[], Wanted]) -> float:
    """The milliseconds that a page takes, all its slices together."""
    search, began_s = Search(env, "ws0", wanted(), 0), time.perf_counter()
    found = seen = 0
    position: bytes | None = b""
    while position is not None and found < PAGE and seen < ROWS_MOST:
        page = search.read(PAGE - found, position)
        found, seen, position = found + len(page.found), seen + page.seen, page.position
    return (time.perf_counter() - began_s) * 1_000


def _one(env: Environment, deliveries: int) -> dict[str, Value]:
    """One delivery with its body and its attempts."""
    rng, reads, epoch = random.Random(8), DeliveryReads(env), env.identity.epoch
    taken_ms = []
    for _ in range(TIMES):
        name = f"dlv_{epoch}{1:08x}{rng.randint(1, deliveries):012x}"
        began_s = time.perf_counter()
        reads.delivery(name, "ws0", in_full=True)
        taken_ms.append((time.perf_counter() - began_s) * 1_000)
    return {"one_delivery_p99_ms": round(percentile(sorted(taken_ms), 99), 3)}


def _filled(data: Path, deliveries: int) -> tuple[Environment, int]:
    filling.fill(data, 1, aggregation_ms=0, url=filling.NEVER_CALLED)
    now_ms = filling.now_ms()
    env = open_environment(data, now_ms)
    spread_ms = DAYS_MS // deliveries

    def send(unit: Unit, turn: int, at_ms: int) -> None:
        _send(unit, turn, at_ms + turn % GROUP * spread_ms)

    filling.write_past(env, deliveries, DAYS_MS, GROUP, send)
    return env, now_ms


def _send(unit: Unit, turn: int, at_ms: int) -> None:
    chat = turn * 7 % CHATS
    accepting = filling.accepting(1, f"c{chat}", turn, at_ms)
    (message,) = accepting.messages
    contact = message.chat.replace(b"+1 555 0199", b"+1 555 %07d" % chat)
    message = msgspec.structs.replace(message, chat=contact.replace(b'"Chat"', b'"Chat %d"' % chat))
    table.apply(unit, msgspec.structs.replace(accepting, messages=(message,)))
    begun = table.apply(unit, BeginAttempt(1, at_ms))
    assert isinstance(begun, Begun), begun
    unit.state(1).next_attempt_ms = 0
    outcome: Outcome = Rejected(404) if turn % 100 == 0 else Delivered(200)
    table.apply(unit, _finishing(begun, outcome, at_ms))
    unit.state(1).next_attempt_ms = 0


def _finishing(begun: Begun, outcome: Outcome, at_ms: int) -> FinishAttempt:
    is_delivered = isinstance(outcome, Delivered)
    made = Attempt(
        at_ms=at_ms,
        url=begun.url,
        request_headers=(("webhook-id", begun.delivery_id), ("user-agent", "hookbundle")),
        outcome="delivered" if is_delivered else "rejected",
        status=200 if is_delivered else 404,
        response_headers=(("content-length", "2"), ("date", "Sat, 28 Nov 2026 10:00:00 GMT")),
        response_body=b"ok",
    )
    return FinishAttempt(
        webhook=1,
        delivery=begun.delivery.number,
        attempt=begun.attempt,
        outcome=outcome,
        result=made,
        now_ms=at_ms,
        spread=0.0,
        policy=POLICY,
        go_on=False,
    )


if __name__ == "__main__":
    harness.show("Search", run("--quick" in sys.argv))
