"""A page of docs/ as its readers follow it: the files to save, and what is typed in which terminal.

    ```console title="Terminal 1"      a terminal in which something goes on running
    $ hookbundle run                   is typed
    … [info     ] ready …              has to be printed; `…` stands for anything
    ^C                                 is pressed

A block of `console` without a title belongs to the terminal in which each command ends. Its whole
output has to be as the page says. Any other block with the name of a file as its title is saved.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FENCED = re.compile(r'^```(\w+)(?: title="([^"\n]*)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
FILE_NAME = re.compile(r"[\w./-]+\.\w+|Caddyfile")
NOT_RUN = "Not run by our tests"
LONG_FORM = "Run by the long form of our tests"
# What differs from one run to the next has the same form in each, or is left out (`…`).
VARIES = re.compile(
    r"(?P<any>…)|(?P<time>\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?Z?)|(?P<id>dlv_[0-9a-f]{32})"
    r"|(?P<space>[ \t]+)"
)
FORMS = {
    "any": r".*",
    "time": r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?Z?",
    "id": r"dlv_[0-9a-f]{32}",
    "space": r"\s+",
}


class When(Enum):
    ALWAYS = "in each run"
    LONG_FORM = "with BATTERY=full"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is typed, or nothing, and the lines that have to be printed then."""

    typed: str | None
    printed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """`line`: of the page, where the block begins. `file`: the name under which it is saved."""

    line: int
    terminal: str
    when: When
    steps: tuple[Step, ...] = ()
    file: str = ""
    text: str = ""


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in FENCED.finditer(text):
        language, title, body = match[1], match[2] or "", match[3]
        line = text.count("\n", 0, match.start()) + 1
        if language == "console":
            when = {NOT_RUN: When.NEVER, LONG_FORM: When.LONG_FORM}.get(title, When.ALWAYS)
            terminal = title if when is When.ALWAYS else ""
            found.append(Block(line, terminal, when, _steps(body.splitlines())))
        elif FILE_NAME.fullmatch(title):
            found.append(Block(line, "", When.ALWAYS, file=title, text=body))
    return found


def _steps(lines: Sequence[str]) -> tuple[Step, ...]:
    steps: list[Step] = []
    for line in lines:
        last = steps[-1] if steps else Step(None, ())
        if line == "^C":
            steps.append(Step(line, ()))
        elif line.startswith("$ "):
            steps.append(Step(line[2:], ()))
        elif last.typed is not None and last.typed.endswith("\\") and not last.printed:
            steps[-1] = Step(f"{last.typed}\n{line}", ())
        else:
            steps[-1:] = [Step(last.typed, (*last.printed, line))]
    return tuple(steps)


def as_pattern(line: str) -> re.Pattern[str]:
    """Matches what a run prints in the place of the page's line."""
    pattern, end = "", 0
    for match in VARIES.finditer(line):
        pattern += re.escape(line[end : match.start()]) + FORMS[match.lastgroup or "any"]
        end = match.end()
    return re.compile(pattern + re.escape(line[end:]))


def first_difference(wanted: Sequence[str], printed: Sequence[str]) -> str | None:
    """In words; None if the page says what was printed. Empty lines and spaces don't count.

    A line of `…` alone stands for any number of lines.
    """
    wanted = [line.strip() for line in wanted if line.strip()]
    printed = [line.strip() for line in printed if line.strip()]
    for number, line in enumerate(wanted):
        if line == "…":
            rest = wanted[number + 1 :]
            places = range(number, len(printed) + 1)
            if any(first_difference(rest, printed[place:]) is None for place in places):
                return None
            return f"after `…` the page has {rest}, printed was {printed[number:]}"
        if number >= len(printed):
            return f"the page has {line!r}, and nothing more was printed"
        if as_pattern(line).fullmatch(printed[number]) is None:
            return f"the page has {line!r}, printed was {printed[number]!r}"
    if len(printed) > len(wanted):
        return f"the page does not have {printed[len(wanted)]!r}"
    return None
