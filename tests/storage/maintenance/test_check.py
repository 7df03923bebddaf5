"""The check finds nothing wrong after any transitions, and changes nothing itself."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Outcome
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.mails import MailFailed
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.transitions.table import Transition
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.tests.storage.populated import claiming, findings, named, populated
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

RESULTS: list[Outcome] = [OK, NO, NO, NO, CUT, failed()]

# Random transitions that never cause one of these would test too little.
EVENTFUL = {
    "chat.deleted",
    "chat.erased",
    "delivery.delivered",
    "delivery.discarded",
    "delivery.failed",
    "delivery.parked",
    "webhook.disabled",
    "webhook.reset",
    "window.retimed",
    "workspace.deleted",
    "workspace.erased",
}


def test_a_database_with_every_kind_of_record_is_sound(tmp_path: Path) -> None:
    db = populated(tmp_path)

    assert findings(db) == []
    assert {key[:1] for key in db.dump()} == {bytes([c]) for c in b"IMWNSACBGDRXQPLEFTKZ"}
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


def test_random_transitions_leave_a_sound_database(tmp_path: Path) -> None:
    seen: set[str] = set()
    for seed in range(3):
        db = ScratchDatabase(tmp_path / str(seed))
        db.keep_events, db.policy = 50, BackoffPolicy(rejections_max=2)
        rng = random.Random(seed)
        for _ in range(200):
            db.now_ms += rng.choice([0, 1, 1_000, 60_000, 3_600_000])
            db.group(*(random_transition(db, rng) for _ in range(rng.randint(1, 4))))
            assert findings(db) == [], seed
            seen |= {fact["type"] for _, fact in db.feed()}
        db.close()

    assert seen >= EVENTFUL


def random_transition(db: ScratchDatabase, rng: random.Random) -> Transition:
    """A random transition; many are refused."""
    numbers = {view.settings.id: view.settings.number for view in db.reads.workspaces(9)}
    name = rng.choice(["acme", "b"])
    number = numbers.get(name, 1)  # the workspace may have been deleted
    chat = rng.choice("cd")
    rows = tuple(row for row in db.dues() if row.at_ms <= db.now_ms)
    forget = tuple(r for r in rows if r.kind in (DueKind.FORGET, DueKind.REQUEST))
    erase = [row for row in rows if row.kind is DueKind.ERASE]
    messages = (f"m{rng.randrange(99)}", incoming(f"n{rng.random()}", text="t" * 700))
    choices: list[tuple[int, Callable[[], Transition]]] = [
        (8, lambda: finishing(db, number, rng)),
        (6, lambda: EndWaits(tuple(row for row in rows if row.kind is DueKind.RETRY))),
        (5, lambda: db.accepting(*messages, ws=number, chat=chat)),
        (3, lambda: changing(db, name, rng)),
        (2, lambda: Forget(forget, db.now_ms)),
        (2, lambda: RetimeWindows(number, 2, db.now_ms, PRODUCT)),
        (2, lambda: EnableWebhook(**named(db, name), discard=rng.random() < 0.3)),
        (1, lambda: DisableWebhook(**named(db, name))),
        (1, lambda: MailFailed(1, "down", db.now_ms + 60_000, db.now_ms)),
        (2, lambda: claiming(db, number, rng.choice([b"k", b"l"]))),
        (1, lambda: AnswerRequest(workspace_number=number, key=b"k", answer=b"a")),
        (1, lambda: DeleteChat(**named(db, name), chat_id=chat)),
    ]
    if erase:
        row = rng.choice(erase)
        choices.append((4, lambda: EraseStep(row=row, most=4, now_ms=db.now_ms)))
    if rng.random() < 0.15:
        choices.append((3, lambda: DeleteWorkspace(**named(db, name), version=None)))
    ((_, choice),) = rng.choices(choices, [weight for weight, _ in choices])
    return choice()


def changing(db: ScratchDatabase, name: str, rng: random.Random) -> Transition:
    changes = Changes(
        url=rng.choice([None, None, None, "", "https://r.example/1", "https://r.example/2"]),
        aggregation_ms=rng.choice([None, 0, HOUR_MS, 2 * HOUR_MS]),
        owner_email="o@acme.example",
    )
    return ChangeWorkspace(
        **named(db, name), changes=changes, version=None, may_create=True, new_secret="s"
    )


def finishing(db: ScratchDatabase, number: int, rng: random.Random) -> Transition:
    try:
        begun = db.begin(number)
    except HookbundleError:
        return BeginAttempt(number, db.now_ms)
    if not isinstance(begun, Begun):
        return BeginAttempt(number, db.now_ms)
    return db.finishing(begun, rng.choice(RESULTS), ws=number)
