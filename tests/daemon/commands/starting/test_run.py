"""`hookbundle run` on a terminal greets who started it; anywhere else it only logs."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from pathlib import Path

import msgspec

from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in

LAST = "hookbundle doctor"
READY = '"event": "ready"'


async def said_by(program: Program, until: str) -> str:
    """All that `run` writes to a terminal; it is stopped once that text has come."""
    ours, theirs = os.openpty()
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "run", env=program.env, stdin=DEVNULL, stdout=DEVNULL, stderr=theirs
    )
    os.close(theirs)
    loop, text = asyncio.get_running_loop(), ""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while until not in text:
                text += (await loop.run_in_executor(None, os.read, ours, 65_536)).decode()
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(TIMEOUT_S):
            with suppress(OSError):  # the end of what a terminal's other side has written
                while piece := await loop.run_in_executor(None, os.read, ours, 65_536):
                    text += piece.decode()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
    return text


async def test_on_a_terminal_it_says_where_everything_is(tmp_path: Path) -> None:
    text = await said_by(program_in(tmp_path, LISTEN="127.0.0.1:0"), LAST)

    assert "is ready; Ctrl-C stops it" in text
    assert f"data      {tmp_path / 'data'}" in text
    assert "console   http://127.0.0.1:" in text
    assert "smtp.host: no e-mail is sent" in text


async def test_a_terminal_that_wants_json_gets_json_alone(tmp_path: Path) -> None:
    text = await said_by(program_in(tmp_path, LOG__FORMAT="json"), READY)

    for line in text.splitlines():
        assert msgspec.json.decode(line)["event"]
