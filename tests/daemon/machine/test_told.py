"""What commands tell of a state in which nothing, or something twice, would be sent."""

import time
from pathlib import Path

import pytest

from hookbundle.engine import machine_time
from hookbundle.storage.maintenance import backups
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running
from hookbundle.tests.storage.scratch import ScratchDatabase

YEARS_MS = 3 * 365 * 86_400_000


@pytest.mark.skipif(machine_time.is_synchronised(), reason="then the daemon goes by the clock")
async def test_status_says_that_the_clock_is_held_and_how_to_go_on(tmp_path: Path) -> None:
    db = ScratchDatabase(tmp_path / "data")
    db.now_ms = time.time_ns() // 1_000_000 + YEARS_MS
    db.workspace()
    db.close()
    program = program_in(tmp_path)

    async with running(program) as daemon:
        await daemon.says("clock.held")
        held = await program("status")
        daemon.process.terminate()
        await daemon.ended()

    assert held.code == 0
    assert ["clock_held", "yes"] in held.rows
    assert "`hookbundle run --trust-clock`" in held.err
    assert "not ready: the clock is held" in held.err
    assert "What /readyz says" in held.err


async def test_a_restore_says_what_is_sent_again_and_how_to_let_it(tmp_path: Path) -> None:
    db = ScratchDatabase(tmp_path / "data")
    number = db.workspace("acme", aggregation_ms=3_600_000)
    db.accept("m1", ws=number, chat="c")
    backups.back_up(db.env, tmp_path / "backup", lambda: None)
    db.close()
    program = program_in(tmp_path)

    plain = await program("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "plain"))
    held = await program(
        "restore", str(tmp_path / "backup"), "--hold", "--json", "--data", str(tmp_path / "held")
    )

    assert "1 windows were open and 0 deliveries were queued" in plain.err
    assert "sent again, also if they went out since" in plain.err
    assert "held" not in plain.err
    assert held.document["held"] == ["acme"]
    assert "1 workspaces are held. `hookbundle workspace enable WS`" in held.err
