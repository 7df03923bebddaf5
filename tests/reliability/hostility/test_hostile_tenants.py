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
from hookbundle.tests.reliability.hostility.tenants.town import Scenario
from hookbundle.tests.reliability.hostility.tenants.verdict import forbidden

EACH = 4  # messages on each of the healthy connections
NEEDS_NAMES = pytest.mark.skipif(
    not name_server.can_be_used(), reason="a daemon can't be given another name server here"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """`faults` of the healthy; `over`: the hostile work had ended before theirs had."""

    faults: dict[str, int]
    over: bool
    grown_mib: float


async def seen(stage: Stage, scenario: type[Scenario], *answers: str) -> Seen:
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
    faults |= forbidden(stopped["answers"], scenario.never)
    assert (await stage.ask("GET", "/v1/status"))["ready"]
    # All but the first of each of their connections; what is shown is shown of that way.
    assert await stage.in_the_lane() >= EACH
    grown_mib = (peak_bytes - idle_bytes) / MIB
    return Seen(faults, stopped["over"], grown_mib)


@pytest.mark.parametrize(
    ("name", "scale", "settings"),
    [
        ("HeldSlots", 0.5, {"DELIVERY__TOTAL_TIMEOUT": "10m"}),
        ("SlowAnswers", 0.5, {}),
        pytest.param("HangingNames", 0.2, {}, marks=NEEDS_NAMES),
        ("SlowLogs", 0.5, {}),
        ("LargeBatches", 0.5, {}),
        ("LargeHistories", 0.1, {}),
        ("TwentyWebhooks", 0.1, {}),
        ("HostileFormats", 0.15, {}),
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
        found = await seen(stage, scenario)

    assert found.faults == {}
    assert not found.over, "the healthy had to wait until the hostile work was done"
    assert found.grown_mib <= scenario.grown_mib_max


@pytest.mark.parametrize(
    ("name", "answers"), [("WrongTokens", ("owner",)), ("LiveStreams", ("other owner",))]
)
async def test_no_owner_is_kept_out_of_the_console_by_another_client(
    name: str, answers: tuple[str, ...], tmp_path: Path
) -> None:
    async with staged(tmp_path, BY_NAME[name]) as stage:
        found = await seen(stage, BY_NAME[name], *answers)

    assert found.faults == {}


async def test_an_odd_request_is_never_our_fault(tmp_path: Path) -> None:
    odd = BY_NAME["OddRequests"]
    async with staged(tmp_path, odd) as stage:
        found = await seen(stage, odd, "400", "422")

    assert found.faults == {}, "it is answered with a 5xx, or logged as an error"
