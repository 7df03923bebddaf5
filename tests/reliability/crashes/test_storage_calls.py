"""Each call of the storage fails, once or from then on, and the Store goes on without a restart.

What was answered with success is stored, and nothing else is. The method is SQLite's: in each step
of a recorded life the first call fails, in the next run the second, and so on, until a run ends
without a fault.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
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

from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.actors.turns import Work
from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.errors import HookbundleError, StorageError
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.feed import FeedReader
from hookbundle.storage.transitions.notes import Confirm, RaiseSchema
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.tests.actors.stores import TIMEOUT_S
from hookbundle.tests.folding import EVERY, Fold, stored
from hookbundle.tests.reliability.harness.battery import FULL, SEED, Planned, part, size
from hookbundle.tests.reliability.harness.failing_calls import FailingDisk, Fault
from hookbundle.tests.reliability.harness.recorded_life import RecordedDatabase, Step, live, restore
from hookbundle.tests.storage.scratch import NEVER_MS, START_MS

ERRORS: dict[str, Callable[[], Exception]] = {
    "disk": lambda: lmdb.DiskError("mdb_txn_commit: No space left on device"),
    "map": lambda: lmdb.MapFullError("mdb_put: MDB_MAP_FULL"),
    "memory": MemoryError,
}
STRIDES = {
    ("disk", "once"): size(17, 1),
    ("disk", "for good"): size(47, 1),
    ("map", "once"): size(53, 1),
    ("map", "for good"): size(61, 1),
    ("memory", "once"): size(47, 1),
    ("memory", "for good"): size(61, 1),
}
ALL_STEPS = ("disk", "once")  # the others, by turns, have a third each in the short form
LIVES = size(1, 200)
LED_UP = size(9, 1)  # of the steps that only lead up to others, one in so many meets a fault
CONFIG = StoreConfig(
    retention=Retention(feed_events=EVERY, feed_ms=NEVER_MS), floor_bytes=0, reserve_bytes=4_096
)

IN_MEMORY = Path("/dev/shm")
CALLS = ("begin", "get", "put", "delete", "cursor", "commit")
SURE = ("begin", "get", "put", "commit")  # what a third of the steps meets in any case

pytestmark = pytest.mark.usefixtures("quiet")

Answer = Result | HookbundleError
Group = Sequence[Transition]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory if the machine has one; these tests don't depend on a real disk."""
    with TemporaryDirectory(dir=IN_MEMORY if IN_MEMORY.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Iterator[RecordedDatabase]:
    """A database with a recorded life, which can be set back to any step of it."""
    recorded = RecordedDatabase(folder / "recorded")
    live(recorded)
    yield recorded
    recorded.close()


@dataclass(slots=True)
class Faulty:
    """A Store on a failing disk, and a database that repeats what was answered with success.

    `told`: the number of the feed's last event, up to which both are known to be equal.
    """

    disk: FailingDisk
    expected: RecordedDatabase
    store_queue: StoreQueue
    clock: MovableClock
    fatal: list[Exception]
    told: int

    async def survive(self, group: Group, fault: Fault) -> None:
        """The group was submitted with the fault; what failed was submitted again without it."""
        self.disk.fault = fault
        outcomes = await self.ask(group)
        self.disk.fault = None
        self.follow(group, outcomes)
        again = [each for at, each in enumerate(group) if failed(outcomes[at])]
        if again:
            self.clock.move(1_000)  # after which a closed intake checks the disk again
            outcomes = await self.ask(again)
            assert not any(map(failed, outcomes.values())), (
                f"the Store does not recover: {outcomes}"
            )
            self.follow(again, outcomes)
        assert self.fatal == []

    async def ask(self, group: Group) -> dict[int, Answer]:
        """The answer to each transition, by its place in the group, in the order of the commits."""
        answers: asyncio.Queue[None] = asyncio.Queue()
        found: dict[int, Answer] = {}
        committed: list[Transition] = []
        passed_on = self.store_queue.answered

        def answered(works: Sequence[Work], results: Sequence[Answer]) -> list[tuple[Work, Answer]]:
            done = passed_on(works, results)  # callers hear of theirs before others
            committed.extend(work.transition for work, _ in done)
            return done

        def note(at: int, answer: Answer) -> None:
            found[at] = answer
            answers.put_nowait(None)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.store_queue, "answered", answered)
            for at, each in enumerate(group):
                self.store_queue.submit(each, partial(note, at))
            async with asyncio.timeout(TIMEOUT_S):
                for _ in group:
                    await answers.get()
        order = [next(at for at in found if group[at] is each) for each in committed]
        return {at: found[at] for at in [*order, *found]}

    async def lead_up(self, group: Group) -> None:
        """As without faults; what it has left is compared after the next fault."""
        self.repeat(group, await self.ask(group))

    def repeat(self, group: Group, answers: Mapping[int, Answer]) -> None:
        """The expected database repeats each success, with the same answer."""
        for at, answer in answers.items():
            if not failed(answer):
                (wanted,) = self.expected.group(group[at])
                assert comparable(answer) == comparable(wanted)

    def follow(self, group: Group, answers: Mapping[int, Answer]) -> None:
        """As `repeat`; and the expected database holds the same as the Store's."""
        self.repeat(group, answers)
        assert records_of(self.disk.sound) == records_of(self.expected.env)
        facts = facts_of(self.disk.sound, self.told)
        assert facts == facts_of(self.expected.env, self.told)
        self.told = last_told(self.disk.sound)


@asynccontextmanager
async def storing(disk: FailingDisk, recorded: RecordedDatabase) -> AsyncIterator[Faulty]:
    store_queue, clock, fatal = StoreQueue(CONFIG.waiting_max), MovableClock(), list[Exception]()
    loop = asyncio.get_running_loop()
    store = Store.start(disk, store_queue, CONFIG, clock, loop, lambda _: None, fatal.append)
    store_queue.attach(store)
    try:
        with recorded.replaying():
            told = last_told(recorded.env)
            yield Faulty(disk, recorded, store_queue, clock, fatal, told)
    finally:
        await asyncio.to_thread(store.stop)


@pytest.fixture
def disk(folder: Path, recorded: RecordedDatabase) -> Iterator[FailingDisk]:
    env = open_environment(folder / "data", START_MS)
    env.identity = recorded.env.identity  # delivery ids contain it, and have to be equal
    yield FailingDisk(env)
    env.close()
    shutil.rmtree(env.path)


@pytest.mark.parametrize(("kind", "how"), STRIDES)
async def test_whichever_call_fails_what_was_answered_is_stored_and_nothing_else(
    disk: FailingDisk, recorded: RecordedDatabase, kind: str, how: str
) -> None:
    steps = [step for step in recorded.steps if not step.leads_up]
    planned = Planned(CALLS)
    if (kind, how) != ALL_STEPS and not FULL:
        steps = list(part(steps, 3, turn=list(STRIDES).index((kind, how))))
        planned = Planned(SURE)

    async def survived(step: Step, at: int) -> Fault:
        fault = Fault(ERRORS[kind], at, lasting=how == "for good")
        for env in (disk.sound, recorded.env):
            restore(env, step.before)
        async with storing(disk, recorded) as store:
            await store.survive(step.group, fault)
        if fault.hit in planned.seen:
            planned.saw(fault.hit)
        return fault

    for number, step in enumerate(steps):
        for at in calls_to_fail(STRIDES[kind, how], SEED + number):
            fault = await survived(step, at)
            if not fault.hit:
                assert at > 1, f"{step.name} makes no call of the storage"
                if not planned.seen["commit"]:
                    await survived(step, at=fault.calls)  # the last one
                break

    planned.check()
    print(f"BATTERY_SEED={SEED}, {kind}, {how}: {planned.seen.total()} faults, {planned.seen}")


@pytest.mark.parametrize("seed", range(SEED, SEED + LIVES))
async def test_a_store_lives_on_through_one_fault_after_the_other(
    disk: FailingDisk, recorded: RecordedDatabase, seed: int
) -> None:
    rng = Random(seed)
    planned = Planned(ERRORS)
    for env in (disk.sound, recorded.env):
        restore(env, recorded.steps[0].before)

    fold = Fold()
    async with storing(disk, recorded) as store:
        for number, step in enumerate(list(recorded.steps)):
            if step.leads_up and number % LED_UP:
                await store.lead_up(step.group)
                continue
            kind = rng.choice(list(ERRORS))
            fault = Fault(ERRORS[kind], rng.randint(1, 40), lasting=rng.random() < 0.5)
            await store.survive(step.group, fault)
            if fault.hit:
                planned.saw(kind)
            with disk.sound.read() as txn:
                assert list(check(txn)) == []
            for fact in facts_of(disk.sound, fold.seq):
                fold.apply(fact)
            assert fold.workspaces == stored(disk.sound).workspaces

    planned.check()


def test_the_life_has_every_transition(recorded: RecordedDatabase) -> None:
    kinds = {type(each) for step in recorded.steps if not step.leads_up for each in step.group}

    assert kinds == set(get_args(Transition)) - {Confirm, RaiseSchema}, "these change nothing here"


def calls_to_fail(stride: int, seed: int) -> Iterator[int]:
    """Numbers of the calls to fail: 1, then every `stride`-th from a start that the seed gives."""
    return chain([1], count(2 + seed % stride, stride))


def failed(answer: Answer) -> bool:
    return isinstance(answer, StorageError)


def comparable(answer: Answer) -> object:
    return (type(answer), str(answer)) if isinstance(answer, HookbundleError) else answer


def records_of(env: Environment) -> dict[bytes, bytes]:
    """All records but the feed's: how its events are split into rows depends on the commits."""
    with env.read() as txn:
        found = {bytes(key): bytes(value) for key, value in txn.cursor()}
    return {key: value for key, value in found.items() if not key.startswith(keyspace.FEED)}


def last_told(env: Environment) -> int:
    return FeedReader(env).ends().next - 1


def facts_of(env: Environment, after: int) -> list[dict[str, Any]]:
    events = FeedReader(env).read(after, EVERY).events
    return [{name: getattr(each, name) for name in each.__struct_fields__} for each in events]
