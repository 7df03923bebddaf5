"""What a window that ends when its chat is quiet costs, beside one of a fixed length.

A conversation is ten messages of a chat, 5 s or 5 min apart, or a single one, and the sealing of
its window. The transitions are applied to a database in a process of their own, of fifty chats in
the same commits, as in a busy daemon, or of one alone. Both kinds take turns. Measured are the
time, and the bytes that are written, which is the pages of LMDB; where valgrind is installed also
the instructions, which hardly depend on the machine.
Run it as `python bench/rules/quiet.py [--quick]`.
"""

import itertools
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Process, Value, median, ratio
from hookbundle.bench.instructions.counting import Counted, can_count
from hookbundle.engine.windows.parsing import written
from hookbundle.storage.database.chat_records import Head, Heads
from hookbundle.storage.database.keeping.kept import Kept
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.sealing import SealDue

HOUR_MS = 3_600_000
KINDS = {"fixed": b"", "quiet": written({"quiet": "10m", "max": "6h"})}
KEPT = Retention(feed_events=1_000)


class Talk(NamedTuple):
    """So many messages of a chat, so far apart; `beside`: chats that share each commit."""

    messages: int
    apart_ms: int
    beside: int


TALKS = {
    "burst": Talk(10, 5_000, 50),
    "slow": Talk(10, 300_000, 50),
    "one": Talk(1, 0, 50),
    "burst_alone": Talk(10, 5_000, 1),
    "one_alone": Talk(1, 0, 1),
}
EACH = list(itertools.product(TALKS, KINDS))

Figures = dict[tuple[str, str], float]


class Rounds(NamedTuple):
    """Of each round, for a message; what is written is the same in all of them."""

    cpu_us: dict[tuple[str, str], list[float]]
    per_s: dict[tuple[str, str], list[float]]
    kib: Figures


def run(quick: bool) -> dict[str, Value]:
    """Of a message: thousands of instructions, KiB written, microseconds of processor time."""
    rounds = _measure(*((3, 200) if quick else (15, 1_000)))
    thousands = _count(50 if quick else 500) if can_count() else {}
    found: dict[str, Value] = {"rounds": len(rounds.cpu_us[EACH[0]])}
    for each in EACH:
        what = "_".join(each)
        if thousands:
            found[f"{what}_thousand_instructions"] = round(thousands[each], 1)
        found[f"{what}_kib_written"] = round(rounds.kib[each], 1)
        found[f"{what}_cpu_us"] = round(median(rounds.cpu_us[each]), 1)
        found[f"{what}_messages_per_s"] = round(median(rounds.per_s[each]))
    for name in TALKS:
        quiet, fixed = (name, "quiet"), (name, "fixed")
        what = f"{name}_quiet_to_fixed"
        if thousands:
            found[f"{what}_instructions"] = round(thousands[quiet] / thousands[fixed], 3)
        found[f"{what}_written"] = round(rounds.kib[quiet] / rounds.kib[fixed], 3)
        found[f"{what}_cpu"] = ratio(rounds.cpu_us[quiet], rounds.cpu_us[fixed])
    return found


def _measure(rounds: int, chats: int) -> Rounds:
    found = Rounds({}, {}, {})
    with harness.data_directory() as data, Process("rules/quiet.py", "worker", data) as worker:
        for _, each in itertools.product(range(rounds), EACH):
            worker.ask(_job(*each, chats))
            said = worker.ask()
            found.cpu_us.setdefault(each, []).append(said["cpu_s"] / said["messages"] * 1e6)
            found.per_s.setdefault(each, []).append(said["messages"] / said["seconds"])
            found.kib[each] = said["written_bytes"] / said["messages"] / 1024
    return found


def _count(chats: int) -> Figures:
    """Thousands of instructions a message, kernel not counted."""
    found: Figures = {}
    with (
        harness.data_directory() as data,
        Counted(data, "rules/quiet.py", "worker", data) as counted,
    ):
        worker = counted.process
        for kind in KINDS:  # what is made once is made
            worker.ask(_job("burst_alone", kind, 2))
            worker.ask()
        for each in EACH:
            worker.ask(_job(*each, chats))
            counted.begin()
            said = worker.ask()
            found[each] = counted.end().all / said["messages"] / 1_000
    return found


def _job(name: str, kind: str, chats: int) -> str:
    """Names conversations; fewer of those whose chats are alone in their commits."""
    beside = TALKS[name].beside
    return f"{name} {kind} {chats // beside if beside > 1 else max(chats // 20, 1)}"


# ---- the process that is measured


class Conversation(NamedTuple):
    """The messages of some chats, those of a commit together."""

    chats: tuple[str, ...]
    commits: tuple[tuple[AcceptMessages, ...], ...]


def work(data: Path) -> None:
    """Does the conversations that a line names when the next line comes, in its databases."""
    databases = {name: Database(data / name, window) for name, window in KINDS.items()}
    numbers = itertools.count()
    for line in sys.stdin:
        name, kind, talks = line.split()
        jobs = [_conversation(TALKS[name], next(numbers)) for _ in range(int(talks))]
        harness.say({"ready": name})
        sys.stdin.readline()
        before_bytes, began_s, cpu_s = _written_bytes(), time.perf_counter(), time.process_time()
        for job in jobs:
            _talk(databases[kind], job)
        said = {
            "messages": sum(len(each) for job in jobs for each in job.commits),
            "cpu_s": time.process_time() - cpu_s,
            "seconds": time.perf_counter() - began_s,
            "written_bytes": _written_bytes() - before_bytes,
        }
        harness.say(said)


class Database:
    """Keeps between its transactions what the Store does."""

    def __init__(self, path: Path, window: bytes) -> None:
        filling.fill(path, 1, aggregation_ms=HOUR_MS, url="", window=window)
        self.env = open_environment(path, filling.now_ms())
        self._kept = Kept()
        self._heads = Heads()
        with self.unit() as unit:
            self.webhook = unit.workspace("ws0").first.number

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        with self.env.write() as txn:
            unit = Unit(txn, self.env.identity, self._kept, retention=KEPT, heads=self._heads)
            yield unit
            unit.flush()


def _conversation(talk: Talk, number: int) -> Conversation:
    chats = tuple(f"15550100-{number}-{chat}@c.us" for chat in range(talk.beside))
    began_ms = filling.now_ms() + number * HOUR_MS
    heads = [Head() for _ in chats]

    def message(chat: int, turn: int) -> AcceptMessages:
        made = filling.accepting(1, chats[chat], turn, began_ms + turn * talk.apart_ms)
        return replace(made, head=heads[chat]) if turn else made  # as the actor of a chat

    turns = ([message(chat, turn) for chat in range(talk.beside)] for turn in range(talk.messages))
    return Conversation(chats, tuple(map(tuple, turns)))


def _talk(database: Database, job: Conversation) -> None:
    """Accepts the messages of the chats, and seals their windows."""
    ends_ms: list[int] = []
    for transitions in job.commits:
        with database.unit() as unit:
            ends_ms.clear()
            for transition in transitions:
                result = table.apply(unit, transition)
                assert isinstance(result, Accepted)
                ends_ms.append(result.due_ms)
    ends = zip(ends_ms, job.chats, strict=True)
    rows = tuple(Due(at, DueKind.WINDOW, database.webhook, chat.encode()) for at, chat in ends)
    with database.unit() as unit:
        table.apply(unit, SealDue(rows, max(ends_ms), "the inbox"))
    database.env.grow_if_needed()


def _written_bytes() -> int:
    """What the process has handed to the kernel so far in calls that write."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar:"))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["worker", data]:
            work(Path(data))
        case _:
            harness.show("Quiet windows beside fixed ones", run(quick="--quick" in sys.argv))
