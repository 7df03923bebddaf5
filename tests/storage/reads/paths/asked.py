"""Short ways to ask what became of a message."""

from collections.abc import Generator
from typing import TypeVar

from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.message_path import MessagePath, MessagePaths
from hookbundle.tests.storage.scratch import ScratchDatabase

SECOND_MS = 1_000

R = TypeVar("R")


def whole(work: Generator[None, None, R]) -> R:
    """What the work returns, without a rest."""
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: R = done.value
            return found


def path(db: ScratchDatabase, message: str, chat: str = "c", **bounds: int) -> MessagePath:
    paths = MessagePaths(db.env, **bounds)
    return whole(paths.path("acme", chat, message, Moment(db.now_ms)))


def code(db: ScratchDatabase, message: str, chat: str = "c") -> str:
    became = path(db, message, chat).became
    assert became is not None
    return became.code.value


def told(found: MessagePath) -> list[tuple[str, str]]:
    """Each webhook with what became of the message there."""
    return [(each.group.webhook, each.group.became.code.value) for each in found.webhooks]


def commits(db: ScratchDatabase, count: int) -> None:
    """Rows of the feed, a second apart, that are of other chats."""
    for number in range(count):
        db.now_ms += SECOND_MS
        db.accept(f"{db.now_ms}-{number}", chat=f"other{number % 7}")
