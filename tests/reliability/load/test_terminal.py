"""Hostile names and texts control neither a terminal nor the reader of a command's output."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hookbundle.tests.in_process import event, facts_of, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in
from hookbundle.tests.reliability.harness.hostile import TEXTS, control_characters
from hookbundle.tests.running import Running, running

COMMANDS = (
    ("workspace", "show", "ws9"),
    ("activity", "acme"),
    ("log", "acme", "--format", "ndjson"),
    ("chats", "list", "--json"),
    ("tail", "--since", "oldest"),
    ("tail", "--since", "oldest", "--json"),
)
STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""The colours of the commands' own tables; any other control sequence comes from a text."""


@asynccontextmanager
async def hostile_daemon(folder: Path) -> AsyncIterator[tuple[Program, Running]]:
    """A daemon whose workspaces, chats and texts have hostile names."""
    program = program_in(folder)
    async with receiving() as receiver, running(program) as daemon:
        await daemon.make("acme", receiver, "acme")
        await daemon.make("later", receiver, "later", aggregation="1h")
        for number, text in enumerate(TEXTS):
            await daemon.ask("PUT", f"/v1/workspaces/ws{number}", {"name": text})
            await daemon.accept("acme", event(f"m{number}{text}", text[:150], text=text))
            await daemon.accept("later", event(f"m{number}", text[:150], text=text))
        async with facts_of(program.socket_path) as facts:
            await facts.until("delivery.delivered", len(TEXTS))
        yield program, daemon


async def test_nothing_that_commands_show_controls_a_terminal(tmp_path: Path) -> None:
    async with hostile_daemon(tmp_path) as (program, daemon):
        on_terminals = [asyncio.to_thread(shown, program, *command) for command in COMMANDS]
        seen = await asyncio.gather(*on_terminals)
        piped = await program("chats", "list")
        daemon.process.terminate()
        await daemon.ended()

    for command, text in zip(COMMANDS, seen, strict=True):
        assert control_characters(STYLE.sub("", text).replace("\r\n", "\n")) == [], command
    assert [cell for row in piped.rows for cell in row if control_characters(cell)] == []
    shows = [any(sign in text for sign in ("�", "\\u001b")) for text in seen]
    assert all(shows), f"nothing hostile was shown: {shows}"


def shown(program: Program, *command: str) -> str:
    """The output of the command on a terminal; it is interrupted once it shows all deliveries."""
    leader, follower = pty.openpty()
    env = {**program.env, "TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen([PROGRAM, *command], env=env, stdin=follower, stdout=follower) as process:
        os.close(follower)
        watchdog = threading.Timer(TIMEOUT_S, process.kill)
        watchdog.start()
        found, interrupted = b"", False
        while chunk := read(leader):
            found += chunk
            if found.count(b"delivery.delivered") >= len(TEXTS) and not interrupted:
                # Only once: a second signal would hit the process while it exits.
                process.send_signal(signal.SIGINT)
                interrupted = True
        watchdog.cancel()
    os.close(leader)
    assert process.returncode == 0, (command, found)
    return found.decode()


def read(terminal: int) -> bytes:
    """Empty once the other side is closed, which Linux reports as an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""
