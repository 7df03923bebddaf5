"""Follows a page at the keyboards of machines: the title of a block says at which."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hookbundle.tests.daemon.machine.operator import Operator
from hookbundle.tests.docs.pages import Block, first_difference
from hookbundle.tests.docs.terminal import Terminal

OF_A_TERMINAL = {"LANG": "C.UTF-8", "TERM": "dumb", "NO_COLOR": "1"}


@dataclass(frozen=True, slots=True)
class Keyboards:
    machines: Mapping[str, Operator]
    terminals: Mapping[str, Terminal]

    async def follow(self, page: Path, parts: Sequence[Block]) -> None:
        """Each command ends well, and prints what the page says. Raises: AssertionError."""
        for block in parts:
            for step in block.steps:
                assert step.typed is not None
                command = self.machines[block.terminal].placed(step.typed)
                # Meanwhile receivers in this process answer.
                code, printed = await asyncio.to_thread(
                    self.terminals[block.terminal].runs, command
                )
                where = f"{page.name}:{block.line}, {block.terminal}: {step.typed}"
                assert code == 0, f"{where}: ended with {code}: {printed}"
                difference = first_difference(step.printed, printed)
                assert difference is None, f"{where}: {difference}"


@contextmanager
def keyboards(machines: Mapping[str, Operator]) -> Iterator[Keyboards]:
    """What was started at them ends with them."""
    with ExitStack() as stack:
        terminals = {
            name: stack.enter_context(Terminal({**machine.env, **OF_A_TERMINAL}, machine.folder))
            for name, machine in machines.items()
        }
        yield Keyboards(machines, terminals)
