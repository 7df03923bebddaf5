import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pykka
import pytest

from hookbundle.engine.runtime.mailbox import MESSAGES_PER_TURN, TURNS_PER_PASS, Dispatcher, Mailbox
from hookbundle.engine.runtime.pykka_seam import Envelope

WHO = contextvars.ContextVar("WHO", default="nobody")


class Reader:
    """Owns a mailbox; reads one envelope a turn, or as many as it is told to."""

    def __init__(self, letters_per_turn: int = 1) -> None:
        self.read: list[Any] = []
        self.turns = 0
        self.letters_per_turn = letters_per_turn
        self.then: Callable[[], None] = lambda: None

    def take_turn(self, mailbox: Mailbox) -> None:
        self.turns += 1
        for _ in range(self.letters_per_turn):
            if not mailbox.empty():
                self.read.append(mailbox.get().message)
        self.then()
        mailbox.rest()


class CountingLoop:
    """Stands in for a loop: counts the wake-ups, and runs them when told."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], object]] = []

    def call_soon_threadsafe(self, call: Callable[[], object], *, context: Any) -> None:
        self.calls.append(call)

    call_soon = call_soon_threadsafe

    def run(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


@pytest.fixture
def loop() -> CountingLoop:
    return CountingLoop()


@pytest.fixture
def dispatcher(loop: CountingLoop) -> Dispatcher:
    return Dispatcher(loop)  # type: ignore[arg-type]


def attached(dispatcher: Dispatcher, reader: Reader) -> Mailbox:
    mailbox = Mailbox()
    mailbox.attach(dispatcher, reader)
    return mailbox


@pytest.mark.parametrize("count", [1, 8, 9, 1_000])
def test_envelopes_come_out_in_the_order_they_went_in(count: int) -> None:
    mailbox = Mailbox()
    for number in range(count):
        mailbox.put(Envelope(number))

    first = mailbox.get().message
    mailbox.put(Envelope(count))

    assert [first, *(envelope.message for envelope in mailbox.drain())] == [*range(count + 1)]
    assert mailbox.empty()


def test_messages_from_before_the_start_wait_for_it(
    dispatcher: Dispatcher, loop: CountingLoop
) -> None:
    reader, mailbox = Reader(), Mailbox()
    mailbox.put(Envelope("early"))

    mailbox.attach(dispatcher, reader)
    loop.run()

    assert reader.read == ["early"]


def test_many_messages_for_many_mailboxes_are_one_wake_up(
    dispatcher: Dispatcher, loop: CountingLoop
) -> None:
    mailboxes = [attached(dispatcher, Reader()) for _ in range(10)]

    for mailbox in mailboxes * 10:
        mailbox.put(Envelope("mail"))

    assert len(loop.calls) == 1


def test_a_mailbox_waits_for_one_turn_however_much_it_holds(
    dispatcher: Dispatcher, loop: CountingLoop
) -> None:
    reader = Reader(letters_per_turn=100)
    mailbox = attached(dispatcher, reader)

    for number in range(100):
        mailbox.put(Envelope(number))
    loop.run()

    assert reader.read == [*range(100)]
    assert reader.turns == 1
    assert loop.calls == []


def test_what_a_turn_leaves_gets_another_turn(dispatcher: Dispatcher, loop: CountingLoop) -> None:
    reader = Reader()
    mailbox = attached(dispatcher, reader)
    mailbox.put(Envelope("one"))
    mailbox.put(Envelope("two"))

    loop.run()
    loop.run()

    assert reader.read == ["one", "two"]
    assert not mailbox.scheduled


def test_a_message_that_comes_during_a_turn_makes_one_more_turn_not_one_inside(
    dispatcher: Dispatcher, loop: CountingLoop
) -> None:
    reader = Reader()
    mailbox = attached(dispatcher, reader)
    loop.run()

    reader.then = lambda: mailbox.put(Envelope("meanwhile")) if reader.turns == 2 else None
    mailbox.put(Envelope("first"))
    loop.run()
    seen_inside = list(reader.read)
    loop.run()

    assert seen_inside == ["first"]
    assert reader.read == ["first", "meanwhile"]


def test_a_pass_is_bounded_and_the_rest_comes_in_the_next(
    dispatcher: Dispatcher, loop: CountingLoop
) -> None:
    readers = [Reader() for _ in range(TURNS_PER_PASS + 1)]
    for reader in readers:
        attached(dispatcher, reader)

    loop.run()
    turns_after_one_pass = sum(reader.turns for reader in readers)
    loop.run()

    assert turns_after_one_pass == TURNS_PER_PASS
    assert [reader.turns for reader in readers] == [1] * len(readers)


def test_a_turn_that_raises_does_not_stop_the_others(
    dispatcher: Dispatcher, loop: CountingLoop
) -> None:
    bad, good = Reader(), Reader()
    attached(dispatcher, bad)
    attached(dispatcher, good)

    def burst() -> None:
        raise ValueError("a broken owner")

    bad.then = burst
    with pytest.raises(ValueError, match="a broken owner"):
        loop.run()
    loop.run()

    assert good.turns == 1


def test_a_busy_mailbox_lets_others_and_the_loop_have_their_turn() -> None:
    assert MESSAGES_PER_TURN * TURNS_PER_PASS <= 4_096


async def test_a_thread_has_one_dispatcher_for_its_loop() -> None:
    assert Dispatcher.running() is Dispatcher.running()


def test_another_loop_has_another_dispatcher() -> None:
    async def mine() -> Dispatcher:
        return Dispatcher.running()

    assert asyncio.run(mine()) is not asyncio.run(mine())


def test_without_a_loop_there_is_no_dispatcher() -> None:
    with pytest.raises(RuntimeError):
        Dispatcher.running()


async def test_a_turn_does_not_see_the_context_of_the_sender() -> None:
    reader = Reader()
    seen = asyncio.get_running_loop().create_future()
    reader.then = lambda: seen.set_result(WHO.get()) if not seen.done() else None
    WHO.set("the sender")

    attached(Dispatcher.running(), reader)

    assert await seen == "nobody"


async def test_messages_from_eight_threads_all_arrive_each_thread_in_order() -> None:
    finished = asyncio.Event()
    reader = Reader(letters_per_turn=MESSAGES_PER_TURN)
    reader.then = lambda: finished.set() if len(reader.read) == 8_000 else None
    mailbox = attached(Dispatcher.running(), reader)

    def send(sender: int) -> None:
        for number in range(1_000):
            mailbox.put(Envelope((sender, number)))

    threads = [threading.Thread(target=send, args=(sender,)) for sender in range(8)]
    for thread in threads:
        thread.start()
    await asyncio.wait_for(finished.wait(), 10)
    for thread in threads:
        thread.join()

    for sender in range(8):
        assert [number for who, number in reader.read if who == sender] == [*range(1_000)]


def test_a_message_for_a_closed_loop_is_refused() -> None:
    async def make() -> Mailbox:
        mailbox = attached(Dispatcher.running(), Reader())
        await asyncio.sleep(0)
        return mailbox

    mailbox = asyncio.run(make())

    for _ in range(2):
        with pytest.raises(pykka.ActorDeadError):
            mailbox.put(Envelope("too late"))
