"""Renders bodies, in one process of its own; who sends to it waits for the answer.

It owns that process and never renders in the daemon. There is none before the first job, so a
daemon without formats pays nothing. A body that takes too much ends the process: the body can't be
rendered, and the next one gets a new process. Ended by something else (the kernel that is short of
memory, a person), the body is rendered once more, as it may not have been its fault; ended again,
it counts as past a limit. After three bodies of a webhook in a row past a limit its rendering
rests. A machine that starts no process is nobody's fault: then all wait for a while.

A webhook has one body here at most. A preview is of a workspace, which has some at most, and rests
for itself: who tries a format out stops no delivery.
"""

import asyncio
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.rendering.child import Bounds, Child, Ended, NotStarted
from hookbundle.actors.rendering.frames import Answer
from hookbundle.actors.rendering.resting import Resting, Rests
from hookbundle.actors.rendering.turns import RenderingTurns
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import Overloaded, TooManyRequests
from hookbundle.engine.formats.jobs import Job, Outcome, Unrenderable, Why

PREVIEWS_MAX = 2  # of a workspace that wait or are rendered
STARTS_MAX = 3  # that fail in a row, before all wait
START_AGAIN_S = 0.2  # after the first that fails; twice as long after the next
MACHINE_REST_MS = 30_000

WHY = {
    Ended.TIME: (Why.TIME, "takes more than {processor_s:g} s of the processor's time"),
    Ended.MEMORY: (Why.MEMORY, "takes more than {memory_mib} MiB of memory"),
    Ended.UNKNOWN: (Why.ENDED, "ended the process that renders, twice"),
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose body it is: a webhook's, or `webhook` 0, a preview of the workspace's."""

    workspace: int
    webhook: int


@dataclass(slots=True, eq=False)
class _Work:
    owner: Owner
    job: Job
    answer: asyncio.Future[Outcome | Resting] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Renderer:
    """Belongs to one loop. `restarts`: how often a process ended that had a job."""

    def __init__(self, clock: Clock, bounds: Bounds | None = None) -> None:
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._turns: RenderingTurns[Owner, _Work] = RenderingTurns()
        self._rests: Rests[Owner] = Rests()
        self._previews: dict[int, int] = {}
        self._machine_rests_until_ms = 0
        self._child: Child | None = None
        self._working: asyncio.Task[None] | None = None
        self._closed = False
        self.restarts = 0

    async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
        """What became of the body of a delivery. Raises: Overloaded once it is closed."""
        return await self._in_turn(Owner(workspace, webhook), job)

    async def preview(self, job: Job, workspace: int) -> Outcome | Resting:
        """The same of a body that is only looked at.

        Raises: TooManyRequests if the workspace looks at several already; Overloaded as above.
        """
        count = self._previews.get(workspace, 0)
        if count >= PREVIEWS_MAX:
            raise TooManyRequests.of(Code.SHARE_USED, what=Term.PREVIEWS)
        self._previews[workspace] = count + 1
        try:
            return await self._in_turn(Owner(workspace, 0), job)
        finally:
            self._previews[workspace] -= 1
            if not self._previews[workspace]:
                del self._previews[workspace]

    def resting(self) -> dict[int, int]:
        """The webhooks whose rendering rests, each with the end of its rest in milliseconds."""
        found = self._rests.resting(self._clock.now_ms())
        return {owner.webhook: until_ms for owner, until_ms in found.items() if owner.webhook}

    def begin_anew(self, workspace: int, webhook: int) -> None:
        """The webhook has another format, so its rest is over."""
        self._rests.forget(Owner(workspace, webhook))

    @property
    def waiting(self) -> int:
        """How many bodies wait for their turn."""
        return len(self._turns)

    @property
    def busy(self) -> bool:
        """Whether a body is being rendered, and the process has it."""
        return self._child is not None and self._child.is_asked

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return None if self._child is None else self._child.pid

    async def close(self) -> None:
        """The process has ended; those who wait get Overloaded."""
        self._closed = True
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])
        while self._turns:
            self._refuse(self._turns.take())
        if self._child is not None:
            child, self._child = self._child, None
            await child.end()

    async def _in_turn(self, owner: Owner, job: Job) -> Outcome | Resting:
        if self._closed:
            raise Overloaded.of(Code.STOPPING)
        now_ms = self._clock.now_ms()
        until_ms = self._rests.until_ms(owner, now_ms)
        if until_ms is not None:
            return Resting(until_ms)
        if self._machine_rests_until_ms > now_ms:
            return Resting(self._machine_rests_until_ms, "machine")
        work = _Work(owner, job)
        self._turns.add(owner.workspace, owner, work)
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        return await work.answer

    async def _work(self) -> None:
        """Renders one body after the other, until none waits."""
        while self._turns:
            work = self._turns.take()
            if work.answer.done():
                continue  # its caller waits no longer
            try:
                result = await self._rendered(work)
            except asyncio.CancelledError:
                self._refuse(work)
                raise
            except Exception as exc:  # noqa: BLE001 - its caller gets it, and those who wait go on
                if not work.answer.done():
                    work.answer.set_exception(exc)
                continue
            if not work.answer.done():
                work.answer.set_result(result)

    async def _rendered(self, work: _Work) -> Outcome | Resting:
        owner, now_ms = work.owner, self._clock.now_ms()
        if self._machine_rests_until_ms > now_ms:
            return Resting(self._machine_rests_until_ms, "machine")
        try:
            answer = await self._asked(work.job)
            if answer is Ended.UNKNOWN:
                answer = await self._asked(work.job)
        except NotStarted as exc:
            self._machine_rests_until_ms = self._clock.now_ms() + MACHINE_REST_MS
            log.error("no process to render bodies with", error=str(exc), rests_ms=MACHINE_REST_MS)
            return Resting(self._machine_rests_until_ms, "machine")
        if isinstance(answer, Answer):
            if answer.error:
                log.error("rendering failed", webhook=owner.webhook, error=answer.error)
            self._rests.was_well(owner)
            well = not isinstance(answer.outcome, Unrenderable)
            self._turns.took(owner.workspace, owner, answer.processor_us, well=well)
            return answer.outcome
        whole_us = round(self._bounds.processor_s * 1_000_000)
        self._turns.took(owner.workspace, owner, whole_us, well=False)
        self._rests.went_past(owner, self._clock.now_ms())
        log.warning(
            "a body went past a limit",
            workspace=owner.workspace,
            webhook=owner.webhook,
            reason=answer.value,
        )
        code, why = WHY[answer]
        mib = self._bounds.memory_bytes // (1024 * 1024)
        told = why.format(processor_s=self._bounds.processor_s, memory_mib=mib)
        return Unrenderable("", code, told)

    async def _asked(self, job: Job) -> Answer | Ended:
        """Raises: NotStarted."""
        if self._child is None:
            self._child = await self._started()
        child, answer = self._child, None
        try:
            answer = await child.ask(job)
        finally:
            if not isinstance(answer, Answer):
                self._child = None  # it is gone
                self.restarts += 1
        return answer

    async def _started(self) -> Child:
        for failed in range(STARTS_MAX):
            try:
                return await Child.started(self._bounds)
            except NotStarted:
                if failed + 1 == STARTS_MAX:
                    raise
                await asyncio.sleep(START_AGAIN_S * 2**failed)
        raise AssertionError  # the last one raises

    def _refuse(self, work: _Work) -> None:
        if not work.answer.done():
            work.answer.set_exception(Overloaded.of(Code.STOPPING))
