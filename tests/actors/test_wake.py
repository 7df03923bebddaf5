"""Whoever has something to send is woken: at every moment, and at every start."""

import asyncio
import threading
from pathlib import Path

from hookbundle.storage.chores import Note
from hookbundle.tests.hook_receiver import PATIENCE_S, Answer
from hookbundle.tests.house import House, event, living, receiving


async def test_a_message_that_comes_as_the_queue_empties_is_sent_at_once(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        answering = asyncio.Event()
        receiver.answers(Answer(after=answering), 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))
        await receiver.until(1)
        writing = Writing(house)
        await writing.begin()

        answering.set()
        await waiting(house, 1)
        second = asyncio.ensure_future(house.accept("acme", event("m2")))
        await waiting(house, 2)
        writing.end()

        await second
        posts = await receiver.until(2)
        assert [post.message_ids for post in posts] == [["m1"], ["m2"]]


async def test_what_was_ready_before_a_start_is_sent_after_it(tmp_path: Path) -> None:
    async with receiving() as receiver:
        receiver.answers(Answer(after=asyncio.Event()), 200)
        async with living(tmp_path, stop_within_s=0.01) as house:
            await house.make("acme", receiver)
            await house.accept("acme", event("m1"), event("m2"))
            await receiver.until(1)

        async with living(tmp_path) as house:
            await house.facts.until("delivery.delivered", 2)

        assert [post.message_ids for post in receiver.posts] == [["m1"], ["m1"], ["m2"]]


class Writing:
    """Holds the database's one write lock, so that the Store's next commit waits for it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._begun, self._over = threading.Event(), threading.Event()

    async def begin(self) -> None:
        """The lock is held, and the Store waits for it with a group of its own."""
        threading.Thread(target=self._hold, daemon=True).start()
        assert await asyncio.to_thread(self._begun.wait, PATIENCE_S)
        door = self._house.daemon.door
        door.submit(Note("test", "waits for the lock", self._house.clock.now_ms()), lambda _: None)
        await waiting(self._house, 0)

    def end(self) -> None:
        self._over.set()

    def _hold(self) -> None:
        with self._house.daemon.env.write():
            self._begun.set()
            self._over.wait(PATIENCE_S)


async def waiting(house: House, count: int) -> None:
    """So many transitions wait at the Store's door."""
    async with asyncio.timeout(PATIENCE_S):
        while len(house.daemon.door.waiting) != count:
            await asyncio.sleep(0)
