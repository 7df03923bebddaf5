"""Renders bodies, in processes of their own; who sends to it waits for the answer.

It never renders in the daemon. There are three processes for bodies, none of them before it is
needed, so a daemon without formats pays nothing. Which one gets a body is chosen by what the
webhook's last one of the same format took (`paces.py`). A body that nothing is known of is tried:
it gets little of the processor's time. What takes more is rendered anew by the slow process, which
gives it all that a body may have, and so are the webhook's next ones, until one was quick again.
Webhooks whose last body was light have the quick process, which tries too: so neither what is slow
or hostile makes what is light wait, nor what is new and might be.

A body that takes too much there can't be rendered. Where a process is ended by something else (the
kernel that is short of memory, a person), the body is rendered once more, as it may not have been
its fault; ended again, it counts as past a limit. After three bodies of a webhook in a row past a
limit its rendering rests. A machine that starts no process is nobody's fault: then all who need it
wait for a while.

A webhook has one body here at most. A preview is of a workspace, which has some at most, and rests
for itself, and never has the process of those who are light: who tries a format out stops no
delivery. A template is read here before it is set, by a process that does nothing else: reading
takes a tenth of a second and more, in which the daemon would answer nobody, and who sets a format
does not wait for bodies.
"""

from dataclasses import replace

import structlog

from hookbundle.actors.rendering.child import Bounds
from hookbundle.actors.rendering.frames import Answer, Ended
from hookbundle.actors.rendering.line import Line, Work
from hookbundle.actors.rendering.paces import READING, Owner, Pace, PaceCount, Paces, format_of
from hookbundle.actors.rendering.resting import Resting, Rests
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import Fault, Overloaded, TooManyRequests
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.formats.jobs import Job, Outcome, Read, Reading, Unrenderable, Why

PREVIEWS_MAX = 2  # of a workspace that wait or are rendered
TRY_S = 0.02  # of the processor's time: a bundle of a thousand messages takes half of it
LIGHT_TRY_S = 0.01  # of those that were light
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
        behind = replace(self._bounds, niceness=NICENESS)
        self.quick = Line(clock, replace(self._bounds, processor_s=LIGHT_TRY_S), self._tried)
        self.trial = Line(clock, replace(behind, processor_s=TRY_S), self._tried)
        self.slow = Line(clock, behind, self._settle)
        self.reading = Line(clock, behind, self._tell)
        self._lines = {Pace.LIGHT: self.quick, Pace.UNKNOWN: self.trial, Pace.SLOW: self.slow}
        self._paces = Paces()
        self._rests: Rests[Owner] = Rests()
        self._previews: dict[int, int] = {}

    async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
        """What became of the body of a delivery. Raises: Overloaded once it is closed."""
        return await self._body(Owner(workspace, webhook), job)

    async def preview(self, job: Job, workspace: int) -> Outcome | Resting:
        """The same of a body that is only looked at.

        Raises: TooManyRequests if the workspace looks at several already; Overloaded as above.
        """
        count = self._previews.get(workspace, 0)
        if count >= PREVIEWS_MAX:
            raise TooManyRequests.of(Code.SHARE_USED, what=Term.PREVIEWS)
        self._previews[workspace] = count + 1
        try:
            return await self._body(Owner(workspace, 0), job)
        finally:
            self._previews[workspace] -= 1
            if not self._previews[workspace]:
                del self._previews[workspace]

    async def read(self, reading: Reading, workspace: int) -> tuple[Fault, ...]:
        """What is wrong with a template. `workspace`: 0 for one that is not there yet.

        Raises: Overloaded once it is closed, or if no process can be started.
        """
        work = Work(Owner(workspace, 0), reading)
        self.reading.add(work)
        match await work.answer:
            case Read(faults=faults):
                return faults
            case Resting():
                raise Overloaded.of(Code.REFUSED)
            case Unrenderable(code=Why.FAILED):
                raise RuntimeError("a template could not be read; the log says more")
        return (fault(reading.place, FaultCode.TEMPLATE_NOT_READ),)

    def resting(self) -> dict[int, int]:
        """The webhooks whose rendering rests, each with the end of its rest in milliseconds."""
        found = self._rests.resting(self._clock.now_ms())
        return {owner.webhook: until_ms for owner, until_ms in found.items() if owner.webhook}

    def begin_anew(self, workspace: int, webhook: int) -> None:
        """The webhook has another format, so its rest is over."""
        self._rests.forget(Owner(workspace, webhook))

    def counts(self) -> list[PaceCount]:
        each = {**{pace.value: line for pace, line in self._lines.items()}, READING: self.reading}
        return [PaceCount(name, line.answered, line.restarts) for name, line in each.items()]

    async def close(self) -> None:
        """The processes have ended; those who wait get Overloaded."""
        # The slow one last, as it gets what the others tried.
        for line in (self.reading, *self._lines.values()):
            await line.close()

    async def _body(self, owner: Owner, job: Job) -> Outcome | Resting:
        now_ms = self._clock.now_ms()
        until_ms = self._rests.until_ms(owner, now_ms)
        if until_ms is not None:
            return Resting(until_ms)
        work = Work(owner, job, format_of(job))
        line = self._lines[self._paces.of(owner, work.format, now_ms)]
        if line is self.quick and not owner.webhook:
            line = self.trial  # a preview never makes a delivery wait
        if line is self.quick and not line.is_ready:
            line.start()
            line = self.trial  # so that nobody waits for the start
        line.add(work)
        made = await work.answer
        assert not isinstance(made, Read), made
        return made

    def _tried(self, work: Work, answer: Answer | Ended) -> None:
        """By one of the processes that give little."""
        if answer is not Ended.TIME:
            return self._settle(work, answer)
        self._paces.was_slow(work.owner, work.format, self._clock.now_ms())
        if not work.answer.done():
            self.slow.add(work)

    def _settle(self, work: Work, answer: Answer | Ended) -> None:
        """A body was rendered, or went past a limit, after which its webhook may rest."""
        owner, now_ms = work.owner, self._clock.now_ms()
        if isinstance(answer, Answer):
            self._rests.was_well(owner)
            if answer.processor_us <= TRY_S * 1_000_000:
                well = not isinstance(answer.outcome, Unrenderable)
                self._paces.was_quick(owner, work.format, answer.processor_us, well=well)
            else:
                self._paces.was_slow(owner, work.format, now_ms)
        else:
            self._paces.was_slow(owner, work.format, now_ms)
            self._rests.went_past(owner, now_ms)
        self._tell(work, answer)

    def _tell(self, work: Work, answer: Answer | Ended) -> None:
        what, whose = _subject(work)
        if isinstance(answer, Answer):
            if answer.error:
                log.error("rendering failed", what=what, **whose, error=answer.error)
            return work.tell(answer.outcome)
        log.warning(f"a {what} went past a limit", **whose, reason=answer.value)
        code, why = WHY[answer]
        mib = self._bounds.memory_bytes // (1024 * 1024)
        told = why.format(processor_s=self._bounds.processor_s, memory_mib=mib)
        work.tell(Unrenderable("", code, told))


def _subject(work: Work) -> tuple[str, dict[str, int]]:
    """What it is, and whose: a preview has no webhook, a template may come before its workspace."""
    owner = work.owner
    whose = {"workspace": owner.workspace, "webhook": owner.webhook}
    known = {name: number for name, number in whose.items() if number}
    if isinstance(work.job, Reading):
        return "template", known
    return "body" if owner.webhook else "preview", known
