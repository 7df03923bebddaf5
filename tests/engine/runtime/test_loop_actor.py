"""What only a loop actor does; what it shares with a thread is in `test_actor_contract.py`."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.promise import Promise
from hookbundle.engine.runtime.pykka_seam import Envelope
from hookbundle.tests.engine.runtime.loop_actors import (
    SOON_S,
    Echo,
    Quitter,
    Walker,
    asked,
    begun,
    stopped,
)


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    yield
    assert pykka.ActorRegistry.get_all() == []


async def test_awaiting_an_answer_leaves_the_loop_free() -> None:
    walker = Walker()
    ref = begun(walker)
    asking = asyncio.ensure_future(asked(ref, "question"))
    await walker.arrived.wait()

    walker.gate.set()  # which a blocked loop would never reach

    assert await asking == "question"


async def test_an_async_handler_has_one_message_at_a_time() -> None:
    walker = Walker()
    ref = begun(walker)
    for number in range(100):
        ref.tell(number)
    await walker.arrived.wait()

    walker.gate.set()

    assert await asked(ref, 100) == 100
    assert walker.seen == [*range(101)]
    assert walker.most_at_once == 1


async def test_a_busy_actor_has_one_task_and_a_resting_one_none() -> None:
    before = len(asyncio.all_tasks())
    walker = Walker()
    ref = begun(walker)
    await asyncio.sleep(0)
    resting = len(asyncio.all_tasks())
    for number in range(100):
        ref.tell(number)

    await walker.arrived.wait()

    assert (resting - before, len(asyncio.all_tasks()) - before) == (0, 1)


async def test_an_async_on_start_comes_before_the_first_message() -> None:
    class Slow(Walker):
        async def on_start(self) -> None:  # type: ignore[override]
            self.arrived.set()
            await self.gate.wait()
            self.seen.append("start")

    slow = Slow()
    ref = begun(slow)
    ref.tell("first")
    await slow.arrived.wait()

    slow.gate.set()

    assert await asked(ref, "second") == "second"
    assert slow.seen == ["start", "first", "second"]


async def test_an_async_on_start_that_fails_answers_every_ask() -> None:
    class Broken(Walker):
        async def on_start(self) -> None:  # type: ignore[override]
            raise ValueError("no")

    ref = begun(Broken())

    with pytest.raises(pykka.ActorDeadError):
        await asked(ref, "anybody?")


async def test_a_told_message_that_fails_in_its_task_is_a_failure() -> None:
    walker = Walker()
    ref = begun(walker)
    walker.gate.set()

    ref.tell(ValueError("bad news"))
    behind = ref.ask("behind", block=False)

    assert isinstance(await asyncio.wait_for(walker.failed, SOON_S), ValueError)
    with pytest.raises(pykka.ActorDeadError):
        await behind


async def test_an_asked_exception_from_a_task_goes_to_the_asker() -> None:
    walker = Walker()
    ref = begun(walker)
    walker.gate.set()

    with pytest.raises(ValueError, match="bad question"):
        await asked(ref, ValueError("bad question"))

    assert await asked(ref, "more") == "more"


async def test_a_cancelled_wait_inside_a_handler_fails_the_actor_not_the_mailbox() -> None:
    walker = Walker()
    ref = begun(walker)
    walker.gate.set()

    ref.tell(asyncio.CancelledError())
    behind = ref.ask("behind", block=False)

    assert isinstance(await asyncio.wait_for(walker.failed, SOON_S), asyncio.CancelledError)
    with pytest.raises(pykka.ActorDeadError):
        await behind


@pytest.mark.parametrize("has_begun", [True, False])
async def test_when_its_task_is_cancelled_the_actor_fails_and_answers_every_ask(
    has_begun: bool,
) -> None:
    walker = Walker()
    mine = asyncio.all_tasks()
    ref = begun(walker)
    question, behind = ref.ask("question", block=False), ref.ask("behind", block=False)
    await (walker.arrived.wait() if has_begun else asyncio.sleep(0))

    for task in asyncio.all_tasks() - mine:
        task.cancel()

    assert isinstance(await asyncio.wait_for(walker.failed, SOON_S), asyncio.CancelledError)
    for promise in (question, behind):
        with pytest.raises(pykka.ActorDeadError):
            await asyncio.wait_for(promise, SOON_S)


@pytest.mark.parametrize("kind", [Echo, Walker])
async def test_a_base_exception_stops_the_registered_actors_and_not_the_loop(
    kind: type[LoopActor],
) -> None:
    actor: Any = kind()
    if isinstance(actor, Walker):
        actor.gate.set()
    ref, other = begun(actor), Echo.start()

    ref.tell(Quitter())

    with pytest.raises(pykka.ActorDeadError):
        await asked(ref, "anybody?")
    with contextlib.suppress(pykka.ActorDeadError):
        await asked(other, "and you?")
    assert not other.is_alive()


@pytest.mark.parametrize("kind", [Echo, Walker])
def test_a_system_exit_ends_the_loop_with_its_code(kind: type[LoopActor]) -> None:
    async def daemon() -> None:
        actor: Any = kind()
        if isinstance(actor, Walker):
            actor.gate.set()
        begun(actor).tell(SystemExit(3))
        await asyncio.Event().wait()

    with pytest.raises(SystemExit) as ended:
        asyncio.run(daemon())

    assert ended.value.code == 3


async def test_a_started_actor_is_registered_and_a_begun_one_is_not() -> None:
    started, begun_one = Echo.start(), begun(Echo())

    registered = pykka.ActorRegistry.get_all()
    await stopped(started)

    assert registered == [started]
    assert await asked(begun_one, "alive") == "alive"


def test_an_actor_can_not_start_without_a_loop() -> None:
    with pytest.raises(RuntimeError):
        Echo.start()


async def test_a_passivated_actor_has_stopped_and_answers_late_asks() -> None:
    class Tidy(Echo):
        tidied = False

        def on_stop(self) -> None:
            self.tidied = True

    tidy = Tidy()
    ref = begun(tidy)
    await asked(ref, "hello")
    late = Promise[Any]()

    tidy.passivate()
    ref.actor_inbox.put(Envelope("late", late))

    assert tidy.tidied
    assert not ref.is_alive()
    with pytest.raises(pykka.ActorDeadError):
        await asyncio.wait_for(late, SOON_S)


async def test_an_actor_with_a_message_or_in_a_turn_is_not_resting() -> None:
    walker = Walker()
    ref = begun(walker)
    await asyncio.sleep(0)
    resting = walker.is_resting()
    ref.tell("message")
    with_a_message = walker.is_resting()
    await walker.arrived.wait()
    in_a_turn = walker.is_resting()

    assert (resting, with_a_message, in_a_turn) == (True, False, False)


async def test_a_dead_actor_is_freed_without_the_garbage_collector() -> None:
    actor: Echo | None = Echo()
    assert actor is not None
    ref, gone = begun(actor), weakref.ref(actor)
    gc.disable()
    try:
        await stopped(ref)

        actor = None

        assert gone() is None
    finally:
        gc.enable()


async def test_a_blocking_ask_on_the_loop_is_an_error_not_a_standstill() -> None:
    ref = begun(Echo())

    with pytest.raises(RuntimeError, match="await the promise"):
        ref.ask("question")

    assert await asked(ref, "still there?") == "still there?"


async def test_two_actors_that_ask_each_other_in_coroutines_both_get_on() -> None:
    class Polite(LoopActor):
        other: Any = None

        async def on_receive(self, message: str) -> str:
            return "fine" if self.other is None else f"{await asked(self.other, message)}, thanks"

    first = Polite()
    first.other = begun(Polite())

    assert await asked(begun(first), "how are you?") == "fine, thanks"


async def test_a_derived_promise_can_be_awaited() -> None:
    ref = begun(Echo())

    doubled = ref.ask(21, block=False).map(lambda value: value * 2)

    assert await asyncio.wait_for(doubled, SOON_S) == 42
