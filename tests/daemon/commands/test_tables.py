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

from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, serving

LONG_WS = f"workspace-{'9' * 54}"
LONG_CHAT = f"{'1' * 70}@g.us"
STYLE = re.compile(r"\x1b\[[0-9;]*m")
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
