"""A database's life, written down: each group of transitions, and what was stored before and after.

The same transitions in the same order give the same database. So a life that was recorded once
says of any moment what the database has to hold, and can be lived again from any moment on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hookbundle.engine.delivery.attempts import Rejected
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.attempting import BeginAttempt, EndWaits, Idle, RecordTest
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.deliveries import DiscardDelivery, RetryDelivery, RetryParked
from hookbundle.storage.transitions.erase_steps import Erased, EraseStep
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.housekeeping import (
    Forget,
    MailAccepted,
    MailFailed,
    Note,
    RetimeWindows,
)
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.settings import RotateSecret
from hookbundle.storage.transitions.table import Outcome, Transition
from hookbundle.storage.transitions.tokens import CreateToken, RevokeToken, token_id
from hookbundle.tests.storage.populated import claiming, findings
from hookbundle.tests.storage.scratch import HOUR_MS, NO, OK, House, failed, incoming

Dump = dict[bytes, bytes]

DIGEST = b"d" * 32


@dataclass(frozen=True, slots=True)
class Step:
    """One group, what it found, and whether it only leads up to what is worth looking at."""

    group: tuple[Transition, ...]
    before: Dump
    leads_up: bool

    @property
    def name(self) -> str:
        return "+".join(type(transition).__name__ for transition in self.group)


class RecordedHouse(House):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.steps: list[Step] = []
        self._leading_up = self._replaying = False

    def group(self, *group: Transition) -> list[Outcome | HookbundleError]:
        before = {} if self._replaying else self.dump()
        outcomes = super().group(*group)
        if not self._replaying:
            assert findings(self) == []
            self.steps.append(Step(group, before, self._leading_up))
        return outcomes

    @contextmanager
    def leading_up(self) -> Iterator[None]:
        """What is lived here only brings about what comes next."""
        self._leading_up = True
        yield
        self._leading_up = False

    @contextmanager
    def replaying(self) -> Iterator[None]:
        """What is lived here was recorded before."""
        self._replaying = True
        yield
        self._replaying = False


def restore(env: Environment, dump: Dump) -> None:
    """The database holds what the dump has, and nothing else."""
    with env.write() as txn:
        txn.drop(env._env.open_db(), delete=False)
        for key in sorted(dump):
            txn.put(key, dump[key], append=True)


def live(house: RecordedHouse) -> None:
    """Something of everything that a daemon asks of its Store. It begins with an empty house."""
    of_acme: dict[str, Any] = {"workspace_id": "acme", "caller": "test"}
    with house.leading_up():
        house.workspace()
        house.workspace("now", aggregation_ms=0)
    _accept_and_seal(house)
    _send(house)
    _fail_until_disabled(house)
    _mail(house)
    house.accept("held", ws=2, chat="b")
    house.enable("now")
    house.disable("now")
    house.enable("now", discard=True)
    _park_and_bring_back(house, of_acme)
    _settings_and_tokens(house, of_acme)
    _group(house)
    _delete(house, of_acme)
    _forget(house)


def _accept_and_seal(house: RecordedHouse) -> None:
    """Windows, duplicates, a refusal, and what is sent at once; sealed by time and on a wish."""
    house.accept("m1", "m2")
    house.accept("m2", "m3", skipped=("s1",))
    house.accept(*(incoming(f"long{n}", text="t" * 900) for n in range(20)), chat="long")
    house.group(house.accepting("m1", ws=99))
    house.accept("m1", "m2", ws=2)
    house.now_ms += HOUR_MS
    house.seal(due_ms=house.dues(DueKind.WINDOW)[0].at_ms)
    house.seal("long")
    house.do(claiming(house, 1, b"key"), Outcome)
    house.done(AnswerRequest(workspace_number=1, key=b"key", answer=b"{}"))


def _send(house: RecordedHouse) -> None:
    """Delivered, failed with a wait, cut short, lost with its daemon."""
    begun = house.begun(ws=2)
    following = house.finish(begun, OK, ws=2, go_on=True)
    assert not isinstance(following, Idle)
    house.finish(following, failed(), ws=2)
    house.wait(2)
    exchange = house.finishing(house.begun(ws=2), OK, ws=2).exchange
    house.begun(ws=2)  # the one before is found to be lost
    house.done(RecordTest(workspace_number=2, exchange=exchange, now_ms=house.now_ms))


def _fail_until_disabled(house: RecordedHouse) -> None:
    with house.leading_up():
        house.enable("now")  # which counts from 0
        for _ in range(10):
            house.attempt(failed(), 2)
        house.wait(2)
    house.finish(house.begun(ws=2), failed(), ws=2)
    assert not house.view("now").state.enabled


def _mail(house: RecordedHouse) -> None:
    (row,) = house.dues(DueKind.MAIL)
    house.done(MailFailed(row.number, "451 later", house.now_ms + 60_000, house.now_ms))
    _trust(house)
    house.now_ms += 60_000
    house.done(MailAccepted(row.number, house.now_ms))


def _trust(house: RecordedHouse) -> None:
    """A window, a wait and a mail are there, whose times were those of a wrong clock."""
    with house.leading_up():
        house.accept("t1", chat="t")
        house.attempt(failed())
    house.done(TrustClock(house.now_ms - 1_000))
    assert house.dues(DueKind.RETRY) == []
    assert house.dues(DueKind.RETIME)
    assert [row.at_ms for row in house.dues(DueKind.MAIL)] == [house.now_ms - 1_000]
    with house.leading_up():
        house.do(RetimeWindows(1, 10, house.now_ms, "the inbox"), Outcome)


def _park_and_bring_back(house: RecordedHouse, of_acme: dict[str, Any]) -> None:
    with house.leading_up():
        for _ in range(2):
            house.attempt(NO)
        house.wait()
    begun = house.begun()
    house.finish(begun, Rejected(404))
    number = begun.delivery.number
    house.do(RetryDelivery(number=number, now_ms=house.now_ms, **of_acme), Outcome)
    with house.leading_up():
        for _ in range(3):
            house.attempt(NO)
    house.do(RetryParked(after=0, most=10, now_ms=house.now_ms, **of_acme), Outcome)
    house.do(
        DiscardDelivery(
            number=number, reason="poison", alive_since_ms=0, now_ms=house.now_ms, **of_acme
        ),
        Outcome,
    )


def _settings_and_tokens(house: RecordedHouse, of_acme: dict[str, Any]) -> None:
    house.accept("w1", chat="w")
    house.change("acme", name="Acme", aggregation_ms=2 * HOUR_MS)
    house.do(RetimeWindows(1, 10, house.now_ms, "the inbox"), Outcome)
    house.group(
        RotateSecret(
            new_secret="whsec_second",
            keep_until_ms=house.now_ms + HOUR_MS,
            now_ms=house.now_ms,
            **of_acme,
        )
    )
    house.done(CreateToken(digest=DIGEST, scope="admin", now_ms=house.now_ms, **of_acme))
    house.done(RevokeToken(token_id=token_id(DIGEST), now_ms=house.now_ms, caller="test"))


def _group(house: RecordedHouse) -> None:
    """What waits together: of one chat, of others, an attempt, a refusal, the clock's rows."""
    with house.leading_up():
        house.enable("now")
        house.accept("g0", ws=2, chat="g")
        house.attempt(failed(), 2)
    retries = tuple(row for row in house.dues(DueKind.RETRY) if row.number == 2)
    house.now_ms = max(house.now_ms, *(row.at_ms for row in retries))
    house.group(
        house.accepting("g1", "g2", chat="g"),
        EndWaits(retries),
        house.accepting("g1", "g3", chat="g"),
        house.accepting("g4", ws=77),
        BeginAttempt(2, house.now_ms),
        house.accepting("g5", ws=2, chat="h"),
        Note("clock.stepped", "1000 ms", house.now_ms),
    )


def _delete(house: RecordedHouse, of_acme: dict[str, Any]) -> None:
    house.group(DeleteChat(chat_id="g", now_ms=house.now_ms, **of_acme))
    _erase(house, 1)
    house.group(
        DeleteWorkspace(workspace_id="now", version=None, now_ms=house.now_ms, caller="test")
    )
    house.group(house.accepting("late", ws=2, chat="h"))
    _erase(house, 2)


def _erase(house: RecordedHouse, number: int) -> None:
    before, after = 0, b""
    while rows := [row for row in house.dues(DueKind.ERASE) if row.number == number]:
        step = EraseStep(row=rows[0], most=8, now_ms=house.now_ms, before=before, after=after)
        (erased,) = house.group(step)
        assert isinstance(erased, Erased)
        before, after = erased.before, erased.after


def _forget(house: RecordedHouse) -> None:
    """Days later: message ids and idempotency keys have had their time."""
    kinds = (DueKind.FORGET, DueKind.REQUEST)
    rows = tuple(row for kind in kinds for row in house.dues(kind))
    house.now_ms = max(house.now_ms, *(row.at_ms for row in rows))
    house.group(Forget(rows, house.now_ms))
