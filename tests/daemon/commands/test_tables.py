"""Commands on a real terminal, as narrow as people have them: no line wraps, JSON keeps all."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.cells import cell_len

from hookbundle.tests.in_process import Api, connected, event, facts_of, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, serving

LONG_WS = f"workspace-{'9' * 54}"
LONG_CHAT = f"{'1' * 70}@g.us"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
SHORT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?! UTC)")
COMMANDS = (
    ("workspace", "list"),
    ("chats", "list"),
    ("deliveries", "list"),
    ("activity", LONG_WS),
    ("token", "list"),
    ("config", "show"),
    ("status",),
)


@asynccontextmanager
async def daemon_with_long_names(folder: Path) -> AsyncIterator[Program]:
    async with receiving() as receiver:
        with serving(folder) as program:
            async with connected(program.socket_path) as session:
                api = Api(session)
                hook = {"url": receiver.url(), "aggregation": "none"}
                await api.ask("PUT", f"/v1/workspaces/{LONG_WS}", {"webhook": hook})
                await api.switch(LONG_WS, "disable")
                await api.accept(LONG_WS, event("m1", LONG_CHAT))
                window = {"webhook": {"aggregation": "6h"}}
                await api.ask("PATCH", f"/v1/workspaces/{LONG_WS}", window)
                await api.accept(LONG_WS, event("m2", LONG_CHAT))
                token = {"scope": "intake", "workspace": LONG_WS}
                await api.ask("POST", "/v1/tokens", token)
            yield program


def shown(program: Program, width: int, *command: str) -> list[str]:
    """The lines that the command prints on a terminal of that width."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    env = {**program.env, "TERM": "xterm-256color"}
    with subprocess.Popen(
        [PROGRAM, *command],
        env=env,
        stdin=follower,
        stdout=follower,
        stderr=subprocess.DEVNULL,
    ) as process:
        os.close(follower)
        found = b"".join(iter(lambda: read(leader), b""))
        assert process.wait(TIMEOUT_S) == 0
    os.close(leader)
    return STYLE.sub("", found.decode()).splitlines()


def read(terminal: int) -> bytes:
    """Empty once the other side is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


@asynccontextmanager
async def daemon_after_an_error(folder: Path) -> AsyncIterator[Program]:
    """The webhook of `acme` waits after an error; the message `m1` is held."""
    async with receiving() as receiver:
        receiver.answers(500)
        with serving(folder) as program:
            path = program.socket_path
            async with connected(path) as session, facts_of(path) as facts:
                api = Api(session)
                await api.make("acme", receiver)
                await api.accept("acme", event("m1"))
                await facts.until("delivery.failed")
            yield program


async def test_a_state_has_the_word_of_the_api_in_tables_json_and_options(tmp_path: Path) -> None:
    async with daemon_after_an_error(tmp_path) as program:
        listed = await program("workspace", "list", "--state", "backing_off")
        told = await program("workspace", "show", "acme")
        document = (await program("workspace", "list", "--json")).document
        seen = await asyncio.to_thread(shown, program, 100, "workspace", "list")

    assert document[0]["webhook"]["state"] == "backing_off"
    assert ["acme", "backing_off"] in [row[:2] for row in listed.rows]
    assert ["webhook.state", "backing_off"] in told.rows
    assert "backing_off" in "\n".join(seen)


async def test_times_are_short_on_a_terminal_and_rfc_3339_in_a_pipe(tmp_path: Path) -> None:
    async with daemon_after_an_error(tmp_path) as program:
        id_ = (await program("deliveries", "list", "--json")).document[0]["id"]
        commands = (
            ("workspace", "show", "acme"),
            ("webhook", "show", "acme", "outbound"),
            ("deliveries", "show", id_),
            ("chats", "history", "acme", "10010001"),
            ("chats", "history", "acme", "10010001", "--message", "m1"),
            ("activity", "acme"),
            ("status",),
        )
        seen = {each: await asyncio.to_thread(shown, program, 200, *each) for each in commands}
        piped = {each: (await program(*each)).out for each in commands}

    # The body is shown as it is sent.
    of_us = {name: [x for x in seen[name] if not x.startswith("body")] for name in seen}
    assert {name: list(filter(RFC_3339.search, of_us[name])) for name in seen} == {
        name: [] for name in seen
    }
    assert all(SHORT.search("\n".join(seen[name])) for name in seen)
    assert all(map(RFC_3339.search, piped.values()))
    assert not any(map(SHORT.search, piped.values()))


async def test_attempts_have_the_same_columns_wherever_they_stand(tmp_path: Path) -> None:
    async with daemon_after_an_error(tmp_path) as program:
        id_ = (await program("deliveries", "list", "--json")).document[0]["id"]
        of_delivery = (await program("deliveries", "show", id_)).rows[-2:]
        asked = ("chats", "history", "acme", "10010001", "--message", "m1")
        of_message = (await program(*asked)).rows[-2:]

    assert of_delivery[0][0] == "attempt"
    assert of_delivery == of_message


@pytest.mark.parametrize("width", [60, 100])
async def test_no_line_of_a_table_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    async with daemon_with_long_names(tmp_path) as program:
        seen = {
            command: await asyncio.to_thread(shown, program, width, *command)
            for command in COMMANDS
        }
        document = (await program("deliveries", "list", "--json")).document

    too_wide = {name: line for name in seen for line in seen[name] if cell_len(line) > width}
    assert too_wide == {}
    assert all(seen.values())
    text = "\n".join(seen["deliveries", "list"])
    assert document[0]["id"] in text
    assert "…" in text
    assert (document[0]["workspace"], document[0]["chat_id"]) == (LONG_WS, LONG_CHAT)


async def test_no_color_leaves_out_every_style(tmp_path: Path) -> None:
    with serving(tmp_path) as program:
        coloured = await asyncio.to_thread(raw, program)
        plain = await asyncio.to_thread(raw, Program({**program.env, "NO_COLOR": "1"}))

    assert b"\x1b" in coloured
    assert b"\x1b" not in plain
    assert plain.split() == STYLE.sub("", coloured.decode()).encode().split()


def raw(program: Program) -> bytes:
    leader, follower = pty.openpty()
    env = {**program.env, "TERM": "xterm-256color"}
    with subprocess.Popen([PROGRAM, "workspace", "list"], env=env, stdout=follower) as process:
        os.close(follower)
        found = b"".join(iter(lambda: read(leader), b""))
        process.wait(TIMEOUT_S)
    os.close(leader)
    return found
