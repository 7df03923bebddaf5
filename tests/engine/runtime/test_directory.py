import asyncio
import gc
import weakref
from dataclasses import dataclass, field
from typing import Any

import pykka
import pytest

from hookbundle.engine.errors import (
    ActorFailed,
    CorruptRecord,
    HookbundleError,
    Overloaded,
    Quarantined,
)
from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.supervisor import RestartIntensity

SOON_S = 10


class Chat(LoopActor):
    """Writes what it sees into the house's book; a message may be an error or an event."""

    def __init__(self, key: str, house: "House") -> None:
        super().__init__(key)
        self.key = key
        self.house = house
        self.has_work_under_way = False

    def on_start(self) -> Any:
        if self.key in self.house.broken_starts:
            raise self.house.broken_starts[self.key]

    def on_stop(self) -> None:
        self.house.stopped.append(self.key)

    def is_idle(self) -> bool:
        return not self.has_work_under_way

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, asyncio.Event):
            return message.wait()
        self.house.book.append((self.key, message))
        return message


@dataclass
class House:
    """A directory, with everything around it recorded."""

    residents_max: int = 100
    failures_max: int = 2
    now_ms: int = 1_000_000
    book: list[tuple[str, Any]] = field(default_factory=list)
    activated: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    dead: list[tuple[str, Any, HookbundleError]] = field(default_factory=list)
    quarantines: list[tuple[str, Exception]] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)
    broken_starts: dict[str, Exception] = field(default_factory=dict)
    broken_callbacks: bool = False

    def __post_init__(self) -> None:
        self.directory: Directory[str, Any] = Directory(
            name="chat",
            activate=self.activate,
            residents_max=self.residents_max,
            intensity=RestartIntensity(
                failures_max=self.failures_max, period_ms=1_000, quarantine_ms=5_000
            ),
            now_ms=lambda: self.now_ms,
            on_dead_letter=self.on_dead_letter,
            on_quarantine=self.on_quarantine,
        )

    def activate(self, key: str) -> LoopActor:
        self.activated.append(key)
        if key in self.broken:
            raise self.broken[key]
        return Chat(key, self)

    def on_dead_letter(self, key: str, message: Any, error: HookbundleError) -> None:
        self.dead.append((key, message, error))
        if self.broken_callbacks:
            raise RuntimeError("on_dead_letter is broken")

    def on_quarantine(self, key: str, error: Exception) -> None:
        self.quarantines.append((key, error))
        if self.broken_callbacks:
            raise RuntimeError("on_quarantine is broken")

    def tell(self, key: str, *messages: Any) -> None:
        for message in messages:
            self.directory.tell(key, message)

    def actor(self, key: str) -> Any:
        actor = self.directory.resident(key)
        assert actor is not None
        return actor

    async def settled(self) -> None:
        """Everything told so far has been handled: a last actor has had its turn after them."""
        for _ in range(10):
            await asyncio.sleep(0)


async def test_mail_activates_an_actor_once() -> None:
    house = House()

    house.tell("a", 1, 2)
    await house.settled()

    assert house.activated == ["a"]
    assert house.book == [("a", 1), ("a", 2)]
    assert house.directory.is_resident("a")
    assert not house.directory.is_resident("b")
    assert house.directory.resident("b") is None


async def test_residents_are_in_no_global_registry() -> None:
    house = House()

    house.tell("a", 1)

    assert house.actor("a").actor_ref not in pykka.ActorRegistry.get_all()


async def test_a_resident_can_be_asked() -> None:
    house = House()
    house.tell("a", 1)

    answer = house.actor("a").actor_ref.ask("well?", block=False)

    assert await asyncio.wait_for(answer, SOON_S) == "well?"


async def test_a_full_house_lets_go_of_the_one_used_the_longest_ago() -> None:
    house = House(residents_max=2)
    house.tell("a", 1)
    house.tell("b", 1)
    house.tell("a", 2)
    await house.settled()

    house.tell("c", 1)

    assert house.stopped == ["b"]
    assert house.directory.residents == 2


async def test_one_that_was_let_go_comes_back_with_its_mail() -> None:
    house = House(residents_max=1)
    house.tell("a", 1)
    await house.settled()
    house.tell("b", 1)
    await house.settled()

    house.tell("a", 2)
    await house.settled()

    assert house.activated == ["a", "b", "a"]
    assert house.book == [("a", 1), ("b", 1), ("a", 2)]


async def test_the_busy_stay_even_in_a_full_house_and_go_once_they_are_idle() -> None:
    house = House(residents_max=1)
    gate = asyncio.Event()
    house.tell("in a turn", gate)
    house.tell("has work", 1)
    house.actor("has work").has_work_under_way = True
    await house.settled()
    house.tell("has mail", 1)
    over_the_cap = house.directory.residents

    gate.set()
    house.actor("has work").has_work_under_way = False
    await house.settled()
    house.tell("new", 1)

    assert over_the_cap == 3
    assert set(house.stopped) == {"in a turn", "has work", "has mail"}
    assert house.directory.residents == 1


async def test_the_idle_are_let_go_after_their_time() -> None:
    house = House()
    house.tell("old", 1)
    house.tell("old but busy", 1)
    house.actor("old but busy").has_work_under_way = True
    house.now_ms += 500
    house.tell("young", 1)
    await house.settled()
    house.now_ms += 500

    gone = house.directory.let_go_idle(1_000)

    assert gone == 1
    assert house.stopped == ["old"]
    assert house.directory.residents == 2


@pytest.mark.parametrize("ending", ["let go", "stopped"])
async def test_one_that_has_gone_is_freed_without_the_garbage_collector(ending: str) -> None:
    house = House()
    house.tell("chat", 1)
    await house.settled()
    actor = weakref.ref(house.actor("chat"))
    gc.disable()  # which looks at what has lived for long once in a blue moon
    try:
        if ending == "let go":
            house.directory.let_go_idle(0)
        else:
            await house.directory.stop_all()

        assert house.directory.residents == 0
        assert actor() is None
    finally:
        gc.enable()


async def test_looking_for_the_idle_among_the_busy_comes_to_an_end() -> None:
    house = House()
    for key in ("a", "b"):
        house.tell(key, 1)
        house.actor(key).has_work_under_way = True
    await house.settled()

    assert house.directory.let_go_idle(0) == 0
    assert house.directory.residents == 2


async def test_letting_go_can_be_done_in_portions() -> None:
    house = House()
    for number in range(10):
        house.tell(f"chat {number}", 1)
    await house.settled()

    gone = [house.directory.let_go_idle(0, at_most=4) for _ in range(4)]

    assert gone == [4, 4, 2, 0]


async def test_a_failed_actor_loses_its_message_and_a_new_one_gets_the_mail_behind() -> None:
    house = House()
    bad = ValueError("indigestible")
    house.tell("a", 1)
    first = house.actor("a")

    house.tell("a", bad, 2, 3)
    await house.settled()

    assert house.activated == ["a", "a"]
    assert house.actor("a") is not first
    assert house.book == [("a", 1), ("a", 2), ("a", 3)]
    [(key, message, error)] = house.dead
    assert (key, message) == ("a", bad)
    assert isinstance(error, ActorFailed)
    assert error.__cause__ is bad


async def test_an_ask_behind_a_failure_is_answered_by_the_new_activation() -> None:
    house = House()
    house.tell("a", ValueError("no"))

    answer = house.actor("a").actor_ref.ask("well?", block=False)

    assert await asyncio.wait_for(answer, SOON_S) == "well?"


async def test_mail_sent_by_the_dead_letter_comes_behind_the_mail_that_waited() -> None:
    house = House()
    bad = ValueError("no")
    bury = house.on_dead_letter

    def bury_and_tell(key: str, message: Any, error: HookbundleError) -> None:
        bury(key, message, error)
        house.tell(key, "from the dead letter")

    house.directory._on_dead_letter = bury_and_tell
    house.tell("a", bad, "waited")
    await house.settled()

    assert [message for _, message in house.book] == ["waited", "from the dead letter"]


@pytest.mark.parametrize("where", ["broken", "broken_starts"])
async def test_an_actor_that_can_not_come_up_fails_the_mail_that_called_for_it(where: str) -> None:
    house = House()
    error = CorruptRecord("chat/a: bad checksum")
    getattr(house, where)["a"] = error

    house.tell("a", 1)
    await house.settled()

    assert house.dead == [("a", 1, error)]
    assert house.directory.residents == 0


@pytest.mark.parametrize("where", ["broken", "broken_starts"])
async def test_once_it_can_come_up_it_takes_mail_again(where: str) -> None:
    house = House()
    getattr(house, where)["a"] = ValueError("not now")
    house.tell("a", 1)
    await house.settled()

    getattr(house, where).clear()
    house.tell("a", 2)
    await house.settled()

    assert house.book == [("a", 2)]


async def test_too_many_failures_put_the_key_in_quarantine_and_nobody_else() -> None:
    house = House()
    errors = [ValueError(f"number {number}") for number in range(3)]

    house.tell("a", *errors, "behind")
    house.tell("b", 1)
    await house.settled()
    house.tell("a", "later")

    assert house.quarantines == [("a", errors[2])]
    assert [type(error) for *_, error in house.dead] == [ActorFailed] * 3 + [Quarantined] * 2
    assert [message for _, message, _ in house.dead] == [*errors, "behind", "later"]
    assert house.book == [("b", 1)]
    [quarantine] = house.directory.quarantined()
    assert (quarantine.key, quarantine.until_ms) == ("a", house.now_ms + 5_000)
    assert quarantine.last_error is errors[2]


async def test_an_ask_behind_the_last_failure_hears_of_the_quarantine() -> None:
    house = House(failures_max=0)
    house.tell("a", ValueError("no"))

    answer = house.actor("a").actor_ref.ask("well?", block=False)

    with pytest.raises(Quarantined):
        await asyncio.wait_for(answer, SOON_S)
    assert [message for _, message, _ in house.dead if message == "well?"] == []


async def test_a_quarantine_is_over_in_time() -> None:
    house = House(failures_max=0)
    house.tell("a", ValueError("no"))
    await house.settled()

    house.now_ms += 5_000
    house.tell("a", 1)
    await house.settled()

    assert house.book == [("a", 1)]
    assert house.directory.quarantined() == []


async def test_a_released_key_takes_mail_at_once() -> None:
    house = House(failures_max=0)
    house.tell("a", ValueError("no"))
    await house.settled()

    assert house.directory.release("a") is True

    house.tell("a", 1)
    await house.settled()
    assert house.book == [("a", 1)]


async def test_broken_callbacks_are_reported_and_break_nothing() -> None:
    house = House(failures_max=0, broken_callbacks=True)
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: reported.append(context["message"])
    )

    house.tell("a", ValueError("no"), "behind")
    house.tell("b", 1)
    await house.settled()

    assert house.book == [("b", 1)]
    assert reported == ["chat: on_quarantine failed", *["chat: on_dead_letter failed"] * 2]


async def test_stop_all_handles_the_mail_there_is_and_activates_nobody_more() -> None:
    house = House()
    gate = asyncio.Event()
    house.tell("a", gate, 1)
    house.tell("b", 2)
    stopping = asyncio.ensure_future(house.directory.stop_all())
    await house.settled()
    house.tell("c", 3)
    still_waiting = not stopping.done()

    gate.set()
    await asyncio.wait_for(stopping, SOON_S)

    assert still_waiting
    assert sorted(house.book) == [("a", 1), ("b", 2)]
    assert sorted(house.stopped) == ["a", "b"]
    [(key, message, error)] = house.dead
    assert (key, message) == ("c", 3)
    assert isinstance(error, Overloaded)
    assert house.directory.residents == 0


async def test_stop_all_of_an_empty_directory_is_done_at_once() -> None:
    await asyncio.wait_for(House().directory.stop_all(), SOON_S)


async def test_an_actor_that_stops_itself_hands_its_mail_to_a_new_activation() -> None:
    house = House()
    house.tell("a", 1)
    house.actor("a").stop()
    stopping = house.actor("a").actor_ref.stop(block=False)

    house.tell("a", 2)

    assert await asyncio.wait_for(stopping, SOON_S) is True
    assert house.activated == ["a", "a"]
    assert house.book == [("a", 1), ("a", 2)]
