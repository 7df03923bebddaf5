"""A daemon on a disk that fails now and then loses nothing acknowledged, and needs no restart."""

from pathlib import Path
from random import Random

import pytest

from hookbundle.actors import mailer, webhook
from hookbundle.server.daemon import partition
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import MINUTE_MS, SECOND_MS, System, daemon_in, event, receiving
from hookbundle.tests.reliability.crashes.test_storage_calls import ERRORS
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.failing_calls import FailingDisk, Fault

pytestmark = pytest.mark.usefixtures("quiet")

RUNS = size(1, 20)
ROUNDS = size(25, 100)
WORKSPACES = {"soon": "none", "later": "1h"}


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> list[FailingDisk]:
    """The disks of the daemons that are started. A test makes a disk fail by setting `fault`."""
    found: list[FailingDisk] = []

    def opened(path: Path, now_ms: int) -> Environment:
        found.append(FailingDisk(open_environment(path, now_ms)))
        return found[-1]

    monkeypatch.setattr(partition, "open_environment", opened)
    for module in (webhook, mailer):
        monkeypatch.setattr(module, "STORE_AGAIN_S", 0.01)
    return found


@pytest.mark.parametrize("kinds", [("disk", "map"), ("memory",)])
@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
async def test_a_daemon_goes_on_after_its_disk_has_failed_and_has_lost_nothing(
    tmp_path: Path, disks: list[FailingDisk], seed: int, kinds: tuple[str, ...]
) -> None:
    rng = Random(seed)
    planned = Planned([*kinds, "202", "507" if "disk" in kinds else "503"])
    acknowledged: set[str] = set()
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        for ws, aggregation in WORKSPACES.items():
            await system.make(ws, receiver, ws, aggregation=aggregation)
        for turn in range(ROUNDS):
            kind = rng.choice(kinds)
            fault = Fault(ERRORS[kind], rng.randint(1, 120), lasting=rng.random() < 0.5)
            disks[0].fault = fault  # until the next round, so that attempts meet it as well
            for ws in WORKSPACES:
                message = event(f"m{turn}", f"chat{rng.randint(1, 3)}")
                status = await posted(system, ws, message)
                planned.saw(str(status))
                if status == 202:
                    acknowledged.add(f"{ws}/m{turn}")
            if fault.hit:
                planned.saw(kind)
            system.clock.move(rng.choice((SECOND_MS, 31 * SECOND_MS, 20 * MINUTE_MS)))

        disks[0].fault = None
        taken = await drained(system, receiver, acknowledged)
        assert not system.daemon.failed.done()
        unknown = system.facts.known("delivery.unknown")
        ready = (await system.get("/v1/status"))["ready"]

    ids = [post.id for post in receiver.posts]
    assert ready
    assert acknowledged <= taken
    assert len({(post.id, post.body) for post in receiver.posts}) == len(set(ids))
    assert len(ids) - len(set(ids)) <= len(unknown), "sent again although its outcome was known"
    assert not unknown or kinds == ("memory",), "an outcome was given up because the disk was full"
    planned.check()


async def posted(system: System, ws: str, message: object) -> int:
    return (await system.ask("POST", f"/v1/workspaces/{ws}/messages", message)).status


async def drained(system: System, receiver: HookReceiver, wanted: set[str]) -> set[str]:
    """The messages that the receiver got: all that are wanted, unless some don't come for hours.

    Each round sends a message through the whole daemon, which shows that the daemon has acted on
    the moved clock. So no round waits for real time.
    """
    for turn in range(100):
        system.clock.move(2 * MINUTE_MS)
        await system.make(f"beat{turn}", receiver, "beat")
        await system.accept(f"beat{turn}", event("m"))
        await system.facts.until("delivery.delivered", workspace=f"beat{turn}")
        taken = {f"{post.path}/{each}" for post in receiver.posts for each in post.message_ids}
        if wanted <= taken:
            break
    return taken
