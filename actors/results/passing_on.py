"""Results of transitions are passed on, on the loop: what callers asked for apart from the rest."""

import asyncio
from collections import deque
from dataclasses import dataclass, field

import structlog

from hookbundle.actors.turns import Then, Work
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.transitions.costs import COSTS, Lane
from hookbundle.storage.transitions.table import Result

# In one pass of the loop: a millisecond, and ten for what they lead to.
ASKED_AT_ONCE, OTHERS_AT_ONCE = 128, 32

ASKED = frozenset(kind for kind, cost in COSTS.items() if cost.lane is Lane.CALLS)

log = structlog.get_logger(__name__)

Answer = tuple[Then, Result | HookbundleError]


@dataclass(slots=True)
class Done:
    """A group that is on disk: who gets which result, those who asked apart from all others."""

    feed_next: int
    asked: list[Answer] = field(default_factory=list)
    others: list[Answer] = field(default_factory=list)

    def add(self, work: Work, result: Result | HookbundleError) -> None:
        answers = self.asked if type(work.transition) in ASKED else self.others
        answers.append((work.then, result))


class PassingOn:
    """Passes results on, on the loop, some in each pass of it: others have their turn in between.

    What callers asked for goes in the order of commits, and so does the rest: outcomes of attempts
    and the work of the timer. Each of those leads to a request that is made, or an answer that is
    read. A caller who waited behind a thousand of them would wait for a second.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._asked: deque[Answer] = deque()
        self._others: deque[Answer] = deque()

    def add(self, done: Done) -> None:
        is_telling = bool(self._asked or self._others)
        self._asked += done.asked
        self._others += done.others
        if not is_telling:
            self._tell_some()

    def _tell_some(self) -> None:
        try:
            _tell(self._asked, ASKED_AT_ONCE)
            _tell(self._others, OTHERS_AT_ONCE)
        finally:  # whatever was raised, the others wait for theirs
            if self._asked or self._others:
                self._loop.call_soon(self._tell_some)


def _tell(answers: deque[Answer], most: int) -> None:
    for _ in range(min(len(answers), most)):
        then, result = answers.popleft()
        try:
            then(result)
        except Exception as exc:
            log.error("a result could not be passed on", exc_info=exc)
