"""The feed is complete: folding its events gives the state in the database.

The transitions are random, and include all that change settings, windows, queues or error counts.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected, Unknown
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.messages import message
from hookbundle.engine.messages.message import Incoming, Skipped
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import Exchange
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import AcceptMessages, Quota
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt
from hookbundle.storage.transitions.deliveries import DiscardDelivery, RetryDelivery
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.sealing import SealWindow
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.tests.folding import Fold, stored

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
KEEP_ALL = 1_000_000, 365 * 24 * HOUR_MS


@pytest.fixture
def env(tmp_path: Path) -> Iterator[Environment]:
    opened = open_environment(tmp_path / "data", START_MS)
    yield opened
    opened.close()


def commit(env: Environment, *group: Transition) -> list[Result | HookbundleError]:
    """One transaction, as the Store makes it."""
    outcomes: list[Result | HookbundleError] = []
    with env.write() as txn:
        unit = Unit(txn, env.identity)
        for transition in group:
            try:
                outcomes.append(table.apply(unit, transition))
            except HookbundleError as refusal:
                outcomes.append(refusal)
        unit.flush(*KEEP_ALL)
    return outcomes


POLICY = BackoffPolicy(errors_max=4, rejections_max=2)
WORKSPACES = ("acme", "blue", "cyan")


class Life:
    """Random transitions on a few workspaces and chats."""

    def __init__(self, env: Environment, seed: int) -> None:
        self.env = env
        self.rng = random.Random(seed)
        self.now_ms = START_MS
        self.flights: dict[int, Begun] = {}
        self.messages = 0

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
            self.retry,
            self.discard,
            self.delete,
        ]
        group = [made for choice in self.rng.choices(choices, k=3) if (made := choice())]
        for transition, outcome in zip(group, commit(self.env, *group), strict=True):
            if isinstance(transition, BeginAttempt | FinishAttempt):
                self.flights.pop(transition.workspace_number, None)
                if isinstance(outcome, Begun):
                    self.flights[transition.workspace_number] = outcome

    def accept(self) -> AcceptMessages:
        ids = [f"m{self.rng.randint(0, 400)}" for _ in range(self.rng.randint(0, 6))]
        return AcceptMessages(
            workspace_number=self.number(),
            chat_id=f"chat {self.rng.randint(1, 4)}",
            messages=tuple(map(incoming, ids)),
            skipped=(Skipped("s", "no_text"),) * self.rng.randint(0, 1),
            now_ms=self.now_ms,
            product_name="the inbox",
            quota=Quota(messages_max=60),
        )

    def attempt(self) -> Transition:
        number = self.number()
        begun = self.flights.get(number)
        if begun is None or self.rng.random() < 0.05:  # as after a crash
            return BeginAttempt(number, self.now_ms)
        results: list[Outcome] = [
            Delivered(200),
            Rejected(404),
            Failed("status 500"),
            Unknown("stopping"),
        ]
        result = self.rng.choices(results, weights=(4, 8, 2, 1))[0]
        return FinishAttempt(
            workspace_number=number,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=result,
            exchange=exchange(begun),
            now_ms=self.now_ms,
            spread=0.0,
            policy=POLICY,
            go_on=self.rng.random() < 0.5,
        )

    def seal(self) -> SealWindow:
        return SealWindow(
            workspace_number=self.number(),
            chat_id=f"chat {self.rng.randint(1, 4)}",
            now_ms=self.now_ms,
            product_name="the inbox",
        )

    def change(self) -> ChangeWorkspace:
        rng = self.rng
        return ChangeWorkspace(
            workspace_id=rng.choice(WORKSPACES),
            changes=Changes(
                name=rng.choice((None, "A", "B")),
                url=rng.choice((None, None, "http://r.example/1", "http://r.example/2")),
                aggregation_ms=rng.choice((None, 0, HOUR_MS, 6 * HOUR_MS)),
                success=rng.choice((None, "200", "2xx")),
                enabled=rng.choice((None, None, True, False)),
            ),
            version=None,
            may_create=True,
            new_secret="whsec_AAAA",
            now_ms=self.now_ms,
            caller="test",
        )

    def switch(self) -> EnableWebhook | DisableWebhook:
        workspace_id = self.rng.choice(WORKSPACES)
        if self.rng.random() < 0.3:
            return DisableWebhook(workspace_id=workspace_id, now_ms=self.now_ms, caller="test")
        return EnableWebhook(
            workspace_id=workspace_id,
            discard=self.rng.random() < 0.3,
            now_ms=self.now_ms,
            caller="test",
        )

    def retime(self) -> RetimeWindows:
        return RetimeWindows(self.number(), 100, self.now_ms, "the inbox")

    def erase(self) -> EraseStep | None:
        rows = [row for row in Reads(self.env).due(0, 100) if row.kind is DueKind.ERASE]
        return EraseStep(row=rows[0], most=1_000, now_ms=self.now_ms) if rows else None

    def retry(self) -> RetryDelivery | None:
        found = self.delivery()
        return found and RetryDelivery(
            workspace_id=found[0], number=found[1], now_ms=self.now_ms, caller="test"
        )

    def discard(self) -> DiscardDelivery | None:
        found = self.delivery()
        return found and DiscardDelivery(
            workspace_id=found[0],
            number=found[1],
            reason="a test",
            alive_since_ms=START_MS,
            now_ms=self.now_ms,
            caller="test",
        )

    def delete(self) -> DeleteChat | DeleteWorkspace:
        workspace_id = self.rng.choice(WORKSPACES)
        if self.rng.random() < 0.1:
            return DeleteWorkspace(
                workspace_id=workspace_id, version=None, now_ms=self.now_ms, caller="test"
            )
        chat_id = f"chat {self.rng.randint(1, 4)}"
        return DeleteChat(
            workspace_id=workspace_id, chat_id=chat_id, now_ms=self.now_ms, caller="test"
        )

    def delivery(self) -> tuple[str, int] | None:
        """A random delivery or dead letter: its workspace and its number."""
        reads = Reads(self.env)
        found = [
            (view.settings.id, each.number)
            for view in reads.workspaces(100)
            for prefix in (keyspace.QUEUED, keyspace.DEAD_LETTERS)
            for each in reads.deliveries(view.settings.id, prefix, 3)
        ]
        return self.rng.choice(found) if found else None

    def number(self) -> int:
        numbers = [view.settings.number for view in Reads(self.env).workspaces(100)]
        return self.rng.choice(numbers or [1])


def incoming(message_id: str) -> Incoming:
    details = {
        "direction": "received",
        "timestamp": START_MS // 1_000,
        "message_id": message_id,
        "text": "Hello",
    }
    whole = {"whatsapp_account": {}, "chat": {"chat_id": "c"}, "message": details}
    kept = message.incoming(msgspec.convert(whole, message.Event), 0)
    assert isinstance(kept, Incoming)
    return kept


def exchange(begun: Begun) -> Exchange:
    return Exchange(
        at_ms=START_MS,
        delivery_id=begun.delivery_id,
        attempt=begun.attempt,
        chat_id=begun.delivery.chat_id,
        url=begun.url,
        request_headers=(),
        request_body=begun.delivery.body,
        outcome="-",
    )


@pytest.mark.parametrize("seed", range(6))
def test_folding_the_feed_gives_the_state_of_the_database(env: Environment, seed: int) -> None:
    life, reader, fold, after = Life(env, seed), FeedReader(env), Fold(), 0

    for _ in range(250):
        life.step()
        page = reader.read(after, 1_000_000)
        after = page.after
        for event in page.events:
            fold.apply({name: getattr(event, name) for name in event.__struct_fields__})

        assert (fold.workspaces, fold.totals) == (stored(env).workspaces, stored(env).totals)

    assert min(fold.totals.values()) > 0, "some kind of event never happened"
