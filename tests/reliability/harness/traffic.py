"""A process that uses a real Store and records each answer as it gets it.

    python -m hookbundle.tests.reliability.harness.traffic FOLDER ROUNDS

It makes a database in FOLDER/data, which must not exist, and writes a line of JSON to
FOLDER/answers for each answered transition. From that moment something outside the database relies
on the answer: a client on its 202, a receiver on the request it sees, the daemon on the outcome of
the attempt. promises.py checks what must still be true after a power cut.
"""

import asyncio
import os
import sys
from pathlib import Path
from random import Random

import msgspec

from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt, Idle
from hookbundle.storage.transitions.sealing import Sealed, SealWindow
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.storage.transitions.timed.waits import EndWaits, WaitsEnded
from hookbundle.tests.reliability.harness.promises import (
    AcceptedIds,
    AttemptBegun,
    AttemptFinished,
    Promise,
)
from hookbundle.tests.storage.scratch import incoming

CHATS = ("c0", "c1", "c2")
ATTEMPTS_A_ROUND = 2
ROUNDS_A_WORKSPACE = 40  # so few that none of its attempts drops out of the log of 100 entries
HOUR_MS = 3_600_000
PRODUCT = "Timelines"


class Traffic:
    def __init__(
        self, store_queue: StoreQueue, dues: DueReads, clock: MovableClock, answers: int
    ) -> None:
        self._queue = store_queue
        self._dues = dues
        self._clock = clock
        self._answers = answers
        self._rng = Random(7)

    async def run(self, rounds: int) -> None:
        number = 0
        for turn in range(rounds):
            if turn % ROUNDS_A_WORKSPACE == 0:
                number = await self._make_workspace(f"ws{turn // ROUNDS_A_WORKSPACE}")
            first, second, third = CHATS
            await asyncio.gather(
                self._accept(number, first, f"{turn}-a", f"{turn}-b"),
                self._accept(number, second, f"{turn}-c"),
            )
            await asyncio.gather(
                self._seal(number, CHATS[turn % len(CHATS)]),
                self._accept(number, third, f"{turn}-d", f"{turn}-e"),
                self._attempt(number),
            )

    async def _make_workspace(self, ws: str) -> int:
        changes = Changes(url="https://receiver.example/hook", aggregation_ms=24 * HOUR_MS)
        made = await self._queue.do(
            ChangeWorkspace(
                workspace_id=ws,
                changes=changes,
                precondition=None,
                may_create=True,
                new_secret="whsec_first",
                now_ms=self._clock.now_ms(),
                caller="test",
            ),
            WorkspaceChanged,
        )
        return made.workspace_number

    async def _accept(self, number: int, chat: str, *ids: str) -> None:
        await self._queue.do(
            AcceptMessages(
                workspace_number=number,
                chat_id=chat,
                messages=tuple(incoming(one, text=one * 50) for one in ids),
                skipped=(),
                now_ms=self._clock.now_ms(),
                product_name=PRODUCT,
                quota=Quota(),
            ),
            Accepted,
        )
        self._answered(AcceptedIds(ids))

    async def _seal(self, number: int, chat: str) -> None:
        await self._queue.do(
            SealWindow(
                workspace_number=number,
                chat_id=chat,
                now_ms=self._clock.now_ms(),
                product_name=PRODUCT,
            ),
            Sealed,
        )

    async def _attempt(self, number: int) -> None:
        """Makes some attempts, each as soon as it is due."""
        for _ in range(ATTEMPTS_A_ROUND):
            self._clock.move(9 * HOUR_MS)
            now_ms = self._clock.now_ms()
            retries = tuple(self._dues.due(DueKind.RETRY, now_ms, 1_000))
            await self._queue.do(EndWaits(retries, now_ms), WaitsEnded)
            begin = BeginAttempt(number, self._clock.now_ms())
            begun = await self._queue.do(begin, Begun | Idle)
            if isinstance(begun, Idle):
                return
            self._answered(AttemptBegun(begun.delivery_id, begun.attempt))
            await self._finish(number, begun)

    async def _finish(self, number: int, begun: Begun) -> None:
        results: list[Outcome] = [Delivered(200), Delivered(200), Failed("timeout"), Rejected(404)]
        result = self._rng.choice(results)
        outcome = type(result).__name__.lower()
        made = Attempt(
            at_ms=self._clock.now_ms(), url=begun.url, request_headers=(), outcome=outcome
        )
        finish = FinishAttempt(
            webhook=number,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=result,
            result=made,
            now_ms=self._clock.now_ms(),
            spread=0.0,
            policy=BackoffPolicy(),
            go_on=False,
        )
        await self._queue.do(finish, Begun | Idle)
        self._answered(AttemptFinished(begun.delivery_id, begun.attempt, outcome))

    def _answered(self, promise: Promise) -> None:
        os.write(self._answers, msgspec.json.encode(promise) + b"\n")


async def main(folder: Path, rounds: int) -> None:
    clock = MovableClock()
    env = open_environment(folder / "data", clock.now_ms())
    answers = os.open(folder / "answers", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC)
    config = StoreConfig(floor_bytes=0, reserve_bytes=0)
    store_queue, loop = StoreQueue(config.waiting_max), asyncio.get_running_loop()
    failed: asyncio.Queue[Exception] = asyncio.Queue()
    store = Store.start(env, store_queue, config, clock, loop, lambda _: None, failed.put_nowait)
    store_queue.attach(store)
    try:
        await Traffic(store_queue, DueReads(env), clock, answers).run(rounds)
    finally:
        await asyncio.to_thread(store.stop)
        os.close(answers)
        env.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
