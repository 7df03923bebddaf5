"""`--format` and `--format-option`, and the format in words."""

import json
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

from hookbundle.commands.workspaces.formats import format_options, in_words, take_format


def asked(*arguments: str) -> Any:
    """What the options ask for; the text of the usage error if they are none."""

    @click.command()
    @format_options
    def command(**given: Any) -> None:
        wanted = take_format(given)
        click.echo(json.dumps([wanted.get("format"), wanted.get("format_options")]))

    ran = CliRunner().invoke(command, arguments)
    return json.loads(ran.output) if ran.exit_code == 0 else ran.output


def test_a_name_a_file_and_none(tmp_path: Path) -> None:
    (tmp_path / "bare.json").write_text('{"note": "x"}')
    (tmp_path / "whole.json").write_text('{"template": {"note": "x"}}')
    (tmp_path / "broken.json").write_text("{")

    assert asked() == [None, None]
    assert asked("--format", "slack") == ["slack", None]
    assert asked("--format", "none") == ["seed", None]
    whole = [{"template": {"note": "x"}}, None]
    assert asked("--format", f"@{tmp_path}/bare.json") == whole
    assert asked("--format", f"@{tmp_path}/whole.json") == whole
    assert "no template in JSON" in asked("--format", f"@{tmp_path}/broken.json")
    assert "can't be read" in asked("--format", f"@{tmp_path}/missing.json")


def test_options_replace_all_of_them() -> None:
    assert asked("--format-option", "a=b=c", "--format-option", "d=") == [
        None,
        {"a": "b=c", "d": ""},
    ]
    assert asked("--format-option", "none") == [None, {}]
    assert "not both" in asked("--format-option", "none", "--format-option", "a=b")
    assert "twice" in asked("--format-option", "a=b", "--format-option", "a=c")
    assert "write NAME=VALUE" in asked("--format-option", "a")


def test_a_format_in_words() -> None:
    assert in_words({}) == {"format": "seed", "format_options": None}
    assert in_words({"format": {"template": 1}, "format_options": {"a": "b", "c": "d"}}) == {
        "format": "template",
        "format_options": "a=b; c=d",
    }
