"""What a check has found: what it is, why it matters, and the command that mends it.

Findings are pasted into tickets. So they name settings, files and hosts, and never show the value
of a setting, a token, or more of a URL than its host.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hookbundle.commands.configuration.settings import Configuration

Level = Literal["fault", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: a fault keeps something from working; a note will, or may. `about`: which check."""

    level: Level
    about: str
    what: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class Machine:
    """What the checks look at. `pid`: of the process that uses the data, as far as it is seen."""

    config: Configuration
    files: tuple[Path, ...]
    data: Path
    socket: Path
    pid: int | None


Check = Callable[[Machine], Iterable[Finding]]


def fault(about: str, what: str, why: str, mend: str) -> Finding:
    return Finding("fault", about, what, why, mend)


def note(about: str, what: str, why: str, mend: str) -> Finding:
    return Finding("note", about, what, why, mend)
