"""Follows parts of docs/cluster.md, as an operator does who sits at all its machines.

    with machines() as at:
        page = Page(at)
        await page.follow("Start one")

The page is read as all pages are (tests/docs/pages.py). The title of a block says more here:

- `On a`, `On n1, n2 and n3`: its commands are typed there, on one machine after the other. They
  have to end well, and to print what the page says.
- `/etc/nats/…`: a file of all log servers. `/etc/hookbundle/…`: a file of all nodes. Where one
  stands that names n1 or a as its own, each machine has its own name.

A command that is refused is typed again for a while: what it waits for takes seconds, and the page
says so.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace

from hookbundle.tests.docs.cluster.machines import DESK, LOG_SERVERS, Machines
from hookbundle.tests.docs.pages import DOCS, FENCED, Block, Step, When, blocks, first_difference

AT_THE_DESK = "At your desk"
PAGE = DOCS / "cluster.md"
HEADING = re.compile(r"^(#{2,3}) (.+)$", re.MULTILINE)
AT = re.compile(r"On ((?:[a-e]|n\d)(?:(?:, | and )(?:[a-e]|n\d))*)")
FILE = re.compile(r"/etc/(nats|hookbundle)/[\w./-]+")
AGAIN_WITHIN_S = 60.0
AGAIN_S = 0.5
PARTITIONS = 32
INIT = "hookbundle cluster init"
MAY_BE_REFUSED = ("hookbundle ", "curl ", "for node in ")


def part(heading: str) -> list[Block]:
    """The blocks under the heading, up to the next one of its level."""
    text = PAGE.read_text(encoding="utf-8")
    text = FENCED.sub(lambda found: found[0].replace("#", "*"), text)  # a comment is no heading
    found = list(HEADING.finditer(text))
    first = next(each for each in found if each[2] == heading)
    after = found[found.index(first) + 1 :]
    end = next((each.start() for each in after if len(each[1]) <= len(first[1])), len(text))
    lines = text.count("\n", 0, first.start()), text.count("\n", 0, end)
    return [block for block in blocks(PAGE) if lines[0] < block.line <= lines[1]]


@dataclass(slots=True)
class Page:
    """`nodes`: the machines that get the files of nodes. `partitions`: the page has 32, whose logs
    take their time. `typed`: how many commands were."""

    machines: Machines
    nodes: tuple[str, ...] = ("a", "b", "c")
    partitions: int = PARTITIONS
    typed: int = 0

    async def follow(
        self, heading: str, on: str = "", before: Callable[[Block], Awaitable[None]] | None = None
    ) -> None:
        """`on`: the node at which it is done, where the page shows it for `a`. `before`: each
        block, also one that is not run.

        Raises: AssertionError at the first difference.
        """
        for block in part(heading):
            if before is not None:
                await before(block)
            if block.when is When.NEVER:
                continue
            if block.file and (kind := FILE.fullmatch(block.file)):
                for name in LOG_SERVERS if kind[1] == "nats" else self.nodes:
                    self._save(name, block)
            for name in names_in(block.terminal):
                at = on or name
                for step in block.steps:
                    wanted = replace(step, printed=tuple(_as_at(at, each) for each in step.printed))
                    await self._take(at, wanted, f"{PAGE.name}:{block.line}, on {at}")

    def _save(self, name: str, block: Block) -> None:
        root = self.machines[name].root
        path = root / block.file.lstrip("/")
        path.write_text(self.machines.placed(name, block.text), encoding="utf-8")

    async def _take(self, name: str, step: Step, where: str) -> None:
        assert step.typed is not None, where
        typed = self.machines.placed(name, step.typed).replace(
            INIT, f"{INIT} --partitions {self.partitions}"
        )
        terminal = self.machines[name].terminal
        loop = asyncio.get_running_loop()
        until_s = loop.time() + AGAIN_WITHIN_S
        while True:
            # In a thread: meanwhile clients and receivers of this process go on.
            code, printed = await asyncio.to_thread(terminal.runs, typed)
            if code == 0 or not typed.startswith(MAY_BE_REFUSED) or loop.time() > until_s:
                break
            await asyncio.sleep(AGAIN_S)
        self.typed += 1
        assert code == 0, f"{where}: `{typed}` ended with {code}: {printed}"
        wanted = [self.machines.placed(name, line) for line in step.printed]
        difference = first_difference(wanted, printed)
        assert difference is None, f"{where}: `{typed}`: {difference}"


def _as_at(name: str, line: str) -> str:
    """A line of a table that begins with the node `a`, as it is at another one."""
    return re.sub(r"^a(?=\s)", name, line)


def names_in(title: str) -> Iterator[str]:
    """The machines at which a block of this title is typed."""
    if title == AT_THE_DESK:
        yield DESK
    elif found := AT.fullmatch(title):
        yield from re.split(r", | and ", found[1])
