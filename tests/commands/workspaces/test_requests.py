"""`--method`, `--header` and `--auth`, and the request in words."""

import json
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from hookbundle.commands.workspaces.requests import in_words, request_options, take_request

CANARY = "canary-of-the-command-line"


def asked(*arguments: str, **env: str) -> Any:
    """What the options ask for; the text of the usage error if they are none."""

    @click.command()
    @request_options
    def command(**given: Any) -> None:
        click.echo(json.dumps(take_request(given)))

    ran = CliRunner().invoke(command, arguments, env=env)
    return json.loads(ran.output) if ran.exit_code == 0 else ran.output


def test_headers_replace_keep_and_go(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")

    assert asked() is None
    assert asked("--method", "PUT") == {"method": "PUT"}
    assert asked(
        *("--header", "X-A: a: b", "--header", "X-B"),
        *("--header", f"X-C: @{tmp_path}/key", "--header", "X-D:env:KEY"),
        KEY="from the environment",
    ) == {
        "headers": {
            "X-A": "a: b",
            "X-B": {"set": True},
            "X-C": "from a file",
            "X-D": "from the environment",
        }
    }
    assert asked("--header", "none") == {"headers": {}}


def test_credentials_in_short_and_as_json(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{CANARY}\n")
    (tmp_path / "auth.json").write_text('{"type": "oauth2", "set": true}')

    assert asked("--auth", "none") == {"auth": {"type": "none"}}
    assert asked("--auth", f"bearer:@{tmp_path}/token") == {
        "auth": {"type": "bearer", "token": CANARY}
    }
    assert asked("--auth", "basic:me:env:PASS", PASS="a:b") == {
        "auth": {"type": "basic", "username": "me", "password": "a:b"}
    }
    assert asked("--auth", "header:X-Key:value:1") == {
        "auth": {"type": "header", "name": "X-Key", "value": "value:1"}
    }
    assert asked("--auth", f"@{tmp_path}/auth.json") == {"auth": {"type": "oauth2", "set": True}}


@pytest.mark.parametrize("auth", [CANARY, f"token:{CANARY}", f'{{"token": "{CANARY}"', "bearer:"])
def test_what_is_none_of_these_is_refused_and_not_repeated(auth: str) -> None:
    said = asked("--auth", auth)

    assert "Invalid value for '--auth'" in said
    assert CANARY not in said


def test_a_secret_that_is_not_there_is_named() -> None:
    assert "can't be read" in asked("--auth", "bearer:@/nowhere")
    assert "there is no variable 'NOT_SET'" in asked("--header", "X-A: env:NOT_SET")


def test_a_request_in_words_has_names_and_no_values() -> None:
    auth = {"type": "header", "name": "X-Key", "set": True}

    assert in_words(None) is None
    assert (
        in_words({"method": "PUT", "headers": {"X-A": {"set": True}}, "auth": auth})
        == "PUT, X-A set, auth header X-Key set"
    )
    assert in_words({"method": "POST", "headers": {}, "auth": {"type": "none"}}) == "POST"
