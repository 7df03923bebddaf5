"""Two daemons start in one directory at once: one serves, the other names that one's pid."""

import asyncio
from pathlib import Path

from hookbundle.tests.in_process import connected
from hookbundle.tests.program import TIMEOUT_S, Program, program_in
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.running import Running, running, started

RACES = size(2, 20)


async def test_of_two_daemons_one_serves_and_the_other_ends_and_names_its_pid(
    tmp_path: Path,
) -> None:
    program = program_in(tmp_path)
    for race in range(RACES):
        loser, winner = await raced(program)
        said = (await loser.communicate())[1].decode()
        async with connected(program.socket_path) as session:
            daemon = Running(session, winner)
            await daemon.says("ready")
            status = await daemon.get("/v1/status")
            winner.kill()
            await daemon.ended()

        assert loser.returncode not in (0, None), race
        assert f"is in use by the process with pid {winner.pid}" in said, race
        assert status["pid"] == winner.pid, "the socket was stolen"

    async with running(program) as successor:
        assert (await successor.get("/v1/status"))["pid"] == successor.process.pid


async def raced(program: Program) -> tuple[asyncio.subprocess.Process, asyncio.subprocess.Process]:
    """The process that has ended, and the process that still runs."""
    both = await asyncio.gather(started(program), started(program))
    ends = {asyncio.ensure_future(process.wait()): process for process in both}
    done, rest = await asyncio.wait(ends, timeout=TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1, f"{len(done)} of two daemons have ended"
    for waiting in rest:
        waiting.cancel()
    return ends[done.pop()], ends[rest.pop()]
