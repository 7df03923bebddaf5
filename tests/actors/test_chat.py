"""Chat actors on a real Store: which results they pass on, and in which order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.actors import chat
from hookbundle.actors.chat import ChatActor, ChatConfig, ChatKey, Collect, Flush
from hookbundle.actors.virtual_actors import INTENSITY
from hookbundle.engine.errors import CorruptRecord, HookbundleError, Overloaded, QuotaReached
from hookbundle.engine.runtime.directory import Directory
from hookbundle.storage.database import keyspace
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.storage.transitions.sealing import Sealed
from hookbundle.tests.actors.stores import TIMEOUT_S, Stored, incoming, storing
from hookbundle.tests.in_process import until

HOUR_MS = 3_600_000
Done = Accepted | Sealed | ChangesMade


class Awaited:
    """Waits for the result of a message."""

    def __init__(self) -> None:
        self.future: asyncio.Future[Done] = asyncio.get_running_loop().create_future()

    def answer(self, outcome: Done) -> None:
        self.future.set_result(outcome)

    def fail(self, error: HookbundleError) -> None:
        self.future.set_exception(error)

    async def wait(self) -> Done:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.future


@dataclass(slots=True)
class Chats:
    store: Stored
    directory: "Directory[ChatKey, chat.Inbox]"
    key: ChatKey
    woken: list[int] = field(default_factory=list)
    quarantined: list[Any] = field(default_factory=list)

    def collect(self, *ids: str) -> Awaited:
        reply = Awaited()
        self.directory.tell(self.key, Collect(tuple(map(incoming, ids)), (), reply))
        return reply

    def flush(self) -> Awaited:
        reply = Awaited()
        self.directory.tell(self.key, Flush(reply))
        return reply

    def bodies(self) -> list[Any]:
        reads, webhook = self.store.reads, self.key.workspace_number
        found = reads.deliveries("acme", keyspace.QUEUED, 1_000)
        return [msgspec.json.decode(reads.body(webhook, each.number)) for each in found]


@asynccontextmanager
async def chatting(
    folder: Path, quota: Quota | None = None, waiting_max: int = 20_000, **changes: Any
) -> AsyncIterator[Chats]:
    async with storing(folder, waiting_max=waiting_max) as store:
        number = await store.workspace("acme", **{"aggregation_ms": HOUR_MS, **changes})
        woken: list[int] = []
        quarantined: list[Any] = []
        config = ChatConfig("the inbox", quota or Quota())

        def activate(key: ChatKey) -> ChatActor:
            return ChatActor(key, store.store_queue, store.clock, config, woken.append)

        directory: Directory[ChatKey, chat.Inbox] = Directory(
            name="chat",
            activate=activate,
            active_max=10,
            intensity=INTENSITY,
            now_ms=store.clock.now_ms,
            on_dead_letter=chat.answer_dead_letter,
            on_quarantine=lambda key, error: quarantined.append((key, error)),
        )
        yield Chats(store, directory, ChatKey(number, "c"), woken, quarantined)
        await directory.stop_all()


async def test_messages_are_bundled_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chats:
        replies = [chats.collect(f"m{number}") for number in range(50)]

        for reply in replies:
            await reply.wait()
        await chats.flush().wait()

        (body,) = chats.bodies()
        assert [member["message_id"] for member in body["messages"]] == [
            f"m{number}" for number in range(50)
        ]


async def test_a_message_that_waited_for_a_window_opens_the_next_one(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chats:
        first, sealed, second = chats.collect("m1"), chats.flush(), chats.collect("m2")

        await asyncio.gather(first.wait(), sealed.wait(), second.wait())

        (body,) = chats.bodies()
        assert [member["message_id"] for member in body["messages"]] == ["m1"]
        assert chats.store.reads.workspace("acme").state.windows == 1


async def test_the_webhook_is_woken_once_there_is_something_to_send(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chats:
        await chats.collect("m1").wait()
        woken_before = list(chats.woken)

        await chats.flush().wait()

        assert woken_before == []
        assert chats.woken == [chats.key.workspace_number]


async def test_a_refusal_reaches_the_sender(tmp_path: Path) -> None:
    async with chatting(tmp_path, Quota(messages_max=1), enabled=False) as chats:
        await chats.collect("m1").wait()

        with pytest.raises(QuotaReached):
            await chats.collect("m2").wait()

        assert chats.store.reads.workspace("acme").state.buffered_messages == 1


async def test_a_store_that_cant_keep_up_puts_no_chat_in_quarantine(tmp_path: Path) -> None:
    async with chatting(tmp_path, waiting_max=1) as chats:
        chats.store.disk.hold_up()
        committing = chats.flush()
        await chats.store.disk.held_up()
        waiting = chats.collect("m1")

        refused = [chats.flush() for _ in range(10)]
        for reply in refused:
            with pytest.raises(Overloaded):
                await reply.wait()
        chats.store.disk.gate.set()

        for reply in (committing, waiting):
            await reply.wait()
        assert isinstance(await chats.collect("m12").wait(), Accepted)
        assert chats.quarantined == []


async def test_work_of_a_passivated_chat_is_done_before_that_of_its_next_activation(
    tmp_path: Path,
) -> None:
    async with chatting(tmp_path) as chats:
        chats.store.disk.hold_up()
        first = chats.collect("m1")
        await chats.store.disk.held_up()

        gone = chats.directory.passivate_idle(0)
        second = chats.collect("m2")
        chats.store.disk.gate.set()
        await asyncio.gather(first.wait(), second.wait())
        await chats.flush().wait()

        (body,) = chats.bodies()
        assert gone == 1
        assert [member["message_id"] for member in body["messages"]] == ["m1", "m2"]


async def test_a_message_that_no_chat_takes_is_answered(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chats:
        await chats.directory.stop_all()

        with pytest.raises(Overloaded, match="the daemon is stopping"):
            await chats.collect("m1").wait()


async def test_a_chat_has_a_head_from_its_second_message_on_while_its_actor_is_there(
    tmp_path: Path,
) -> None:
    async with chatting(tmp_path) as chats:
        heads, counts = chats.store.store_queue.heads, list[int]()
        other = replace(chats, key=ChatKey(chats.key.workspace_number, "other"))

        for message_id in ("m1", "m2", "m3"):
            await chats.collect(message_id).wait()
            counts.append(len(heads))
        chats.directory.passivate_idle(0)
        await other.collect("m1").wait()
        await other.collect("m2").wait()

        assert (counts, len(heads)) == ([0, 1, 1], 1)


async def test_in_a_group_that_fails_each_message_of_a_chat_is_stored_once(tmp_path: Path) -> None:
    async with chatting(tmp_path) as chats:
        store = chats.store
        broken = await store.workspace("broken")
        store.damage(store.state_key(broken))
        for message_id in ("m1", "m2"):
            await chats.collect(message_id).wait()
        first = await store.hold_up()

        replies = [chats.collect("m3"), chats.collect("m4")]
        await until(lambda: store.store_queue.waiting >= len(replies))
        failing = store.put(store.accepting(broken, "m1"))
        store.disk.gate.set()
        outcomes = await asyncio.gather(first, failing, return_exceptions=True)
        accepted = [await reply.wait() for reply in (*replies, chats.collect("m5"))]
        await chats.flush().wait()

        assert isinstance(outcomes[1], CorruptRecord)
        assert [type(each) for each in accepted] == [Accepted] * 3
        (body,) = chats.bodies()
        sent = [member["message_id"] for member in body["messages"]]
        assert sent == ["m1", "m2", "m3", "m4", "m5"]
