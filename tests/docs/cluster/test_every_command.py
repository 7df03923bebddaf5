"""Each command of docs/cluster.md is one of the program's, and is run by a test as it stands."""

import re
import shlex
from pathlib import Path

import click
import pytest

from hookbundle.cli import main
from hookbundle.tests.docs.cluster.following import PAGE, names_in, part
from hookbundle.tests.docs.pages import ROOT, When, blocks

FOLLOWED = "tests/docs/cluster/test_followed.py"
OPERATING = "tests/docs/cluster/test_operating.py"
PARTS = {
    "Start one": FOLLOWED,
    "From one daemon to a cluster": FOLLOWED,
    "Give partitions away": FOLLOWED,
    "Add a node": FOLLOWED,
    "Take a node out": FOLLOWED,
    "Lose a machine": FOLLOWED,
    "One node after the other": OPERATING,
    "At the end": OPERATING,
    "Back up": OPERATING,
    "Nothing of what was deleted": FOLLOWED,
    "All of them, or all but one": OPERATING,
    "When only one machine is left": OPERATING,
    "Check": OPERATING,
}
"""Each part with commands, and where a test follows it."""
OURS = re.compile(r"(?:(?<=^)|(?<=do ))hookbundle [^|&;`\n]+")


def commands() -> list[str]:
    """The program's, of all blocks."""
    typed = [step.typed or "" for block in blocks(PAGE) for step in block.steps]
    return [found[0] for each in typed for found in OURS.finditer(each)]


def parsed(words: list[str]) -> click.Context:
    """Raises: click.UsageError if the program has no such command, or it takes no such thing."""
    command: click.Command = main
    while isinstance(command, click.Group):
        context = click.Context(command)
        name, found, words = command.resolve_command(context, words)
        assert found is not None, name
        command = found
    return command.make_context(command.name, words)


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_the_program_has_each_command_of_the_page(command: str) -> None:
    assert parsed(shlex.split(command.replace("$node", "a"))[1:])


def test_a_command_that_is_not_there_is_noticed() -> None:
    for wrong in ("cluster rescue", "cluster recover --into a", "cluster move 1"):
        with pytest.raises(click.UsageError):
            parsed(shlex.split(wrong))


def test_each_block_of_the_page_is_followed_and_by_the_test_that_is_named() -> None:
    followed = {block.line for heading in PARTS for block in part(heading)}
    left = [block for block in blocks(PAGE) if block.line not in followed]

    assert [f"line {block.line}: {block.steps}" for block in left] == []
    for heading, path in PARTS.items():
        assert f'"{heading}"' in Path(ROOT, path).read_text(encoding="utf-8"), heading


def test_each_block_says_at_which_machine_its_commands_are_typed() -> None:
    for block in blocks(PAGE):
        if not block.file and block.when is not When.NEVER:
            assert list(names_in(block.terminal)), f"line {block.line}"
