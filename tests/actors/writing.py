"""The Store held up in the middle of things, so that a test decides what comes together."""

import asyncio
import threading

from hookbundle.storage.transitions.housekeeping import Note
from hookbundle.tests.hook_receiver import PATIENCE_S
from hookbundle.tests.in_process import House


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
