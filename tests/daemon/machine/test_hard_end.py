"""A process that was told to stop ends, whatever hangs, and nothing acknowledged is lost."""

import signal
from pathlib import Path

import pytest

from hookbundle.tests.daemon.machine import hanging
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running

SOON = {"STOP__WITHIN": "1ms"}


@pytest.mark.parametrize(
    ("kind", "code"), [("loop", 1), ("stop", 1), ("thread", 0), ("python", -signal.SIGALRM)]
)
async def test_a_stop_that_hangs_ends(tmp_path: Path, kind: str, code: int) -> None:
    program = program_in(tmp_path, **SOON)
    async with running(program, command=hanging.command(kind)) as daemon:
        daemon.process.terminate()

        assert await daemon.ended() == code


async def test_the_log_says_where_a_stop_hangs(tmp_path: Path) -> None:
    program = program_in(tmp_path, **SOON)
    async with running(program, command=hanging.command("stop")) as daemon:
        daemon.process.terminate()

        said = await daemon.says("the stop took too long, ending now")

    assert [place for place in said["threads"]["MainThread"] if place.endswith(" hang")]


async def test_a_second_signal_brings_the_end_nearer(tmp_path: Path) -> None:
    program = program_in(tmp_path, STOP__WITHIN="1h")
    async with running(program, command=hanging.command("stop")) as daemon:
        daemon.process.terminate()
        await daemon.says("stopping")
        daemon.process.terminate()

        assert await daemon.ended() == 1


async def test_what_was_acknowledged_before_a_hard_end_is_sent_after_it(tmp_path: Path) -> None:
    program = program_in(tmp_path, **SOON)
    async with receiving() as receiver:
        async with running(program, command=hanging.command("stop")) as daemon:
            await daemon.make("acme", receiver, aggregation="1h")
            await daemon.accept("acme", event("m1"))
            daemon.process.terminate()
            await daemon.ended()
        async with running(program) as again:
            flushed = await again.ask("POST", "/v1/workspaces/acme/chats/flush")
            (post,) = await receiver.until(1)

    assert flushed.status == 200
    assert post.message_ids == ["m1"]
