"""Renders bodies, in processes of their own; who sends to it waits for the answer.

It never renders in the daemon. There are three processes, none of them before it is needed, so a
daemon without formats pays nothing. Which one gets a body is chosen by what the webhook's last one
took (`paces.py`). A body that nothing is known of is tried: it gets little of the processor's time.
What takes more is rendered anew by the slow process, which gives it all that a body may have, and
so are the webhook's next ones, until one was quick again. Webhooks whose last body was light have
the quick process, which tries too: so neither what is slow or hostile makes what is light wait, nor
what is new and might be.

A body that takes too much there can't be rendered. Where a process is ended by something else (the
kernel that is short of memory, a person), the body is rendered once more, as it may not have been
its fault; ended again, it counts as past a limit. After three bodies of a webhook in a row past a
limit its rendering rests. A machine that starts no process is nobody's fault: then all who need it
wait for a while.

A webhook has one body here at most. A preview is of a workspace, which has some at most, and rests
for itself: who tries a format out stops no delivery.
"""

from dataclasses import replace

import structlog

from hookbundle.actors.rendering.child import Bounds
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.actors.rendering.line import Line, Work
from hookbundle.actors.rendering.paces import Owner, Pace, PaceCount, Paces
from hookbundle.actors.rendering.resting import Resting, Rests
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import TooManyRequests
from hookbundle.engine.formats.jobs import Job, Outcome, Unrenderable, Why

PREVIEWS_MAX = 2  # of a workspace that wait or are rendered
TRY_S = 0.02  # of the processor's time: a bundle of a thousand messages takes half of it
# Of the others: where the quick one or the daemon want the processor, they get a quarter of it.
NICENESS = 5

WHY = {
    Ended.TIME: (Why.TIME, "takes more than {processor_s:g} s of the processor's time"),
    Ended.MEMORY: (Why.MEMORY, "takes more than {memory_mib} MiB of memory"),
    Ended.UNKNOWN: (Why.ENDED, "ended the process that renders, twice"),
}

log = structlog.get_logger(__name__)


class Renderer:
    """Belongs to one loop. `bounds`: what a body may take in all."""

    def __init__(self, clock: Clock, bounds: Bounds | None = None) -> None:
        self._clock = clock
        self._bounds = bounds or Bounds()
        tries = replace(self._bounds, processor_s=TRY_S)
        self.quick = Line(clock, tries, self._tried)
        self.trial = Line(clock, replace(tries, niceness=NICENESS), self._tried)
        self.slow = Line(clock, replace(self._bounds, niceness=NICENESS), self._settle)
        self._lines = {Pace.LIGHT: self.quick, Pace.UNKNOWN: self.trial, Pace.SLOW: self.slow}
        self._paces = Paces()
        self._rests: Rests[Owner] = Rests()
        self._previews: dict[int, int] = {}

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

    def counts(self) -> list[PaceCount]:
        return [
            PaceCount(pace.value, line.answered, line.restarts)
            for pace, line in self._lines.items()
        ]

    async def close(self) -> None:
        """The processes have ended; those who wait get Overloaded."""
        for line in self._lines.values():  # the slow one last, as it gets what the others tried
            await line.close()

    async def _in_turn(self, owner: Owner, job: Job) -> Outcome | Resting:
        now_ms = self._clock.now_ms()
        until_ms = self._rests.until_ms(owner, now_ms)
        if until_ms is not None:
            return Resting(until_ms)
        work = Work(owner, job)
        line = self._lines[self._paces.of(owner, now_ms)]
        if line is self.quick and not line.is_ready:
            line.start()
            line = self.trial  # so that nobody waits for the start
        line.add(work)
        return await work.answer

    def _tried(self, work: Work, answer: Answer | Ended) -> None:
        """By one of the processes that give little."""
        if answer is not Ended.TIME:
            return self._settle(work, answer)
        self._paces.was_slow(work.owner, self._clock.now_ms())
        if not work.answer.done():
            self.slow.add(work)

    def _settle(self, work: Work, answer: Answer | Ended) -> None:
        owner, now_ms = work.owner, self._clock.now_ms()
        if isinstance(answer, Answer):
            if answer.error:
                log.error("rendering failed", webhook=owner.webhook, error=answer.error)
            self._rests.was_well(owner)
            if answer.processor_us <= TRY_S * 1_000_000:
                well = not isinstance(answer.outcome, Unrenderable)
                self._paces.was_quick(owner, answer.processor_us, well=well)
            else:
                self._paces.was_slow(owner, now_ms)
            return work.tell(answer.outcome)
        self._paces.was_slow(owner, now_ms)
        self._rests.went_past(owner, now_ms)
        log.warning(
            "a body went past a limit",
            workspace=owner.workspace,
            webhook=owner.webhook,
            reason=answer.value,
        )
        code, why = WHY[answer]
        mib = self._bounds.memory_bytes // (1024 * 1024)
        told = why.format(processor_s=self._bounds.processor_s, memory_mib=mib)
        work.tell(Unrenderable("", code, told))
