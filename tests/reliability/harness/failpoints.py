"""The points at which a daemon of the battery dies, and the daemon that dies there.

    python -m hookbundle.tests.reliability.harness.failpoints F9 2 run

is `hookbundle run`, but the second time that F9 is passed the process kills itself, as kill -9
would. The product knows nothing of this: functions of it are replaced before it starts, so what a
failpoint costs when it is off is nothing at all. One whose function was renamed ends the process
before it is a daemon.

F7 is not here: that a body was sent and no answer has come, its receiver knows best (witness.py).
"""

import asyncio
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import lmdb

from hookbundle import cli
from hookbundle.actors import timer
from hookbundle.actors.mailer import MailerActor
from hookbundle.actors.outbound import client
from hookbundle.actors.store import Store
from hookbundle.actors.store_queue import Work
from hookbundle.actors.webhook import WebhookActor
from hookbundle.engine.delivery.attempts import Delivered, Failed, Rejected
from hookbundle.server.daemon import process
from hookbundle.server.daemon.shutdown import Patience
from hookbundle.server.feed.subscription import Feed
from hookbundle.storage.database import environment, files
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.transitions import erase_steps, sealing
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.erase_steps import EraseStep
from hookbundle.storage.transitions.erasing import DeleteChat, DeleteWorkspace
from hookbundle.storage.transitions.idempotency import AnswerRequest
from hookbundle.storage.transitions.sealing import SealDue, SealWindow
from hookbundle.tests.reliability.harness.wrapping import Call, Point, after, before, replace

TURNS = 100  # of the loop, in which an answer that was given too early reaches its client
ROOM_BYTES = 256 * 1024  # until a map that is made tight has to grow
RECORDS_A_STEP = 2  # of an erasure, so that it has several


def asks_for(*kinds: type) -> Callable[[Sequence[Work]], bool]:
    """Whether a group of the Store's has such a transition."""
    return lambda group: any(isinstance(work.transition, kinds) for work in group)


# ---- the points, in the order of a message's way


def f1(point: Point) -> None:
    """Intake is handed to the Store, and no transaction begun."""
    intake = asks_for(AcceptMessages)
    before(Store, "_commit", point, lambda _store, group: intake(group))


def f1_late(point: Point) -> None:
    """Intake is written, and not committed; an answer too early has had its time to get out."""
    intake = asks_for(AcceptMessages)
    loops: list[asyncio.AbstractEventLoop] = []

    def committing(store: Store, group: list[Work]) -> Any:
        loops[:] = [store._loop] if intake(group) else []
        return commit(store, group)

    @contextmanager
    def writing(env: Environment) -> Iterator[lmdb.Transaction]:
        with write(env) as txn:
            yield txn
            if loops and point.is_near:
                asyncio.run_coroutine_threadsafe(_turns(), loops[0]).result()
            if loops:
                point.passed()

    commit = replace(Store, "_commit", committing)
    write = replace(Environment, "write", writing)


async def _turns() -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)


def f2(point: Point) -> None:
    """Intake is committed, its answer not given; also that to an idempotency key."""
    intake = asks_for(AcceptMessages, AnswerRequest)
    before(Store, "_answer", point, lambda _store, group, _outcomes: intake(group))


def f3(point: Point) -> None:
    """A window is sealed in a transaction that is not committed."""
    after(sealing, "seal", point)


def f4(point: Point) -> None:
    """A window is sealed, and nobody told."""
    sealed = asks_for(SealDue, SealWindow)
    before(Store, "_answer", point, lambda _store, group, _outcomes: sealed(group))


def f5(point: Point) -> None:
    """Connected to the receiver, nothing sent."""
    after(client._Connector, "connect", point)


def f6(point: Point) -> None:
    """Half of the body is sent."""

    class InHalves(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            whole = self.getbuffer().nbytes
            if 0 < self.tell() < whole:
                point.passed()
            return super().read((whole + 1) // 2)

    replace(client, "PLAIN_BODY_BYTES_MAX", 0)
    replace(client, "io", SimpleNamespace(BytesIO=InHalves))


def f8(point: Point) -> None:
    """The head of the response is read."""
    after(aiohttp.ClientResponse, "start", point)


def f9(point: Point) -> None:
    """The receiver has taken the delivery; that is not committed."""
    before(WebhookActor, "_finish", point, _ended_with(Delivered))


def f10(point: Point) -> None:
    """Facts are committed, and no reader of the feed knows that there are any."""
    before(Feed, "committed", point, lambda feed, feed_next: feed_next > feed.next)


def f11(point: Point) -> None:
    """The receiver has answered with an error; it is not counted."""
    before(WebhookActor, "_finish", point, _ended_with(Failed, Rejected))


def _ended_with(*kinds: type) -> Call:
    return lambda _actor, _begun, finish: isinstance(finish.result, kinds)


def f12(point: Point) -> None:
    """The webhook is disabled, its owner's mail not on the way."""
    before(MailerActor, "_deliver", point)


def f13(point: Point) -> None:
    """The mail server has taken the mail; that is not committed."""
    after(MailerActor, "_deliver", point, lambda failure: failure is None)


def f14(point: Point) -> None:
    """Something is deleted, and not yet erased; or erased in part, within a step or between two."""
    replace(timer, "ERASE_AT_ONCE", RECORDS_A_STEP)
    deletes = asks_for(DeleteChat, DeleteWorkspace, EraseStep)
    before(Store, "_answer", point, lambda _store, group, _outcomes: deletes(group))
    after(erase_steps, "erase_step", point)


def f15(point: Point) -> None:
    """A database is being made. (There is no older schema to come from yet.)"""
    before(environment, "_make", point)
    after(environment, "_mapped", point)
    before(files, "sync", point)
    after(files, "clear_leftovers", point)
    before(files, "write_marker", point)


def f16(point: Point) -> None:
    """The map has grown, and what made it grow is not answered."""

    def opened_tight(path: Path, now_ms: int) -> Environment:
        data = path / files.DATA
        pages = data.stat().st_size // 4_096 if data.exists() else 0
        opened: Environment = opened_as_always(
            path, now_ms, map_bytes=pages * 4_096 * 4 // 3 + ROOM_BYTES
        )
        return opened

    opened_as_always = replace(process, "open_environment", opened_tight)
    after(Environment, "grow_if_needed", point, bool)


def f17(point: Point) -> None:
    """The daemon is stopping, and waits for its parts one after the other."""
    before(Patience, "wait", point)


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
}


def command(point: str, nth: int) -> list[str]:
    """What is run in place of `hookbundle`."""
    return [sys.executable, "-m", __name__, point, str(nth)]


def main(point: str, nth: str, *arguments: str) -> None:
    POINTS[point](Point(int(nth)))
    cli.main(list(arguments), prog_name="hookbundle")


if __name__ == "__main__":
    main(*sys.argv[1:])
