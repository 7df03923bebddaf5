"""Whatever one tenant or an unknown client does, the healthy workspaces beside it are served.

The short form of `make hostile`: nothing here is a matter of milliseconds. The healthy post and are
delivered while the hostile work goes on; nothing of theirs is refused, lost, repeated or reordered,
none of their attempts fails, and the daemon's memory is bounded.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.reliability.hostility.tenants import name_server
from hookbundle.tests.reliability.hostility.tenants.stage import MIB, Stage, memory_bytes, staged
from hookbundle.tests.reliability.hostility.tenants.table import BY_NAME

EACH = 4  # messages on each of the healthy connections
NEEDS_NAMES = pytest.mark.skipif(
    not name_server.can_be_used(), reason="a daemon can't be given another name server here"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """`faults` of the healthy; `over`: the hostile work had ended before theirs had."""

    faults: dict[str, int]
    over: bool
    answers: dict[str, int]
    grown_mib: float


async def seen(stage: Stage, *answers: str) -> Seen:
    """What comes of the healthy work beside the hostile, who have had these answers at its end."""
    await stage.handful(1)
    before = await stage.report()
    idle_bytes = memory_bytes(stage.daemon.pid)
    await stage.prepare()
    await stage.attack()
    await stage.handful(EACH)
    await stage.answered(*answers)
    stopped = await stage.stop()
    peak_bytes = stage.daemon.peak.memory_bytes
    faults = {**before["faults"], **(await stage.report())["faults"], **stage.daemon.errors}
    faults |= await stage.failures()
    assert (await stage.ask("GET", "/v1/status"))["ready"]
    grown_mib = (peak_bytes - idle_bytes) / MIB
    return Seen(faults, stopped["over"], stopped["answers"], grown_mib)


@pytest.mark.parametrize(
    ("name", "scale", "settings"),
    [
        ("HeldSlots", 0.5, {}),
        ("SlowAnswers", 0.5, {}),
        pytest.param("HangingNames", 0.2, {}, marks=NEEDS_NAMES),
        ("SlowLogs", 0.5, {}),
        ("LargeBatches", 0.5, {}),
        ("UnfinishedBodies", 1.0, {}),
        ("GzipOfBadLines", 1.0, {}),
        ("Punycode", 1.0, {}),
        ("HalfForms", 0.1, {"HTTP__CONNECTIONS_MAX": "60"}),
    ],
)
async def test_the_healthy_are_served_while_the_hostile_are_at_work(
    name: str, scale: float, settings: dict[str, Any], tmp_path: Path
) -> None:
    scenario = BY_NAME[name]
    async with staged(tmp_path, scenario, scale, **settings) as stage:
        found = await seen(stage)

    assert found.faults == {}
    assert not found.over, "the healthy had to wait until the hostile work was done"
    assert found.grown_mib <= scenario.grown_mib_max


async def test_a_right_token_signs_in_beside_a_thousand_wrong_ones(tmp_path: Path) -> None:
    async with staged(tmp_path, BY_NAME["WrongTokens"]) as stage:
        found = await seen(stage, "owner")

    assert found.faults == {}
    assert "owner: refused" not in found.answers


async def test_an_owner_has_live_pages_though_another_opens_all_that_can_be_had(
    tmp_path: Path,
) -> None:
    async with staged(tmp_path, BY_NAME["LiveStreams"]) as stage:
        found = await seen(stage, "other owner")

    assert found.faults == {}
    others = [answer for answer in found.answers if answer.startswith("other owner")]
    assert others == ["other owner: 200"]


async def test_odd_requests_are_never_our_fault(tmp_path: Path) -> None:
    async with staged(tmp_path, BY_NAME["OddRequests"]) as stage:
        found = await seen(stage, "400", "404", "422")

    assert found.faults == {}, "no line of the log is an error"
    assert [answer for answer in found.answers if answer.startswith("5")] == []
