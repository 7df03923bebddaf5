"""What the Store alone does for a message, a delivery, a window: thousands of instructions.

The Store of the daemon runs in a process of its own, on the thread that submits to it, so that all
that is counted is its work: from the queue to the commit, and what it hands back. What a chat's or
a webhook's actor would submit is made before. Instructions are callgrind's, the kernel's not
counted; they hardly depend on the machine. Time stands still, so nothing is done by the clock.

Run it as `python bench/alone/store.py [--quick] [KIND…]`.
"""

import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from hookbundle.bench import filling, harness
from hookbundle.bench.alone.on_this_thread import WORKSPACES, Alone, filled
from hookbundle.bench.harness import Value
from hookbundle.bench.instructions import counting
from hookbundle.bench.instructions.counting import Counted
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered
from hookbundle.storage.database.chat_records import Head
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt
from hookbundle.storage.transitions.sealing import SealDue
from hookbundle.storage.transitions.table import Result, Transition

DAY_MS = 86_400_000
QUEUED = 60  # deliveries of each webhook


class Kind(NamedTuple):
    """`chats`: of a commit, which are of so many workspaces; `messages`: of each of them.

    `opens`: each chat is a new one.
    """

    chats: int
    messages: int
    workspaces: int = 1
    opens: bool = False


MESSAGES = {
    "single": Kind(16, 1, workspaces=10),
    "single_alone": Kind(1, 1),
    "single_opens": Kind(16, 1, workspaces=10, opens=True),
    "many": Kind(100, 1),
    "many_opens": Kind(100, 1, opens=True),
    "one": Kind(1, 100),
}
DELIVERIES = {"delivery": WORKSPACES, "delivery_alone": 1}
SEALED = {"sealed": 100}  # windows of a commit, each of its chat, of ten workspaces
KINDS = (*MESSAGES, *DELIVERIES, *SEALED)


def run(quick: bool, kinds: tuple[str, ...] = KINDS) -> dict[str, Value]:
    """Thousands of instructions of a message, of a delivery, or of a window that is sealed."""
    if not counting.can_count():
        return {}
    found: dict[str, Value] = {}
    with (
        harness.data_directory() as data,
        Counted(data, "alone/store.py", "worker", data) as counted,
    ):
        for kind in kinds:
            for is_counted in (False, True):  # what is made once is made
                counted.process.ask(f"{kind} {_commits(kind, quick)}")
                if is_counted:
                    counted.begin()
                said = counted.process.ask()
            found[f"{kind}_thousand_instructions"] = round(
                counted.end().all / said["of"] / 1_000, 1
            )
    return found


def _commits(kind: str, quick: bool) -> int:
    if kind in DELIVERIES:
        return QUEUED // 4 if quick else QUEUED // 2 - 1
    if kind in SEALED:
        return 4 if quick else 20
    each = MESSAGES[kind].chats * MESSAGES[kind].messages
    return max((320 if quick else 3_200) // each, 3)


# ---- the process that is measured


class Messages:
    """Makes the messages of a kind, of chats whose windows are open unless they open them."""

    def __init__(self, store: Alone) -> None:
        self._store = store
        self._heads: dict[tuple[int, str], Head] = {}
        self._turn = 0
        self._ids = count(1)

    def job(self, kind: str, commits: int) -> Callable[[], int]:
        shape = MESSAGES[kind]
        made = [self._commit(kind, shape, number) for number in range(commits)]
        if not shape.opens:
            for transitions in made[:WORKSPACES]:  # the others are of the same chats
                self._store.commit([self._opening(each) for each in transitions])

        def job() -> int:
            for transitions in made:
                self._store.commit(transitions)
            return commits * shape.chats * shape.messages

        return job

    def _commit(self, kind: str, shape: Kind, number: int) -> list[Transition]:
        """Workspaces take turns, and each has its chats again and again."""
        self._turn += 1
        first = self._turn * shape.chats if shape.opens else 0
        return [
            self._accepting(
                1 + (number + chat % shape.workspaces) % WORKSPACES,
                f"15550100-{kind}-{first + chat}@c.us",
                shape,
            )
            for chat in range(shape.chats)
        ]

    def _accepting(self, workspace: int, chat: str, shape: Kind) -> AcceptMessages:
        now_ms = self._store.clock.now_ms()
        ids = [next(self._ids) for _ in range(shape.messages)]
        made = [filling.accepting(workspace, chat, each, now_ms) for each in ids]
        messages = tuple(each.messages[0] for each in made)
        # As the actor of a chat, which has a head from the second message on.
        head = None if shape.opens else self._heads.setdefault((workspace, chat), Head())
        return replace(made[0], messages=messages, head=head)

    def _opening(self, transition: Transition) -> AcceptMessages:
        """A message of the same chat before it: its window is open, and its head has its record."""
        assert isinstance(transition, AcceptMessages)
        made = self._accepting(transition.workspace_number, transition.chat_id, Kind(1, 1))
        return replace(made, head=transition.head)


class Windows:
    """Windows with a message each, which are due."""

    def __init__(self, store: Alone) -> None:
        self._store = store
        self._chats = count(1)

    def job(self, kind: str, commits: int) -> Callable[[], int]:
        made = [self._due(SEALED[kind]) for _ in range(commits)]

        def job() -> int:
            for transition in made:
                self._store.commit([transition])
            return commits * SEALED[kind]

        return job

    def _due(self, windows: int) -> SealDue:
        now_ms = self._store.clock.now_ms()
        chats = [(1 + turn % 10, f"15550100-{next(self._chats)}@c.us") for turn in range(windows)]
        opened = self._store.commit(
            [filling.accepting(workspace, chat, 1, now_ms) for workspace, chat in chats]
        )
        rows = []
        for (workspace, chat), result in zip(chats, opened, strict=True):
            assert isinstance(result, Accepted)
            rows.append(Due(result.due_ms, DueKind.WINDOW, workspace, chat.encode()))
        return SealDue(tuple(rows), max(row.at_ms for row in rows), "the inbox")


class Deliveries:
    """Webhooks send their deliveries to a receiver that takes each."""

    def __init__(self, store: Alone) -> None:
        self._store = store

    def job(self, kind: str, commits: int) -> Callable[[], int]:
        webhooks = range(1, 1 + DELIVERIES[kind])
        now_ms = self._store.clock.now_ms()
        begun = self._store.commit([BeginAttempt(webhook, now_ms) for webhook in webhooks])

        def job() -> int:
            going_on = begun
            for turn in range(commits):
                go_on = turn < commits - 1
                outcomes = [self._outcome(each, go_on=go_on) for each in going_on]
                going_on = self._store.commit(outcomes)
            return commits * len(webhooks)

        return job

    def _outcome(self, begun: Result, *, go_on: bool) -> FinishAttempt:
        assert isinstance(begun, Begun)
        now_ms = self._store.clock.now_ms()
        return FinishAttempt(
            webhook=begun.workspace,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=Delivered(200),
            result=_exchange(begun, now_ms),
            now_ms=now_ms,
            spread=0.0,
            policy=BackoffPolicy(),
            go_on=go_on,
        )


def _exchange(begun: Begun, at_ms: int) -> Attempt:
    signature = "v1,dGhlIHNpZ25hdHVyZSBvZiB0aGlzIG9uZSByZXF1ZXN0IDMy"
    return Attempt(
        at_ms=at_ms,
        url=begun.url,
        request_headers=(
            ("Content-Type", "application/json; charset=utf-8"),
            ("User-Agent", "hookbundle/0.2.0"),
            ("webhook-id", begun.delivery_id),
            ("webhook-timestamp", "1767225600"),
            ("webhook-signature", signature),
        ),
        outcome="delivered",
        status=200,
        response_headers=(("Content-Type", "text/plain"), ("Content-Length", "2")),
        response_body=b"ok",
        duration_ms=3,
    )


def work(data: Path) -> None:
    """Does the job that a line names when the next line comes."""
    job_of = _jobs(data)
    for line in sys.stdin:
        kind, commits = line.split()
        job = job_of(kind, int(commits))
        harness.say({"ready": kind})
        sys.stdin.readline()
        harness.say({"of": job()})


def _jobs(data: Path) -> Callable[[str, int], Callable[[], int]]:
    messages = Messages(Alone(filled(data / "messages", aggregation_ms=DAY_MS)))
    queued = filled(data / "deliveries", aggregation_ms=0, deliveries=QUEUED)
    deliveries = Deliveries(Alone(queued))

    windows = Windows(Alone(filled(data / "windows", aggregation_ms=DAY_MS)))

    def job_of(kind: str, commits: int) -> Callable[[], int]:
        if kind in SEALED:
            return windows.job(kind, commits)
        return (deliveries if kind in DELIVERIES else messages).job(kind, commits)

    return job_of


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["worker", data]:
            work(Path(data))
        case given:
            some = tuple(each for each in given if each in KINDS)
            harness.show("The Store alone", run("--quick" in given, some or KINDS))
