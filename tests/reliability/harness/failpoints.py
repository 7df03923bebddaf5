"""The points at which a daemon of the crash tests is killed, and the command that runs it.

    python -m hookbundle.tests.reliability.harness.failpoints F9 2 run

is `hookbundle run`, but the second time that F9 is passed the process kills itself, as kill -9
would. The product has no code for this: its functions are wrapped before it starts, so a failpoint
that is off costs nothing. If such a function was renamed, the process ends before it is a daemon.

F7 (the body was sent, and no answer has come) is not here: only the receiver knows that moment, and
it kills the daemon then (crashing.py).
"""

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lmdb

from hookbundle import cli
from hookbundle.actors import due_work
from hookbundle.actors.mailer import MailerActor
from hookbundle.actors.outbound import connection
from hookbundle.actors.outbound.answer import Answer
from hookbundle.actors.outbound.connection import ReceiverConnection
from hookbundle.actors.outbound.connector import WebhookConnector
from hookbundle.actors.store import Store
from hookbundle.actors.turns import Work
from hookbundle.actors.webhook import WebhookActor
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Rejected
from hookbundle.server.daemon import partition
from hookbundle.server.daemon.shutdown import ShutdownDeadline
from hookbundle.server.feed.subscription import Feed
from hookbundle.storage.database import files, opening
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.transitions import accepting, sealing
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.repeating.replaying import CancelReplay, StartReplay
from hookbundle.storage.transitions.repeating.resending import ResendDelivery
from hookbundle.storage.transitions.sealing import SealDue, SealWindow
from hookbundle.storage.transitions.timed import erase_steps
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.replay_steps import ReplayStep
from hookbundle.tests.reliability.harness.wrapping import Call, Point, after, before, replace

TURNS = 100  # of the loop: enough for a premature answer to reach its client
ROOM_BYTES = 256 * 1024  # free in a map that is made small, so that it soon has to grow
PIECE_BYTES = 64  # of a body, which is longer
RECORDS_A_STEP = 2  # of an erasure, so that it has several


def asks_for(*kinds: type) -> Callable[[Sequence[Work]], bool]:
    """Whether a group of work of the Store contains a transition of these types."""
    return lambda group: any(isinstance(work.transition, kinds) for work in group)


# ---- the points, in the order in which a message passes them


def f1(point: Point) -> None:
    """Intake is handed to the Store; no transaction has begun."""
    intake = asks_for(AcceptMessages)
    before(Store, "_commit", point, lambda _store, group, _works: intake(group))


def f1_late(point: Point) -> None:
    """Intake is written but not committed.

    The loop gets some turns first, so that an answer given too early would reach its client.
    """
    intake = asks_for(AcceptMessages)
    groups: list[tuple[asyncio.AbstractEventLoop, list[Work]]] = []

    def committing(store: Store, group: list[Work], works: Iterable[Work]) -> Any:
        groups[:] = [(store._loop, group)]  # which `works` fills
        return commit(store, group, works)

    @contextmanager
    def writing(env: Environment) -> Iterator[lmdb.Transaction]:
        with write(env) as txn:
            yield txn
            for loop, group in groups:
                if intake(group) and point.is_near:
                    asyncio.run_coroutine_threadsafe(_turns(), loop).result()
                if intake(group):
                    point.passed()

    commit = replace(Store, "_commit", committing)
    write = replace(Environment, "write", writing)


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def f2(point: Point) -> None:
    """Intake (or the answer to an idempotency key) is committed, but not answered."""
    intake = asks_for(AcceptMessages, AnswerRequest)
    before(Store, "_answer", point, lambda _store, group, _results: intake(group))


def f3(point: Point) -> None:
    """A window is sealed in a transaction that is not committed yet."""
    after(sealing, "seal", point)


def f4(point: Point) -> None:
    """A window is sealed and committed, but not answered."""
    sealed = asks_for(SealDue, SealWindow)
    before(Store, "_answer", point, lambda _store, group, _results: sealed(group))


def f5(point: Point) -> None:
    """The receiver is connected, and nothing is sent."""
    after(WebhookConnector, "connection", point)


def f6(point: Point) -> None:
    """A piece of the body is sent, and no more."""
    replace(connection, "PIECE_BYTES", PIECE_BYTES)
    first = PIECE_BYTES
    before(ReceiverConnection, "_send_more", point, lambda _to, _body, sent: sent == first)


def f8(point: Point) -> None:
    """The head of the response is read."""
    after(Answer, "_end_head", point)


def f9(point: Point) -> None:
    """The receiver has answered 200; the outcome is not committed."""
    before(WebhookActor, "_finish", point, _ended_with(Delivered))


def f10(point: Point) -> None:
    """Events are committed, and no reader of the feed has been notified."""
    before(Feed, "committed", point, lambda feed, feed_next: feed_next > feed.next)


def f11(point: Point) -> None:
    """The receiver has answered with an error, which is not counted yet."""
    before(WebhookActor, "_finish", point, _ended_with(Failed, Rejected))


def _ended_with(*kinds: type) -> Call:
    return lambda _actor, _begun, finish: isinstance(finish.outcome, kinds)


def f12(point: Point) -> None:
    """The webhook is disabled; the mail to its owner is not sent."""
    before(MailerActor, "_deliver", point)


def f13(point: Point) -> None:
    """The mail server has taken the mail; the outcome is not committed."""
    after(MailerActor, "_deliver", point, lambda failure: failure is None)


def f14(point: Point) -> None:
    """A chat or workspace is deleted and not erased, or erased in part, in or between two steps."""
    replace(due_work, "ERASE_AT_ONCE", RECORDS_A_STEP)
    deletes = asks_for(DeleteChat, DeleteWorkspace, EraseStep)
    before(Store, "_answer", point, lambda _store, group, _results: deletes(group))
    after(erase_steps, "erase_step", point)


def f15(point: Point) -> None:
    """A database is being made. (Upgrading one has its tests in storage/maintenance/migration.)"""
    before(opening, "_make", point)
    after(opening, "_mapped", point)
    before(files, "sync", point)
    after(files, "clear_leftovers", point)
    before(files, "write_marker", point)


def f16(point: Point) -> None:
    """The map has grown, and the group that made it grow is not answered."""

    def opened_tight(path: Path, now_ms: int) -> Environment:
        data = path / files.DATA
        pages = data.stat().st_size // 4_096 if data.exists() else 0
        opened: Environment = opened_as_always(
            path, now_ms, map_bytes=pages * 4_096 * 4 // 3 + ROOM_BYTES
        )
        return opened

    opened_as_always = replace(partition, "open_environment", opened_tight)
    after(Environment, "grow_if_needed", point, bool)


def f17(point: Point) -> None:
    """The daemon is stopping, and waits for its parts one after another."""
    before(ShutdownDeadline, "wait", point)


def f18(point: Point) -> None:
    """A replay is begun, put or taken back in part: one delivery a step, and nobody is answered."""
    replace(due_work, "REPLAY_AT_ONCE", 1)
    repeats = asks_for(StartReplay, CancelReplay, ReplayStep, ResendDelivery)
    before(Store, "_answer", point, lambda _store, group, _results: repeats(group))


def f19(point: Point) -> None:
    """One more webhook is about to get the messages; nothing is committed yet."""
    before(accepting, "_offer", point)


POINTS: dict[str, Callable[[Point], None]] = {
    "F1": f1,
    "F1 late": f1_late,
    "F2": f2,
    "F3": f3,
    "F4": f4,
    "F5": f5,
    "F6": f6,
    "F8": f8,
    "F9": f9,
    "F10": f10,
    "F11": f11,
    "F12": f12,
    "F13": f13,
    "F14": f14,
    "F15": f15,
    "F16": f16,
    "F17": f17,
    "F18": f18,
    "F19": f19,
}


def command(point: str, nth: int) -> list[str]:
    """The command to run in place of `hookbundle`."""
    return [sys.executable, "-m", __name__, point, str(nth)]


def main(point: str, nth: str, *arguments: str) -> None:
    POINTS[point](Point(int(nth)))
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])
