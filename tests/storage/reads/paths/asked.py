"""Short ways to ask what became of a message."""

from hookbundle.storage.reads.paths.asking import Moment
from hookbundle.storage.reads.paths.message_path import MessagePath, MessagePaths
from hookbundle.tests.storage.scratch import (
    ScratchDatabase,
)


def path(db: ScratchDatabase, message: str, chat: str = "c", **bounds: int) -> MessagePath:
    return MessagePaths(db.env, **bounds).path("acme", chat, message, Moment(db.now_ms))


def code(db: ScratchDatabase, message: str, chat: str = "c") -> str:
    became = path(db, message, chat).became
    assert became is not None
    return became.code.value
