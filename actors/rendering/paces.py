"""What the last bodies of webhooks took, from which the process for the next one is chosen."""

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from hookbundle.engine.formats.jobs import Job

LIGHT_US = 5_000  # of the processor's time: a bundle of a hundred messages takes 1 ms
DOUBT_MS = 60_000
REMEMBERED_MAX = 100_000

READING = "reading"  # the process that reads templates, beside those of the paces

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose body it is: a webhook's, or `webhook` 0, a preview of the workspace's."""

    workspace: int
    webhook: int


def format_of(job: Job) -> int:
    """Which format it is: a number that another one hardly has, and that means nothing else."""
    return hash((job.format, job.options))


class Pace(Enum):
    """Of a webhook with the format that it has. `LIGHT`: its last body was rendered, and light.
    `SLOW`: the last one took more than a body that is tried gets. `UNKNOWN`: anything else, as of
    one that is new."""

    LIGHT = "light"
    UNKNOWN = "unknown"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class PaceCount:
    """Since the start: how many bodies the process for this pace had to the end, and how often it
    ended with one."""

    pace: str
    rendered: int
    ended: int


@dataclass(slots=True)
class Paces:
    """Kept in memory only: after a start of the daemon all are unknown."""

    # With the format that they were seen with; the one of longest ago first.
    _known: dict[Owner, tuple[Pace, int]] = field(default_factory=dict)
    _doubted: dict[int, int] = field(default_factory=dict)  # workspaces, each with the end of it

    def of(self, owner: Owner, form: int, now_ms: int) -> Pace:
        pace, seen_with = self._known.get(owner, (Pace.UNKNOWN, form))
        if seen_with != form:
            return Pace.UNKNOWN
        if pace is Pace.LIGHT and self._doubted.get(owner.workspace, now_ms) > now_ms:
            return Pace.UNKNOWN
        return pace

    def was_slow(self, owner: Owner, form: int, now_ms: int) -> None:
        """If it was light before, none of its workspace is light for a while: who sends light and
        heavy bodies in turn, by however many webhooks, makes those who are light wait once a
        minute at most."""
        if self.of(owner, form, now_ms) is Pace.LIGHT:
            self._doubted.pop(owner.workspace, None)
            _remember(self._doubted, owner.workspace, now_ms + DOUBT_MS)
        self._known.pop(owner, None)
        _remember(self._known, owner, (Pace.SLOW, form))

    def was_quick(self, owner: Owner, form: int, processor_us: int, *, well: bool) -> None:
        """`well`: it was rendered. After a slow one it takes two to be light."""
        is_light = well and processor_us <= LIGHT_US
        if self._known.pop(owner, None) != (Pace.SLOW, form) and is_light:
            _remember(self._known, owner, (Pace.LIGHT, form))


def _remember(found: dict[Key, Value], key: Key, value: Value) -> None:
    found[key] = value
    if len(found) > REMEMBERED_MAX:
        del found[next(iter(found))]
