"""Every call of the storage fails once, and for good: what was answered with success is stored,
what was not is not there, and the Store goes on without a restart.

As SQLite does it: of each step in the life of a database, the first call fails, then in another run
the second, until a run ends in which the fault never came about.
"""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain, count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, get_args

import lmdb
import pytest
import structlog

from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import StoreDoor
from hookbundle.engine.clock import MovableClock
from hookbundle.engine.errors import HookbundleError, StorageError
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment, open_environment
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.transitions.table import Outcome, Transition
from hookbundle.tests.actors.stores import PATIENCE_S
from hookbundle.tests.folding import EVERY, Fold, State, stored
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.failing_calls import FailingDisk, Fault
from hookbundle.tests.reliability.harness.recorded_life import RecordedHouse, live, restore
from hookbundle.tests.storage.scratch import NEVER_MS, START_MS

ERRORS: dict[str, Callable[[], Exception]] = {
    "disk": lambda: lmdb.DiskError("mdb_txn_commit: No space left on device"),
    "map": lambda: lmdb.MapFullError("mdb_put: MDB_MAP_FULL"),
    "memory": MemoryError,
}
STRIDES = {
    ("disk", "once"): 1,
    ("disk", "for good"): size(7, 1),
    ("map", "once"): size(11, 1),
    ("map", "for good"): size(11, 1),
    ("memory", "once"): size(7, 1),
    ("memory", "for good"): size(11, 1),
}
LIVES = size(3, 200)
CONFIG = StoreConfig(
    feed_keep_events=EVERY, feed_keep_ms=NEVER_MS, floor_bytes=0, reserve_bytes=4_096
)

IN_MEMORY = Path("/dev/shm")
CALLS = ("begin", "get", "put", "delete", "cursor", "commit")

Answer = Outcome | HookbundleError
Group = Sequence[Transition]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of faults are logged with their tracebacks, which nobody would read."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where there is such a place: what the disk keeps is not what this is about."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[RecordedHouse]:
    """A house whose life was recorded, and in which any moment of it can be made again."""
    house = RecordedHouse(folder / "recorded")
    live(house)
    yield house
    house.close()


@dataclass(slots=True)
class Faulty:
    """A Store on a disk whose calls fail, beside a house that is told what was answered."""

    disk: FailingDisk
    house: RecordedHouse
    door: StoreDoor
    clock: MovableClock
    fatal: list[Exception]

    async def survive(self, group: Group, fault: Fault) -> None:
        """The group is asked for under the fault, and what failed is asked for again without it."""
        self.disk.fault = fault
        outcomes = await self.ask(group)
        self.disk.fault = None
        self.follow(group, outcomes)
        again = [each for each, outcome in zip(group, outcomes, strict=True) if failed(outcome)]
        if again:
            self.clock.move(1_000)  # by which intake, if it was closed, looks at the disk again
            outcomes = await self.ask(again)
            assert not any(map(failed, outcomes)), f"it does not go on: {outcomes}"
            self.follow(again, outcomes)
        assert self.fatal == []

    async def ask(self, group: Group) -> list[Answer]:
        """What became of each."""
        answers: asyncio.Queue[None] = asyncio.Queue()
        found: dict[int, Answer] = {}

        def settle(at: int, answer: Answer) -> None:
            found[at] = answer
            answers.put_nowait(None)

        for at, each in enumerate(group):
            self.door.submit(each, partial(settle, at))
        async with asyncio.timeout(PATIENCE_S):
            for _ in group:
                await answers.get()
        return [found[at] for at in range(len(group))]

    def follow(self, group: Group, answers: Sequence[Answer]) -> None:
        """The house does one by one what was answered with success, and comes to the same."""
        for each, answer in zip(group, answers, strict=True):
            if not failed(answer):
                (wanted,) = self.house.group(each)
                assert comparable(answer) == comparable(wanted)
        assert records_of(self.disk.sound) == records_of(self.house.env)
        assert facts_of(self.disk.sound) == facts_of(self.house.env)


@asynccontextmanager
async def storing(disk: FailingDisk, house: RecordedHouse) -> AsyncIterator[Faulty]:
    door, clock, fatal = StoreDoor(CONFIG.waiting_max), MovableClock(), list[Exception]()
    loop = asyncio.get_running_loop()
    store = Store.start(disk, door, CONFIG, clock, loop, lambda _: None, fatal.append)
    door.attach(store)
    try:
        with house.replaying():
            yield Faulty(disk, house, door, clock, fatal)
    finally:
        await asyncio.to_thread(store.stop)


@pytest.fixture
def disk(folder: Path, house: RecordedHouse) -> Iterator[FailingDisk]:
    env = open_environment(folder / "data", START_MS)
    env.identity = house.env.identity  # which goes into the ids that are given out
    yield FailingDisk(env)
    env.close()
    shutil.rmtree(env.path)


@pytest.mark.parametrize(("kind", "how"), STRIDES)
async def test_whichever_call_fails_what_was_answered_is_stored_and_nothing_else(
    disk: FailingDisk, house: RecordedHouse, kind: str, how: str
) -> None:
    steps = [step for step in house.steps if not step.leads_up]
    planned = Planned(CALLS)
    for number, step in enumerate(steps):
        for at in calls_to_fail(STRIDES[kind, how], SEED + number):
            fault = Fault(ERRORS[kind], at, lasting=how == "for good")
            for env in (disk.sound, house.env):
                restore(env, step.before)
            async with storing(disk, house) as store:
                await store.survive(step.group, fault)
            if not fault.hit:
                assert at > 1, f"{step.name} asks nothing of the storage"
                break
            planned.saw(fault.hit)

    planned.check()
    print(f"BATTERY_SEED={SEED}, {kind}, {how}: {planned.seen.total()} faults, {planned.seen}")


@pytest.mark.parametrize("seed", range(SEED, SEED + LIVES))
async def test_a_store_lives_on_through_one_fault_after_the_other(
    disk: FailingDisk, house: RecordedHouse, seed: int
) -> None:
    chance = Random(seed)
    planned = Planned(ERRORS)
    for env in (disk.sound, house.env):
        restore(env, house.steps[0].before)

    async with storing(disk, house) as store:
        for step in list(house.steps):
            kind = chance.choice(list(ERRORS))
            fault = Fault(ERRORS[kind], chance.randint(1, 40), lasting=chance.random() < 0.5)
            await store.survive(step.group, fault)
            if fault.hit:
                planned.saw(kind)
            with disk.sound.read() as txn:
                assert list(check(txn)) == []
            assert folded(disk.sound) == stored(disk.sound).workspaces

    planned.check()


def test_the_life_has_every_transition(house: RecordedHouse) -> None:
    kinds = {type(each) for step in house.steps if not step.leads_up for each in step.group}

    assert kinds == set(get_args(Transition))


def calls_to_fail(stride: int, seed: int) -> Iterator[int]:
    """The first, and from then on each that the stride hits: other ones with another seed."""
    return chain([1], count(2 + seed % stride, stride))


def failed(answer: Answer) -> bool:
    return isinstance(answer, StorageError)


def comparable(answer: Answer) -> object:
    return (type(answer), str(answer)) if isinstance(answer, HookbundleError) else answer


def records_of(env: Environment) -> dict[bytes, bytes]:
    """All but the rows of the feed: in which of them a fact stands depends on the commits."""
    with env.read() as txn:
        found = {bytes(key): bytes(value) for key, value in txn.cursor()}
    return {key: value for key, value in found.items() if not key.startswith(keyspace.FEED)}


def facts_of(env: Environment) -> list[dict[str, Any]]:
    events = FeedReader(env).read(0, EVERY).events
    return [{name: getattr(each, name) for name in each.__struct_fields__} for each in events]


def folded(env: Environment) -> dict[str, State]:
    fold = Fold()
    for fact in facts_of(env):
        fold.apply(fact)
    return fold.workspaces
