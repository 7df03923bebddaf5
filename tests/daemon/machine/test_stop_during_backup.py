"""A backup under way holds up no stop, and leaves nothing that could be taken for a backup."""

import asyncio
from pathlib import Path

from hookbundle.tests.daemon.machine import held_copy
from hookbundle.tests.program import TIMEOUT_S, program_in
from hookbundle.tests.running import running


async def test_a_stop_ends_a_copy_that_has_no_end(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    async with running(program, command=held_copy.command()) as daemon:
        backup = asyncio.ensure_future(program("backup", str(tmp_path / "backup")))
        await daemon.says("copying")

        daemon.process.terminate()
        code = await daemon.ended()
        backed_up = await asyncio.wait_for(backup, TIMEOUT_S)
        said = [line["event"] for line in daemon.said]

    assert code == 0
    assert backed_up.code != 0
    assert "the stop took too long, ending now" not in said
    assert list((tmp_path / "backup").iterdir()) == []
