"""Bodies that wait for one process, and this process: it has one of them after the other.

Workspaces have the same part of its time: what their bodies took is counted, in microseconds.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.rendering.child import Bounds, Child, NotStarted
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.actors.rendering.paces import Owner
from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Overloaded
from hookbundle.engine.fairness.fair_order import FairOrder
from hookbundle.engine.formats.jobs import Job, Outcome, Read, Reading

STARTS_MAX = 3  # that fail in a row, before all wait
START_AGAIN_S = 0.2  # after the first that fails; twice as long after the next
MACHINE_REST_MS = 30_000
LEAST_US = 1_000  # of a body, before it is known what it takes

log = structlog.get_logger(__name__)


@dataclass(slots=True, eq=False)
class Work:
    """A body, or a template to be read, and who waits for it: nobody, once `answer` is done."""

    owner: Owner
    job: Job | Reading
    format: int = 0  # which one it is, of a body
    answer: asyncio.Future[Outcome | Read | Resting] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def tell(self, result: Outcome | Read | Resting) -> None:
        if not self.answer.done():
            self.answer.set_result(result)

    def refuse(self, reason: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(reason)


class Line:
    """Belongs to one loop. `settle` gets each body that was tried, with what came of it.
    `answered`: how many bodies the process had to the end; `restarts`: how often it ended with one.
    There is none before the first body."""

    def __init__(
        self, clock: Clock, bounds: Bounds, settle: Callable[[Work, Answer | Ended], None]
    ) -> None:
        self.bounds = bounds
        self.answered = self.restarts = 0
        self._clock, self._settle = clock, settle
        self._turns: FairOrder[int, Work] = FairOrder(LEAST_US)
        self._machine_rests_until_ms = 0
        self._child: Child | None = None
        self._working: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_ready(self) -> bool:
        """Whether there is a process, so that a body does not wait for its start."""
        return self._child is not None

    def start(self) -> None:
        """There is a process soon, unless the machine starts none."""
        is_at_work = self._working is not None and not self._working.done()
        if not (self.is_ready or is_at_work or self._closed or self._machine_rests):
            self._working = asyncio.create_task(self._start_and_work())

    def add(self, work: Work) -> None:
        """It gets its turn."""
        if self._closed:
            work.refuse(Overloaded.of(Code.STOPPING))
        elif self._machine_rests:
            work.tell(Resting(self._machine_rests_until_ms, "machine"))
        else:
            self._turns.add(work.owner.workspace, LEAST_US, work)
            if self._working is None or self._working.done():
                self._working = asyncio.create_task(self._work())

    @property
    def busy(self) -> bool:
        """Whether a body is being rendered, and the process has it."""
        return self._child is not None and self._child.is_asked

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one, and of its group."""
        return None if self._child is None else self._child.pid

    async def close(self) -> None:
        """The process has ended; those who wait get Overloaded."""
        self._closed = True
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        while self._turns:
            self._next().refuse(Overloaded.of(Code.STOPPING))
        if self._child is not None:
            child, self._child = self._child, None
            await child.end()

    @property
    def _machine_rests(self) -> bool:
        return self._machine_rests_until_ms > self._clock.now_ms()

    def _next(self) -> Work:
        taken = self._turns.take()
        assert taken is not None  # there is no bound to its weight
        return taken[1]

    async def _start_and_work(self) -> None:
        with suppress(NotStarted):
            self._child = await self._started()
        await self._work()

    async def _work(self) -> None:
        """Renders one body after the other, until none waits."""
        while self._turns:
            work = self._next()
            if work.answer.done():
                continue  # its caller waits no longer
            try:
                await self._render(work)
            except asyncio.CancelledError:
                work.refuse(Overloaded.of(Code.STOPPING))
                raise
            except Exception as exc:  # noqa: BLE001 - its caller gets it, and those who wait go on
                work.refuse(exc)

    async def _render(self, work: Work) -> None:
        if self._machine_rests:
            return work.tell(Resting(self._machine_rests_until_ms, "machine"))
        try:
            answer = await self._asked(work.job)
            if answer is Ended.UNKNOWN:
                answer = await self._asked(work.job)
        except NotStarted:
            return work.tell(Resting(self._machine_rests_until_ms, "machine"))
        whole_us = round(self.bounds.processor_s * 1_000_000)
        took_us = answer.processor_us if isinstance(answer, Answer) else whole_us
        self._turns.charge(work.owner.workspace, took_us)
        return self._settle(work, answer)

    async def _asked(self, job: Job | Reading) -> Answer | Ended:
        """Raises: NotStarted."""
        if self._child is None:
            self._child = await self._started()
        answer: Answer | Ended = Ended.UNKNOWN
        try:
            answer = await self._child.ask(job)
        finally:
            if answer is Ended.UNKNOWN:
                self._child = None  # it is gone
            if isinstance(answer, Answer):
                self.answered += 1
            else:
                self.restarts += 1
        return answer

    async def _started(self) -> Child:
        """Raises: NotStarted, and from then on all wait for a while."""
        for failed in range(STARTS_MAX):
            try:
                return await Child.started(self.bounds)
            except NotStarted as exc:
                if failed + 1 < STARTS_MAX:
                    await asyncio.sleep(START_AGAIN_S * 2**failed)
                    continue
                self._machine_rests_until_ms = self._clock.now_ms() + MACHINE_REST_MS
                told = {"error": str(exc), "rests_ms": MACHINE_REST_MS}
                log.error("no process to render bodies with", **told)
                raise
        raise AssertionError  # the last one raises
