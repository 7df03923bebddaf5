"""The check finds nothing wrong after any transitions, and changes nothing itself."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hookbundle.engine import limits
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.replication import position
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.maintenance.check_rules import OF_SOURCES, RULES
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.tables import bodies, contacts, detailed_log, seen_ids
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun
from hookbundle.storage.transitions.changing.dropping import DropChanges
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.mails import MailFailed
from hookbundle.storage.transitions.sealing import SealDue, SealWindow
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.transitions.table import Transition
from hookbundle.storage.transitions.timed.arrival_steps import TrimArrivals
from hookbundle.storage.transitions.timed.erase_steps import OF_A_WORKSPACE, EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.tests.storage.populated import claiming, findings, named, populated, recording
from hookbundle.tests.storage.random_webhooks import WINDOWS
from hookbundle.tests.storage.scratch import (
    CUT,
    HOUR_MS,
    NO,
    OK,
    PRODUCT,
    ScratchDatabase,
    failed,
    incoming,
)

RESULTS: list[Outcome] = [OK, OK, NO, NO, NO, CUT, failed()]
STEP_MS = [0, 0, 1, 1_000, 60_000, HOUR_MS, 30 * HOUR_MS]
LITTLE = Retention(
    feed_events=60,
    feed_bytes=20_000,
    history_ms=20 * HOUR_MS,
    history_bytes=9_000,
    answer_bytes=300,
)
IN_STEPS = (
    DueKind.RETIME,
    DueKind.MOVE,
    DueKind.ERASE,
    DueKind.TRIM,
    DueKind.ARRIVALS,
)  # one may not be enough

# Random transitions that never cause one of these would test too little.
EVENTFUL = {
    "chat.deleted",
    "chat.erased",
    "delivery.delivered",
    "delivery.discarded",
    "delivery.failed",
    "delivery.dead_lettered",
    "delivery.retried",
    "webhook.disabled",
    "webhook.reset",
    "webhook.tested",
    "window.retimed",
    "workspace.deleted",
    "workspace.erased",
}


def test_a_database_with_every_kind_of_record_is_sound(tmp_path: Path) -> None:
    db = populated(tmp_path)
    position.follow(db.env, [], Position("1x0", 1, 0))  # as in a cluster

    assert findings(db) == []
    assert {key[:1] for key in db.dump()} == {*RULES, *(letter for letter, _ in OF_SOURCES)}
    db.close()


def test_its_first_workspace_has_a_record_of_every_kind_but_one(tmp_path: Path) -> None:
    db = populated(tmp_path)

    of_it = {key[:1] for key in db.dump() if key[1:5] == bytes((0, 0, 0, 1))}
    owned = {*OF_A_WORKSPACE, *keyspace.OF_A_WEBHOOK, *(b"N", b"V", b"S", b"Z")}
    assert owned - of_it == {keyspace.READY}
    db.close()


def test_a_check_writes_nothing(tmp_path: Path) -> None:
    db = populated(tmp_path)
    before = db.dump()

    findings(db)

    assert db.dump() == before
    db.close()


def test_a_check_can_be_stopped_at_any_record(tmp_path: Path) -> None:
    db, seen = populated(tmp_path), 0

    def tick() -> None:
        nonlocal seen
        seen += 1
        if seen == 5:
            raise KeyboardInterrupt

    with db.env.read() as txn, pytest.raises(KeyboardInterrupt):
        list(check(txn, tick))

    assert seen == 5
    db.close()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has many parts or entries has them soon, and loses the oldest."""
    monkeypatch.setattr(limits, "LOG_ENTRIES", 5)
    monkeypatch.setattr(detailed_log, "ATTEMPTS_MAX", 5)
    monkeypatch.setattr(bodies, "CHUNK_BYTES", 900)
    monkeypatch.setattr(seen_ids, "SEEN_BYTES_MAX", 4 * seen_ids.DIGEST_BYTES)
    monkeypatch.setattr(contacts, "PHONES_MAX", 2)
    monkeypatch.setattr(limits, "ARRIVALS_BYTES_MAX", 1_000)


@pytest.mark.usefixtures("small")
def test_random_transitions_leave_a_sound_database(tmp_path: Path) -> None:
    seen: set[str] = set()
    for seed in range(6):
        db = ScratchDatabase(tmp_path / str(seed))
        feed, told = FeedReader(db.env), 0
        db.policy = BackoffPolicy(errors_max=8, rejections_max=2)
        db.retention = LITTLE if seed % 2 else replace(KEEP_ALL, history_ms=LITTLE.history_ms)
        rng = random.Random(seed)
        for _ in range(250):
            db.now_ms += rng.choice(STEP_MS)
            chains = (random_transitions(db, rng) for _ in range(rng.randint(1, 4)))
            db.group(*(transition for chain in chains for transition in chain))
            assert findings(db) == [], seed
            seen |= {each.type for each in feed.read(told, 1_000).events}
            told = feed.ends().next - 1
        db.close()

    assert seen >= EVENTFUL, EVENTFUL - seen


def random_transitions(db: ScratchDatabase, rng: random.Random) -> tuple[Transition, ...]:
    """A random transition, or two that go together; many are refused."""
    numbers = {view.settings.id: view.settings.number for view in db.reads.workspaces(9).found}
    name = rng.choice(["acme", "b"])
    number = numbers.get(name, 1)  # the workspace may have been deleted
    rows = tuple(row for row in db.dues() if row.at_ms <= due_ms(db, row.kind))
    delivery = max(1, db.reads.meta().delivery_next - rng.randrange(9))
    choices: list[tuple[int, Callable[[], Transition]]] = [
        (9, lambda: finishing(db, number, rng)),
        (1, lambda: BeginAttempt(number, db.now_ms)),
        (6, lambda: accepting(db, number, rng)),
        (3, lambda: changing(db, name, rng)),
        (2, lambda: sealing(db, number, rng)),
        (2, lambda: EnableWebhook(**named(db, name), discard=rng.random() < 0.3)),
        (1, lambda: DisableWebhook(**named(db, name))),
        (1, lambda: MailFailed(1, "down", db.now_ms + 60_000, db.now_ms)),
        (2, lambda: claiming(db, number, rng.choice([b"k", b"l", b"m"]))),
        (1, lambda: AnswerRequest(workspace_number=number, key=b"k", answer=b"a" * 90)),
        (1, lambda: DeleteChat(**named(db, name), chat_id=rng.choice("cd"))),
        (1, lambda: recording(db, number)),
        (1, lambda: RetryDelivery(**named(db, name), number=delivery)),
        (1, lambda: RetryDeadLetters(**named(db, name))),
        (1, lambda: discarding(db, name, delivery, rng)),
        (1, lambda: trimming(db, number, rng)),
    ]
    if rng.random() < 0.1:
        choices.append((3, lambda: DeleteWorkspace(**named(db, name), precondition=None)))
    if rows and rng.random() < 0.4:
        return acting_on(db, rng.choice(rows), rng)
    ((_, choice),) = rng.choices(choices, [weight for weight, _ in choices])
    return (choice(),)


def acting_on(db: ScratchDatabase, row: Due, rng: random.Random) -> tuple[Transition, ...]:
    """What the timer does about a row that is due; sometimes that fails, and is tried later."""
    if rng.random() < 0.2:
        return (Postpone((row,), db.now_ms),)
    if row.kind is DueKind.POSTPONED:
        inner = key_fields.due(row.subject)
        settled = () if inner.kind in IN_STEPS else (Settle((row,), db.now_ms),)
        return (timed(db, inner, rng), *settled)
    return (timed(db, row, rng),)


def timed(db: ScratchDatabase, row: Due, rng: random.Random) -> Transition:
    match row.kind:
        case DueKind.WINDOW:
            return SealDue((row,), db.now_ms, PRODUCT)
        case DueKind.RETRY:
            return EndWaits((row,), db.now_ms)
        case DueKind.FORGET | DueKind.REQUEST:
            return Forget((row,), db.now_ms)
        case DueKind.CHANGE:
            return DropChanges((row,), db.now_ms)
        case DueKind.RETIME:
            return RetimeWindows(row.number, 2, db.now_ms, PRODUCT)
        case DueKind.MAIL:
            return MailFailed(row.number, "down", db.now_ms + 60_000, db.now_ms)
        case DueKind.MOVE:
            return MoveDeliveries(row.number, rng.choice([1, 2, 50]), db.now_ms)
        case DueKind.ERASE:
            return EraseStep(row=row, most=rng.choice([2, 50]), now_ms=db.now_ms)
        case DueKind.ARRIVALS:
            return TrimArrivals(
                workspace_number=row.number, most=rng.choice([1, 50]), now_ms=db.now_ms
            )
        case _:
            return trimming(db, row.number, rng)


def sealing(db: ScratchDatabase, number: int, rng: random.Random) -> Transition:
    return SealWindow(
        workspace_number=number,
        chat_id=rng.choice("cd"),
        now_ms=db.now_ms,
        product_name=PRODUCT,
    )


def accepting(db: ScratchDatabase, number: int, rng: random.Random) -> Transition:
    chat = b'{"chat_id":"c","full_name":"J\xc3\xa9","phone":"%d"}' % rng.randrange(5)
    new = incoming(f"n{rng.random()}", text="t" * 700, chat=chat)
    messages = (f"m{rng.randrange(99)}", f"m{rng.randrange(99)}", new)
    return db.accepting(*messages, ws=number, chat=rng.choice("cd"), skipped=("s",))


def changing(db: ScratchDatabase, name: str, rng: random.Random) -> Transition:
    changes = Changes(
        url=rng.choice([None, None, None, "", "https://r.example/1", "https://r.example/2"]),
        aggregation_ms=rng.choice([None, 0, HOUR_MS, 2 * HOUR_MS]),
        window=rng.choice([None, None, *WINDOWS]),
        owner_email="o@acme.example",
    )
    return ChangeWorkspace(
        **named(db, name), changes=changes, precondition=None, may_create=True, new_secret="s"
    )


def finishing(db: ScratchDatabase, number: int, rng: random.Random) -> Transition:
    try:
        begun = db.begin(number)
    except HookbundleError:
        return BeginAttempt(number, db.now_ms)
    if not isinstance(begun, Begun):
        return BeginAttempt(number, db.now_ms)
    return db.finishing(begun, rng.choice(RESULTS), ws=number, go_on=rng.random() < 0.3)


def discarding(db: ScratchDatabase, name: str, number: int, rng: random.Random) -> Transition:
    """Sometimes of an attempt that was lost with its daemon."""
    alive_since_ms = rng.choice([0, db.now_ms + 1])
    return DiscardDelivery(
        **named(db, name), number=number, reason="gone", alive_since_ms=alive_since_ms
    )


def trimming(db: ScratchDatabase, number: int, rng: random.Random) -> Transition:
    return TrimHistory(
        workspace_number=number,
        before_ms=due_ms(db, DueKind.TRIM),
        bytes_max=db.retention.history_bytes,
        most=rng.choice([1, 20]),
        now_ms=db.now_ms,
    )


def due_ms(db: ScratchDatabase, kind: DueKind) -> int:
    """The time at which rows of the kind are due now."""
    return db.now_ms - db.retention.history_ms if kind is DueKind.TRIM else db.now_ms
