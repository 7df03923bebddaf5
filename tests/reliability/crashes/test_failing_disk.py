"""A whole daemon on a disk that fails now and then: nothing acknowledged is lost, and nobody has to
start it again."""

from pathlib import Path
from random import Random

import pytest

from hookbundle.actors import mailer, webhook
from hookbundle.server.daemon import process
from hookbundle.storage.database.environment import Environment, open_environment
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import MINUTE_MS, SECOND_MS, House, event, living, receiving
from hookbundle.tests.reliability.crashes.test_storage_calls import ERRORS
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.failing_calls import FailingDisk, Fault

RUNS = size(1, 20)
ROUNDS = size(25, 100)
WORKSPACES = {"soon": "none", "later": "1h"}


@pytest.fixture
def disks(monkeypatch: pytest.MonkeyPatch) -> list[FailingDisk]:
    """The disks of the daemons that are started; each can be made to fail."""
    found: list[FailingDisk] = []

    def opened(path: Path, now_ms: int) -> Environment:
        found.append(FailingDisk(open_environment(path, now_ms)))
        return found[-1]

    monkeypatch.setattr(process, "open_environment", opened)
    for module in (webhook, mailer):
        monkeypatch.setattr(module, "STORE_AGAIN_S", 0.01)
    return found


@pytest.mark.parametrize("kinds", [("disk", "map"), ("memory",)])
@pytest.mark.parametrize("seed", range(SEED, SEED + RUNS))
async def test_a_daemon_goes_on_after_its_disk_has_failed_and_has_lost_nothing(
    tmp_path: Path, disks: list[FailingDisk], seed: int, kinds: tuple[str, ...]
) -> None:
    chance = Random(seed)
    planned = Planned([*kinds, "202", "507" if "disk" in kinds else "503"])
    acknowledged: set[str] = set()
    async with receiving() as receiver, living(tmp_path) as house:
        for ws, aggregation in WORKSPACES.items():
            await house.make(ws, receiver, ws, aggregation=aggregation)
        for turn in range(ROUNDS):
            kind = chance.choice(kinds)
            fault = Fault(ERRORS[kind], chance.randint(1, 120), lasting=chance.random() < 0.5)
            disks[0].fault = fault  # until the next round, by when attempts have met it as well
            for ws in WORKSPACES:
                message = event(f"m{turn}", f"chat{chance.randint(1, 3)}")
                status = await posted(house, ws, message)
                planned.saw(str(status))
                if status == 202:
                    acknowledged.add(f"{ws}/m{turn}")
            if fault.hit:
                planned.saw(kind)
            house.clock.move(chance.choice((SECOND_MS, 31 * SECOND_MS, 20 * MINUTE_MS)))

        disks[0].fault = None
        taken = await drained(house, receiver, acknowledged)
        assert not house.daemon.failed.done()
        unknown = house.facts.known("delivery.unknown")
        ready = (await house.get("/v1/status"))["ready"]

    ids = [post.id for post in receiver.posts]
    assert ready
    assert acknowledged <= taken
    assert len({(post.id, post.body) for post in receiver.posts}) == len(set(ids))
    assert len(ids) - len(set(ids)) <= len(unknown), "sent again, though its end was known"
    assert not unknown or kinds == ("memory",), "an outcome was given up because the disk was full"
    planned.check()


async def posted(house: House, ws: str, message: object) -> int:
    return (await house.ask("POST", f"/v1/workspaces/{ws}/messages", message)).status


async def drained(house: House, receiver: HookReceiver, wanted: set[str]) -> set[str]:
    """What the receiver has been sent, once all that is wanted is there, or after an hour or two.

    A message of each round goes through the whole daemon, so the rounds take no time of the wall.
    """
    for turn in range(100):
        house.clock.move(2 * MINUTE_MS)
        await house.make(f"beat{turn}", receiver, "beat")
        await house.accept(f"beat{turn}", event("m"))
        await house.facts.until("delivery.delivered", workspace=f"beat{turn}")
        taken = {f"{post.path}/{each}" for post in receiver.posts for each in post.message_ids}
        if wanted <= taken:
            break
    return taken
