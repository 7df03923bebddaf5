"""Chains of steps: one a workspace, however much was asked for, and they take turns."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors import due_work
from hookbundle.actors.due_rows import DueRows, no_claims
from hookbundle.engine.fairness.webhook_owners import WebhookOwners
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.erasing import DeleteChat
from hookbundle.storage.transitions.switching import EnableWebhook
from hookbundle.storage.transitions.table import Transition
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.tests.actors.timers import Timing, timing
from hookbundle.tests.storage.scratch import ScratchDatabase

NAMES = ("one", "two", "three")
CHATS = [f"c{chat}" for chat in range(6)]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Transition]:
    """The steps in the order in which they were made, each of two deliveries."""
    monkeypatch.setattr(due_work, "MOVE_AT_ONCE", 2)
    monkeypatch.setattr(due_work, "ERASE_AT_ONCE", 2)
    found: list[Transition] = []

    def note(kind: type[Any]) -> None:
        apply = table.TRANSITIONS[kind]

        def noting(unit: Any, transition: Any) -> Any:
            found.append(transition)
            return apply(unit, transition)

        monkeypatch.setitem(table.TRANSITIONS, kind, noting)

    note(MoveDeliveries)
    note(EraseStep)
    return found


async def holding(timer: Timing) -> list[int]:
    """Three workspaces with six deliveries each, of as many chats. Returns their numbers."""
    store, numbers = timer.store, []
    for ws in NAMES:
        numbers.append(await store.workspace(ws))
        accepting = [store.accepting(numbers[-1], "m1", chat_id=chat) for chat in CHATS]
        await asyncio.gather(*map(store.put, accepting))
    return numbers


async def test_what_is_discarded_goes_a_step_at_a_time_of_each_workspace(
    tmp_path: Path, steps: list[Transition]
) -> None:
    async with timing(tmp_path) as timer:
        numbers, now_ms = await holding(timer), timer.store.clock.now_ms()
        enabling = [
            EnableWebhook(workspace_id=ws, discard=True, now_ms=now_ms, caller="test")
            for ws in NAMES
        ]

        await asyncio.gather(*map(timer.store.put, enabling))
        await timer.store.until(lambda: timer.rows(DueKind.MOVE) == [])

        moved = [step.webhook for step in steps if isinstance(step, MoveDeliveries)]
        assert moved == numbers * 4


def test_a_workspace_with_many_webhooks_has_one_chain_beside_that_of_another(
    tmp_path: Path,
) -> None:
    db, owners = ScratchDatabase(tmp_path / "data"), WebhookOwners()
    quiet, greedy, webhooks = 5, 1, [*range(2, 5), *range(6, 22)]
    for webhook in webhooks:
        owners.learn(webhook, greedy)
    with db.unit() as unit:
        for number in (*webhooks, quiet):
            unit.put_due(Due(0, DueKind.DELETE, number))
    rows = DueRows(DueReads(db.env, owners.keys), no_claims(), lambda: 0)

    taken = []
    for _ in range(8):
        (row,) = rows.take(DueKind.DELETE, 1)
        rows.release((row,))
        taken.append(row.number)
    db.close()

    assert taken.count(quiet) >= 3


async def test_the_chats_that_a_workspace_deletes_go_in_one_chain(
    tmp_path: Path, steps: list[Transition]
) -> None:
    async with timing(tmp_path) as timer:
        numbers, now_ms = await holding(timer), timer.store.clock.now_ms()
        deleting = [
            DeleteChat(workspace_id=ws, chat_id=chat, now_ms=now_ms, caller="test")
            for ws in NAMES
            for chat in CHATS
        ]

        await asyncio.gather(*map(timer.store.put, deleting))
        await timer.store.until(lambda: timer.rows(DueKind.ERASE) == [])

        erased = [step.row for step in steps if isinstance(step, EraseStep)]
        assert {row.subject for row in erased} == {b""}
        # A step after the last chat of a workspace finds that nothing is left.
        assert [row.number for row in erased[: 2 * len(numbers)]] == numbers * 2
        assert len(erased) <= len(numbers) * (len(CHATS) + 1)
