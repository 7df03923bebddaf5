"""`hookbundle send`: a fault's line in the file, and a live pipe, against a real daemon."""

import asyncio
import re
import signal
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.tests.in_process import event, facts_of
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, serving


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon")) as program:
        yield program


def line(number: int, **message: Any) -> bytes:
    return msgspec.json.encode(event(f"m{number}", **message)) + b"\n"


async def test_a_fault_is_told_by_its_line_in_the_file(program: Program, tmp_path: Path) -> None:
    await program("workspace", "set", "lines", "--aggregation", "24h")
    file = tmp_path / "messages.ndjson"
    good = [line(n) for n in range(1, 1_801)]
    file.write_bytes(b"".join([*good[:1_702], line(1_703, direction="up"), *good[1_703:]]))

    refused = await program("send", "lines", str(file))
    file.write_bytes(b"".join(good))
    again = await program("send", "lines", str(file), "--json")

    assert refused.code == 2
    assert "line 1703: message.direction: " in refused.err
    assert "[202]" not in refused.err
    told = re.search(r"Nothing of lines (\d+) to (\d+) was stored", refused.err)
    assert told is not None
    stored = int(told[1]) - 1
    assert stored < 1_702 < int(told[2])
    assert refused.out.splitlines()[0] == f"accepted\t{stored}"
    assert (again.document["accepted"], again.document["duplicate"]) == (1_800 - stored, stored)


async def test_a_line_that_is_not_json_and_one_that_is_too_long_are_told_by_their_lines(
    program: Program, tmp_path: Path
) -> None:
    await program("workspace", "set", "wrong", "--aggregation", "24h")
    file = tmp_path / "messages.ndjson"

    file.write_bytes(line(1) + b"\n" + line(2) + b'{"chat": nonsense}\n')
    broken = await program("send", "wrong", str(file))
    file.write_bytes(line(1) + line(2, text="x" * 9 * 1024 * 1024))
    too_long = await program("send", "wrong", str(file))

    assert "line 4: is not JSON" in broken.err
    assert (broken.code, too_long.code) == (2, 1)
    assert "Error: line 2: " in too_long.err


async def test_what_a_live_pipe_brings_is_sent_though_the_pipe_stays_open(
    program: Program,
) -> None:
    await program("workspace", "set", "live", "--aggregation", "24h")
    async with facts_of(program.socket_path) as facts:
        sending = await asyncio.create_subprocess_exec(
            PROGRAM, "send", "live", "-", env=program.env, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        assert sending.stdin is not None
        sending.stdin.write(line(1) + line(2))
        await facts.until("message.received", workspace="live")
        sending.stdin.write(line(3))
        first, *_, last = await facts.until("message.received", 2, workspace="live")

        sending.send_signal(signal.SIGINT)  # while it waits for more
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await sending.communicate()

    assert first["data"]["accepted"][0] == "m1"
    assert last["data"]["accepted"][-1] == "m3"
    assert sending.returncode == 1
    # What was accepted may be on disk a moment before the answer is there to be counted.
    assert out.splitlines()[0] in (b"accepted\t2", b"accepted\t3")
    assert b"run the same command again" in err


async def test_a_message_id_that_could_control_a_terminal_is_not_printed_as_it_is(
    program: Program,
) -> None:
    await program("workspace", "set", "hostile", "--aggregation", "24h")
    hostile = msgspec.json.encode(event("m\x07\u202e", attachments=[{}]))

    ran = await program("send", "hostile", given=hostile)

    assert ran.code == 0
    assert "skipped m" in ran.err
    assert ran.err.strip().isprintable()


async def test_a_sample_is_new_each_time_and_takes_no_file(program: Program) -> None:
    await program("workspace", "set", "sampled", "--aggregation", "24h")

    first = await program("send", "sampled", "--sample", "5")
    again = await program("send", "sampled", "--sample", "5", "--json")
    both = await program("send", "sampled", "-", "--sample", "5")
    none = await program("send", "sampled", "--sample", "0")

    assert first.rows[0] == ["accepted", "5"]
    assert "hookbundle chats list sampled" in first.err
    assert (again.document["accepted"], again.document["duplicate"]) == (5, 0)
    assert (both.code, none.code) == (2, 2)
    assert "either a file or --sample" in both.err
