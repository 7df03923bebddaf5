"""A recorded sequence of transitions: each group, and what the database held before it.

The same transitions in the same order give the same database. So a recording tells what the
database must hold at any step, and can be replayed from any step.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookbundle.engine.delivery.outcomes import Rejected
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.daemon_facts import ClockStepped
from hookbundle.storage.database.delivery_records import WebhookTest
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import BeginAttempt, Idle
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.notes import Note
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.storage.transitions.tokens import (
    CreateToken,
    NoteTokenUses,
    RevokeToken,
    TokenUse,
    token_id,
)
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret
from hookbundle.storage.transitions.webhooks.tests import RecordTest
from hookbundle.tests.reliability.harness.battery import FULL
from hookbundle.tests.storage.populated import claiming, findings
from hookbundle.tests.storage.recorded import ageing
from hookbundle.tests.storage.recorded.changes import change_all
from hookbundle.tests.storage.recorded.repeats import repeat
from hookbundle.tests.storage.recorded.sources import of_sources
from hookbundle.tests.storage.recorded.webhooks import of_webhooks
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, ScratchDatabase, failed, incoming

Dump = dict[bytes, bytes]

DIGEST = b"d" * 32


@dataclass(frozen=True, slots=True)
class Step:
    """One group of transitions, and the database before it.

    `leads_up`: the step only prepares a later one, and is not tested. Only the first has `before`.
    """

    group: tuple[Transition, ...]
    before: Dump
    leads_up: bool

    @property
    def name(self) -> str:
        return "+".join(type(transition).__name__ for transition in self.group)


class RecordedDatabase(ScratchDatabase):
    """Records each group that it commits. In the long form, checks what those tested have left."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.steps: list[Step] = []
        self._leading_up = self._replaying = False

    def group(self, *group: Transition) -> list[Result | HookbundleError]:
        if self._replaying:
            return super().group(*group)
        in_full = not self._leading_up
        before = self.dump() if in_full or not self.steps else {}
        outcomes = super().group(*group)
        if in_full and FULL:  # a Store that lives through them, and has the same, is checked
            assert findings(self) == []
        self.steps.append(Step(group, before, self._leading_up))
        return outcomes

    @contextmanager
    def leading_up(self) -> Iterator[None]:
        """The steps made here only prepare later ones."""
        self._leading_up = True
        yield
        self._leading_up = False

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """The groups committed here were recorded before, and are not recorded again."""
        self._replaying = True
        yield
        self._replaying = False


def restore(env: Environment, dump: Dump) -> None:
    """The database holds exactly what the dump holds."""
    with env.write() as txn:
        txn.drop(env._env.open_db(), delete=False)
        for key in sorted(dump):
            txn.put(key, dump[key], append=True)


def live(db: RecordedDatabase) -> None:
    """Every transition that a daemon asks of its Store has been made; the database was empty."""
    of_acme: dict[str, Any] = {"workspace_id": "acme", "caller": "test"}
    with db.leading_up():
        db.workspace()
        db.workspace("now", aggregation_ms=0)
    _accept_and_seal(db)
    change_all(db)
    of_sources(db)
    _send(db)
    _fail_until_disabled(db)
    _mail(db)
    db.accept("held", ws=2, chat="b")
    db.enable("now")
    db.disable("now")
    db.enable("now", discard=True)
    db.do(MoveDeliveries(2, 2, db.now_ms), Result)
    db.do(MoveDeliveries(2, 10, db.now_ms), Result)
    _make_and_retry_dead_letters(db, of_acme)
    _settings_and_tokens(db, of_acme)
    _group(db)
    _postpone_and_settle(db)
    _trim(db)
    repeat(db)
    of_webhooks(db)
    _delete(db, of_acme)
    ageing.forget(db)


def _accept_and_seal(db: RecordedDatabase) -> None:
    """Windows, duplicates, a refusal, and single messages; sealed by time and by command."""
    db.accept("m1", "m2")
    db.accept("m2", "m3", skipped=("s1",))
    db.accept(*(incoming(f"long{n}", text="t" * 900) for n in range(20)), chat="long")
    db.group(db.accepting("m1", ws=99))
    db.accept("m1", "m2", ws=2)
    db.now_ms += HOUR_MS
    db.seal(due_ms=db.dues(DueKind.WINDOW)[0].at_ms)
    db.seal("long")
    db.do(claiming(db, 1, b"key"), Result)
    db.done(AnswerRequest(workspace_number=1, key=b"key", answer=b"{}"))


def _send(db: RecordedDatabase) -> None:
    """Attempts that are delivered, fail and wait, are interrupted, or are lost with the daemon."""
    begun = db.begun(ws=2)
    following = db.finish(begun, OK, ws=2, go_on=True)
    assert not isinstance(following, Idle)
    db.finish(following, failed(), ws=2)
    db.wait(2)
    made = db.finishing(db.begun(ws=2), OK, ws=2).result
    db.begun(ws=2)  # finds that the attempt before has no outcome
    test = WebhookTest(id="test_1", body=b"{}", attempt=made)
    db.done(RecordTest(webhook=2, test=test, now_ms=db.now_ms))


def _fail_until_disabled(db: RecordedDatabase) -> None:
    with db.leading_up():
        db.enable("now")  # sets the error count to 0
        for _ in range(10):
            db.attempt(failed(), 2)
        db.wait(2)
    db.finish(db.begun(ws=2), failed(), ws=2)
    assert not db.view("now").state.enabled


def _mail(db: RecordedDatabase) -> None:
    _, row = db.dues(DueKind.MAIL)  # of the warning, and of the disabling
    db.done(MailFailed(row.number, "451 later", db.now_ms + 60_000, db.now_ms))
    _recover_clock(db)
    db.now_ms += 60_000
    db.done(MailAccepted(row.number, 1, db.now_ms))


def _recover_clock(db: RecordedDatabase) -> None:
    """A window, a wait and a mail were stored with times of a wrong clock, and are corrected."""
    with db.leading_up():
        db.accept("t1", chat="t")
        db.attempt(failed())
    db.done(TrustClock(db.now_ms - 1_000))
    assert db.dues(DueKind.RETRY) == []
    assert db.dues(DueKind.RETIME)
    assert max(row.at_ms for row in db.dues(DueKind.MAIL)) == db.now_ms - 1_000
    with db.leading_up():
        db.do(RetimeWindows(1, 10, db.now_ms, "the inbox"), Result)


def _make_and_retry_dead_letters(db: RecordedDatabase, of_acme: dict[str, Any]) -> None:
    with db.leading_up():
        for _ in range(2):
            db.attempt(NO)
        db.wait()
    begun = db.begun()
    db.finish(begun, Rejected(404))
    number = begun.delivery.number
    db.do(RetryDelivery(number=number, now_ms=db.now_ms, **of_acme), Result)
    with db.leading_up():
        for _ in range(3):
            db.attempt(NO)
    db.do(RetryDeadLetters(now_ms=db.now_ms, **of_acme), Result)
    db.do(MoveDeliveries(1, 10, db.now_ms), Result)
    db.do(
        DiscardDelivery(
            number=number, reason="poison", alive_since_ms=0, now_ms=db.now_ms, **of_acme
        ),
        Result,
    )


def _settings_and_tokens(db: RecordedDatabase, of_acme: dict[str, Any]) -> None:
    db.accept("w1", chat="w")
    db.change("acme", name="Acme", aggregation_ms=2 * HOUR_MS)
    db.do(RetimeWindows(1, 10, db.now_ms, "the inbox"), Result)
    db.group(
        RotateSecret(
            new_secret="whsec_second",
            keep_until_ms=db.now_ms + HOUR_MS,
            now_ms=db.now_ms,
            **of_acme,
        )
    )
    db.done(CreateToken(digest=DIGEST, scope="admin", now_ms=db.now_ms, **of_acme))
    db.done(NoteTokenUses(uses=(TokenUse(DIGEST, db.now_ms),), now_ms=db.now_ms))
    db.done(RevokeToken(token_id=token_id(DIGEST), now_ms=db.now_ms, caller="test"))


def _group(db: RecordedDatabase) -> None:
    """One group of many kinds: one chat, other chats, an attempt, a refusal, the timer's rows."""
    with db.leading_up():
        db.enable("now")
        db.accept("g0", ws=2, chat="g")
        db.attempt(failed(), 2)
    retries = tuple(row for row in db.dues(DueKind.RETRY) if row.number == 2)
    db.now_ms = max(db.now_ms, *(row.at_ms for row in retries))
    db.group(
        db.accepting("g1", "g2", chat="g"),
        EndWaits(retries, db.now_ms),
        db.accepting("g1", "g3", chat="g"),
        db.accepting("g4", ws=77),
        BeginAttempt(2, db.now_ms),
        db.accepting("g5", ws=2, chat="h"),
        Note(ClockStepped(detail="1000 ms"), db.now_ms),
    )


def _delete(db: RecordedDatabase, of_acme: dict[str, Any]) -> None:
    db.group(DeleteChat(chat_id="g", now_ms=db.now_ms, **of_acme))
    _erase(db, 1)
    db.group(
        DeleteWorkspace(workspace_id="now", precondition=None, now_ms=db.now_ms, caller="test")
    )
    db.group(db.accepting("late", ws=2, chat="h"))
    _erase(db, 2)


def _erase(db: RecordedDatabase, number: int) -> None:
    while rows := [row for row in db.dues(DueKind.ERASE) if row.number == number]:
        db.do(EraseStep(row=rows[0], most=8, now_ms=db.now_ms), Erased)


def _postpone_and_settle(db: RecordedDatabase) -> None:
    """A row whose work failed twice, and was done then."""
    with db.leading_up():
        db.accept("p1", chat="p")
    (row,) = [row for row in db.dues(DueKind.WINDOW) if row.subject == b"p"]
    db.group(Postpone((row,), db.now_ms))
    db.group(Postpone(tuple(db.dues(DueKind.POSTPONED)), db.now_ms))
    db.seal("p")
    db.group(Settle(tuple(db.dues(DueKind.POSTPONED)), db.now_ms))


def _trim(db: RecordedDatabase) -> None:
    """History that no log shows any more."""
    with db.leading_up():
        db.enable("now")
        for number in range(102):
            db.accept(f"old{number}", ws=2, chat="old")
            db.attempt(OK, 2)
    trim = TrimHistory(
        workspace_number=2, before_ms=db.now_ms, bytes_max=0, most=2, now_ms=db.now_ms
    )
    assert db.do(trim, Trimmed).freed_bytes
    db.do(trim, Trimmed)
