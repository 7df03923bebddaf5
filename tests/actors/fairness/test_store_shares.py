"""The Store's queue is shared: who waits for whom, and who is refused."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.errors import Overloaded, TooManyRequests
from hookbundle.engine.limits import GROUP_WEIGHT
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt, FinishAttempt
from hookbundle.storage.transitions.changing.changing import ChangeMessages
from hookbundle.storage.transitions.changing.dropping import DropChanges
from hookbundle.storage.transitions.clock_recovery import TrustClock
from hookbundle.storage.transitions.costs import COSTS
from hookbundle.storage.transitions.idempotency import AnswerRequest, ClaimRequest
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.notes import Confirm, Note, RaiseSchema
from hookbundle.storage.transitions.rendering.storing import StoreBody
from hookbundle.storage.transitions.sealing import SealDue
from hookbundle.storage.transitions.sources.learning import LearnFromSource
from hookbundle.storage.transitions.sources.noting import NoteSource
from hookbundle.storage.transitions.table import TRANSITIONS, Result
from hookbundle.storage.transitions.timed.arrival_steps import TrimArrivals
from hookbundle.storage.transitions.timed.delete_steps import DeleteStep
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.merge_steps import MergeStep
from hookbundle.storage.transitions.timed.moving import MoveDeliveries
from hookbundle.storage.transitions.timed.postponing import Postpone, Settle
from hookbundle.storage.transitions.timed.replay_steps import ReplayStep
from hookbundle.storage.transitions.timed.retiming import RetimeWindows
from hookbundle.storage.transitions.timed.source_steps import SourceStep
from hookbundle.storage.transitions.timed.trimming import TrimHistory
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.storage.transitions.tokens import NoteTokenUses
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import ChangeWebhook, WebhookChanged
from hookbundle.storage.transitions.webhooks.tests import RecordTest
from hookbundle.tests.actors.stores import TIMEOUT_S, storing

# Submitted by the daemon, which bounds them elsewhere, or for a request that has its places.
UNASKED = (
    *(AcceptMessages, ChangeMessages, DropChanges, ClaimRequest, AnswerRequest),
    *(BeginAttempt, FinishAttempt, StoreBody, RecordTest, MailAccepted, MailFailed, Confirm),
    RaiseSchema,
    *(SealDue, EndWaits, Forget, RetimeWindows, MoveDeliveries, EraseStep, DeleteStep, TrimHistory),
    *(ReplayStep, MergeStep, Postpone, Settle, TrustClock, Note, NoteTokenUses, TrimArrivals),
    # What a request teaches takes a place as a whole; requests are noted once a second.
    *(LearnFromSource, NoteSource, SourceStep),
)


async def test_a_bystanders_message_is_stored_while_heavy_batches_wait(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        greedy, quiet = await store.workspace("greedy"), await store.workspace("quiet")
        first = await store.hold_up()
        stored: list[str] = []

        def put(number: int, name: str, chat: str, count: int) -> "asyncio.Future[Result]":
            ids = (f"m{each}" for each in range(count))
            future = store.put(store.accepting(number, *ids, chat_id=chat))
            future.add_done_callback(lambda _: stored.append(name))
            return future

        batches = [put(greedy, "greedy", f"c{each}", 500) for each in range(20)]
        message = put(quiet, "quiet", "c", 1)
        commits = store.store_queue.state.commits
        store.disk.gate.set()
        await asyncio.wait_for(message, TIMEOUT_S)
        await asyncio.wait_for(asyncio.gather(first, *batches), TIMEOUT_S)

        assert stored.index("quiet") <= 3 * GROUP_WEIGHT // (500 * 8)
        assert store.store_queue.state.commits > commits + 3


async def test_the_caller_of_too_much_is_refused_and_nobody_else(tmp_path: Path) -> None:
    async with storing(tmp_path, waiting_max=8) as store:
        number = await store.workspace("greedy")
        await store.workspace("quiet")
        store.disk.hold_up()
        held = [store.put(store.flush(number))]
        await store.disk.held_up()
        held += [store.put(store.flush(number)) for _ in range(3)]

        with pytest.raises(TooManyRequests, match="share of changes"):
            store.put(store.flush(number))
        held += [store.put(store.changing("quiet", name="Quiet"))]
        outcome = store.put(BeginAttempt(number, store.clock.now_ms()))
        store.disk.gate.set()

        await asyncio.wait_for(asyncio.gather(outcome, *held), TIMEOUT_S)
        assert store.store_queue.places.used == 0
        await store.do(store.flush(number))


async def test_when_no_place_is_left_callers_are_refused_but_outcomes_are_always_taken(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path, waiting_max=2) as store:
        number = await store.workspace()
        store.disk.hold_up()
        held = [store.put(store.flush(number))]
        await store.disk.held_up()
        held += [store.put(store.changing("acme", name="Acme"))]

        with pytest.raises(Overloaded):
            store.put(store.changing("other", name="Other"))
        outcome = store.put(BeginAttempt(number, store.clock.now_ms()))
        store.disk.gate.set()

        await asyncio.wait_for(asyncio.gather(outcome, *held), TIMEOUT_S)


@pytest.mark.parametrize("kind", [each for each in TRANSITIONS if each not in UNASKED])
def test_whatever_a_caller_can_submit_by_itself_takes_a_place(kind: type[Any]) -> None:
    assert COSTS[kind].asked


async def test_the_store_learns_whose_the_webhooks_are(tmp_path: Path) -> None:
    async with storing(tmp_path) as store:
        workspace = await store.workspace("acme")
        made = await store.do(
            ChangeWebhook(
                workspace_id="acme",
                webhook_id="crm",
                changes=WebhookChanges(url="https://receiver.example/crm"),
                precondition=None,
                may_create=True,
                new_secret="whsec_crm",
                now_ms=1,
                caller="test",
            )
        )

        assert isinstance(made, WebhookChanged)
        assert store.store_queue.owners.numbers == {made.number: workspace}
