"""Random transitions of every kind on a few workspaces and chats, in groups of three."""

import random
from collections.abc import Callable
from typing import Any

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected, Unknown
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.messages.message import Skipped
from hookbundle.storage.database import key_fields, keyspace
from hookbundle.storage.database.delivery_records import Attempt, WebhookTest
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.retention import KEEP_ALL, Retention
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt, FinishAttempt
from hookbundle.storage.transitions.deliveries import (
    DiscardDelivery,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest, ClaimRequest
from hookbundle.storage.transitions.mails import MailAccepted
from hookbundle.storage.transitions.sealing import SealDue, SealWindow
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace
from hookbundle.storage.transitions.table import Result, Transition, apply
from hookbundle.storage.transitions.timed.arrival_steps import TrimArrivals
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.storage.transitions.webhooks.tests import RecordTest
from hookbundle.tests.storage.random_repeats import WORKSPACES
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, incoming
from hookbundle.tests.storage.transitions.rendering.random_formats import RandomFormats

CHAT, POLICY = b'{"chat_id":"c","phone":"1"}', BackoffPolicy(errors_max=7, rejections_max=2)


class Life(RandomFormats):
    """`step()` makes up to three transitions in one commit.

    With `everything`, also those that take away what the feed can't tell: history, ids. With
    `several`, workspaces have several webhooks, which come and go; with `formats`, bodies too.
    """

    def __init__(
        self,
        env: Environment,
        seed: int,
        *,
        everything: bool = False,
        several: bool = False,
        formats: bool = False,
        retention: Retention = KEEP_ALL,
    ) -> None:
        self.env = env
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        self.made = 0
        self.collected: Collected | None = None
        self._everything = everything
        self.several = several
        self._retention = retention
        self.flights, self.renders, self.formats = {}, {}, formats
        self._tried: set[Due] = set()

    def step(self) -> None:
        self.now_ms += self.rng.choice((0, 10, 1_000, 60_000, HOUR_MS))
        choices: list[Callable[[], Transition | None]] = [
            *[self.accept] * 8,
            *[self.attempt] * 24,
            self.seal,
            self.change,
            self.switch,
            self.retime,
            self.erase,
            self.move,
            self.retry,
            self.discard,
            self.delete,
            *[self.resend] * 2,
            self.replay,
            *[self.replay_on] * 2,
        ]
        if self._everything:
            choices += [
                *(self.trim, self.claim, self.answer, self.test, self.mail),
                *[self.act_on_due] * 8,
            ]
        if self.several:
            choices += [*[self.hook] * 3, *[self.drop_hook] * 2, *[self.erase_hook] * 4]
            choices += [self.merge] * 5
        group = [made for choice in self.rng.choices(choices, k=3) if (made := choice())]
        self.made += len(group)
        for transition, outcome in zip(group, self.commit(*group), strict=True):
            self.note(transition, outcome)

    def commit(self, *group: Transition) -> list[Result | HookbundleError]:
        """One transaction, as the Store makes it."""
        outcomes: list[Result | HookbundleError] = []
        with self.env.write() as txn:
            unit = Unit(txn, self.env.identity, retention=self._retention, collected=self.collected)
            for transition in group:
                try:
                    outcomes.append(apply(unit, transition))
                except HookbundleError as refusal:
                    outcomes.append(refusal)
            unit.flush()
        self.env.grow_if_needed()
        return outcomes

    # ---- transitions

    def accept(self) -> AcceptMessages:
        ids = [f"m{self.rng.randint(0, 400)}" for _ in range(self.rng.randint(0, 6))]
        return AcceptMessages(
            workspace_number=self.number(),
            chat_id=self.chat(),
            messages=tuple(incoming(each, START_MS, chat=CHAT) for each in ids),
            skipped=(Skipped("s", "no_text"),) * self.rng.randint(0, 1),
            now_ms=self.now_ms,
            product_name="the inbox",
            quota=Quota(messages_max=60),
        )

    def attempt(self) -> Transition:
        number = self.webhook()
        begun, render = self.flights.get(number), self.renders.get(number)
        if render is not None and self.rng.random() > 0.05:
            return self.storing(render)
        if begun is None or self.rng.random() < 0.05:  # as after a crash
            return BeginAttempt(number, self.now_ms)
        fails, results = Failed("status 500", 500), (Delivered(200), Rejected(404), Unknown("-"))
        outcome: Outcome = self.rng.choices((fails, *results), weights=(2, 4, 8, 1))[0]
        if begun.delivery.number % 2 and self.rng.random() < 0.9:
            outcome = fails  # over this one its receiver does
        return FinishAttempt(
            webhook=number,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=outcome,
            result=Attempt(at_ms=START_MS, url=begun.url, request_headers=(), outcome="-"),
            now_ms=self.now_ms,
            spread=0.0,
            policy=POLICY,
            go_on=self.rng.random() < 0.5,
        )

    def seal(self) -> SealWindow:
        return SealWindow(
            workspace_number=self.number(),
            chat_id=self.chat(),
            now_ms=self.now_ms,
            product_name="the inbox",
        )

    def change(self) -> ChangeWorkspace:
        rng = self.rng
        return ChangeWorkspace(
            workspace_id=rng.choice(WORKSPACES),
            changes=Changes(
                name=rng.choice((None, "A", "B")),
                owner_email=rng.choice((None, "o@acme.example")) if self._everything else None,
                url=rng.choice((None, None, "http://r.example/1", "http://r.example/2")),
                aggregation_ms=rng.choice((None, 0, HOUR_MS, 6 * HOUR_MS)),
                window=self.window(),
                time_zone=random.Random(self.now_ms).choice((None, "UTC", "Asia/Jerusalem")),
                **self.limits(),
                enabled=rng.choice((None, None, True, False)),
            ),
            precondition=None,
            may_create=True,
            new_secret="whsec_AAAA",
            now_ms=self.now_ms,
            caller="test",
        )

    def erase(self) -> EraseStep | None:
        rows = DueReads(self.env).due(DueKind.ERASE, 0, 100)
        most = self.rng.choice((2, 1_000))
        return EraseStep(row=rows[0], most=most, now_ms=self.now_ms) if rows else None

    def retry(self) -> RetryDelivery | RetryDeadLetters | None:
        if self.rng.random() < 0.2:
            workspace_id = self.rng.choice(WORKSPACES)
            return RetryDeadLetters(workspace_id=workspace_id, now_ms=self.now_ms, caller="test")
        found = self.delivery()
        return RetryDelivery(now_ms=self.now_ms, caller="test", **found) if found else None

    def discard(self) -> DiscardDelivery | None:
        found = self.delivery()
        if found is None:
            return None
        return DiscardDelivery(
            reason="a test",
            alive_since_ms=START_MS,
            now_ms=self.now_ms,
            caller="test",
            **found,
        )

    def delete(self) -> DeleteChat | DeleteWorkspace:
        workspace_id, now_ms = self.rng.choice(WORKSPACES), self.now_ms
        of: dict[str, Any] = {"workspace_id": workspace_id, "now_ms": now_ms, "caller": "test"}
        if self.rng.random() < 0.1:
            return DeleteWorkspace(precondition=None, **of)
        return DeleteChat(chat_id=self.chat(), **of)

    def trim(self) -> TrimHistory:
        return TrimHistory(
            workspace_number=self.number(),
            before_ms=self.now_ms - self.rng.choice((0, 24 * HOUR_MS)),
            bytes_max=self.rng.choice((0, 10_000, 2**60)),
            most=self.rng.choice((1, 500)),
            now_ms=self.now_ms,
        )

    def claim(self) -> ClaimRequest:
        of: dict[str, Any] = {"workspace_number": self.number(), "now_ms": self.now_ms}
        return ClaimRequest(key=b"key %d" % self.rng.randint(0, 50), digest=b"body", **of)

    def answer(self) -> AnswerRequest:
        key, answer = b"key %d" % self.rng.randint(0, 50), b"x" * self.rng.randint(0, 3_000)
        return AnswerRequest(workspace_number=self.number(), key=key, answer=answer)

    def test(self) -> RecordTest:
        made = Attempt(at_ms=self.now_ms, url="u", request_headers=(), outcome="failed")
        test = WebhookTest(id="test_1", body=b"{}", attempt=made)
        return RecordTest(webhook=self.webhook(), test=test, now_ms=self.now_ms)

    def mail(self) -> MailAccepted | None:
        rows = DueReads(self.env).due(DueKind.MAIL, self.now_ms, 1)
        return MailAccepted(rows[0].number, 1, self.now_ms) if rows else None

    def act_on_due(self) -> Transition | None:
        """What the timer does with a row of some kind."""
        dues = DueReads(self.env)
        for kind in self.rng.sample(list(DueKind), len(DueKind)):
            rows = tuple(dues.due(kind, self.now_ms, 3))
            if rows:
                return self._act(kind, rows)
        return None

    def _act(self, kind: DueKind, rows: tuple[Due, ...]) -> Transition | None:
        if self.rng.random() < 0.1 and kind in (DueKind.WINDOW, DueKind.RETRY):
            return Postpone(rows, self.now_ms)
        match kind:
            case DueKind.WINDOW:
                return SealDue(rows, self.now_ms, "the inbox")
            case DueKind.RETRY:
                return EndWaits(rows, self.now_ms)
            case DueKind.FORGET | DueKind.REQUEST:
                return Forget(rows, self.now_ms)
            case DueKind.ARRIVALS:
                few, number = self.rng.choice((1, 500)), rows[0].number
                return TrimArrivals(workspace_number=number, most=few, now_ms=self.now_ms)
            case DueKind.POSTPONED:
                if rows[0] in self._tried:
                    return Settle(rows[:1], self.now_ms)
                inner = key_fields.due(rows[0].subject)
                if inner.kind is DueKind.WINDOW:
                    self._tried.add(rows[0])
                    return SealDue((inner,), self.now_ms, "the inbox")
                self._tried.add(rows[0])
                return EndWaits((inner,), self.now_ms)
            case _:
                return None

    # ---- what there is

    def delivery(self) -> dict[str, Any] | None:
        """A random delivery or dead letter, as commands name it."""
        reads = Reads(self.env)
        found = [
            {"workspace_id": ws, "webhook_id": hook.webhook.id, "number": each.number}
            for view in reads.workspaces(100).found
            for hook in view.webhooks
            for prefix in (keyspace.QUEUED, keyspace.DEAD_LETTERS)
            for ws in (view.settings.id,)
            for each in reads.deliveries(ws, prefix, 3, webhook_id=hook.webhook.id)
        ]
        return self.rng.choice(found) if found else None

    def number(self) -> int:
        numbers = [view.settings.number for view in Reads(self.env).workspaces(100).found]
        return self.rng.choice(numbers or [1])

    def chat(self) -> str:
        return f"chat {self.rng.randint(1, 4)}"
