"""The README fits on a screen, and what it names is there; the quickstart runs its commands."""

import re
import shlex

import click

from hookbundle.cli import main
from hookbundle.tests.docs.pages import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
LINES_MAX = 60


def test_it_is_one_screen() -> None:
    assert len(README.splitlines()) <= LINES_MAX


def test_its_links_and_its_picture_are_there() -> None:
    named = re.findall(r"\]\(([^)#]+)\)", README)

    missing = [name for name in named if "://" not in name and not (ROOT / name).exists()]

    assert missing == []
    assert len(re.findall(r"!\[", README)) == 1


def test_its_commands_have_the_options_that_they_name() -> None:
    commands = re.findall(r"^    (?:\w+=\S+ )?hookbundle (.*?)(?:  +#.*)?$", README, re.MULTILINE)

    for command in commands:
        words = shlex.split(command)
        found: click.Command | None = main
        while isinstance(found, click.Group):
            found = found.get_command(click.Context(found), words.pop(0))
        assert found is not None, command
        found.make_parser(click.Context(found)).parse_args(args=words)
    assert len(commands) >= 8
