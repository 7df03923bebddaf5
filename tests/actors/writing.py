"""Holds up the Store's commit, so that a test decides which transitions share the next one."""

import asyncio
import threading

from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import System
from hookbundle.tests.storage.noting import note_of


class Writing:
    """Holds the database's one write lock, so that the Store's next commit waits for it."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._begun, self._ended = threading.Event(), threading.Event()

    async def begin(self) -> None:
        """The lock is held, and the Store waits for it with a group of its own."""
        threading.Thread(target=self._hold, daemon=True).start()
        assert await asyncio.to_thread(self._begun.wait, TIMEOUT_S)
        store_queue = self._system.daemon.partition.store_queue
        store_queue.submit(
            note_of("noted", "waits for the lock", self._system.clock.now_ms()), lambda _: None
        )
        await waiting(self._system, 0)

    def end(self) -> None:
        self._ended.set()

    def _hold(self) -> None:
        with self._system.daemon.partition.env.write():
            self._begun.set()
            self._ended.wait(TIMEOUT_S)


async def waiting(system: System, count: int) -> None:
    """`count` transitions are in the Store's queue."""
    async with asyncio.timeout(TIMEOUT_S):
        while system.daemon.partition.store_queue.waiting != count:
            await asyncio.sleep(0)
