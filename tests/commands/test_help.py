"""Every help page: its examples, its width; and the suggestions for what is misspelt."""

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from hookbundle.cli import COMMANDS, SECTIONS, main
from hookbundle.commands.examples import EXAMPLES

WIDTH = 80


def pages(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of the group and of all commands below it."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from pages(command, (*path, name))
        else:
            yield (*path, name)


PATHS = list(pages(main))


def run(*arguments: str) -> tuple[int, str]:
    """The exit code, and what the program prints."""
    ran = CliRunner().invoke(main, list(arguments), prog_name="hookbundle")
    return ran.exit_code, ran.output


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_help_page_ends_with_examples_of_its_command(path: tuple[str, ...]) -> None:
    code, page = run(*path, "--help")

    _, _, examples = page.partition("\n\nExamples:\n")
    assert code == 0
    assert examples
    begin = " ".join(("hookbundle", *path))
    assert any(begin in line for line in examples.splitlines()), examples


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_help_page_fits_a_terminal_and_cuts_no_sentence(path: tuple[str, ...]) -> None:
    _, page = run(*path, "--help")

    assert [line for line in page.splitlines() if len(line) > WIDTH] == []
    assert not re.search(r"\w\.\.\.$", page, re.MULTILINE)


@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_a_help_page_says_what_each_option_is_and_takes(path: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found

    unsaid = [
        option.name
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden and not option.help
    ]

    assert unsaid == []
    assert command.help


def test_there_are_examples_of_commands_only() -> None:
    assert set(EXAMPLES) == {" ".join(path) for path in PATHS}


def test_the_first_page_groups_all_commands_and_imports_none() -> None:
    code, page = run("--help")

    titles = re.findall(r"^(\S.*):$", page, re.MULTILINE)
    listed = re.findall(r"^  (\w+)  +[A-Z]", page, re.MULTILINE)
    assert code == 0
    assert titles == ["Options", *SECTIONS, "Examples"]
    assert listed == list(COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        (("statsu",), "`hookbundle status`"),
        (("worksapce", "list"), "`hookbundle workspace`"),
        (("workspace", "shwo", "acme"), "`hookbundle workspace show`"),
        (("deliveries", "rety"), "`hookbundle deliveries retry`"),
        (("token", "crate"), "`hookbundle token create`"),
        (("config", "shw"), "`hookbundle config show`"),
        (("retry", "dlv_1"), "`hookbundle deliveries retry`"),
        (("flush", "acme"), "`hookbundle chats flush`"),
        (("workspace", "revoke"), "`hookbundle token revoke`"),
        (("--confg", "x", "status"), "--config"),
        (("tail", "--typ", "x"), "--type"),
        (("workspace", "set", "acme", "--agregation", "1h"), "--aggregation"),
        (("backup", "--jsn", "x"), "--json"),
        (("workspace", "--json", "list"), "hookbundle workspace COMMAND --json"),
        (("status", "--socket", "x"), "hookbundle --socket"),
    ],
)
def test_what_is_misspelt_or_misplaced_gets_a_suggestion(
    arguments: tuple[str, ...], suggested: str
) -> None:
    code, page = run(*arguments)

    assert code == 2
    assert suggested in page.splitlines()[-1]


def test_what_is_like_no_command_gets_no_suggestion() -> None:
    code, page = run("xyzzy")

    assert code == 2
    assert page.endswith("Error: there is no command 'xyzzy'.\n")


def test_chats_say_that_they_have_a_history() -> None:
    _, whole = run("--help")
    _, page = run("chats", "--help")

    line = next(line for line in whole.splitlines() if line.lstrip().startswith("chats "))
    assert "history" in line
    assert "history" in page.partition("Commands:")[0]
