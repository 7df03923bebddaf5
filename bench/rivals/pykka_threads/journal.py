"""The log of the plain-Pykka rival: what is in it was on disk before anybody was told.

One JSON array a line: `["m", ws, chat, due_ms, event]` a message, `["s", bundle, ws, chat, count]`
the bundle of a chat's first so many messages, `["d", bundle]` that it was delivered. The actor that
writes it syncs when its inbox is empty, so those who come together wait for one fsync. At the start
the log is read, and what is still open is written to a new one.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pykka

Line = list[Any]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Append:
    """`then` is called, in the journal's thread, when the lines are on disk."""

    lines: Sequence[Line]
    then: Callable[[], None]


@dataclass(slots=True)
class Left:
    """What a log leaves to do."""

    chats: dict[tuple[str, str], list[tuple[int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    bundles: dict[int, tuple[str, list[str]]] = field(default_factory=dict)
    last_bundle: int = 0

    def lines(self) -> list[Line]:
        """The shortest log that leaves this."""
        bundled: list[Line] = []
        for number, (ws, events) in self.bundles.items():
            # A chat's name matters to its open messages only; these have left it.
            chat = f"bundle {number}"
            bundled += [["m", ws, chat, 0, event] for event in events]
            bundled.append(["s", number, ws, chat, len(events)])
        waiting: list[Line] = [
            ["m", ws, chat, due_ms, event]
            for (ws, chat), messages in self.chats.items()
            for due_ms, event in messages
        ]
        return bundled + waiting


class Journal(pykka.ThreadingActor):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("ab")
        self._unsynced: list[Callable[[], None]] = []

    def on_receive(self, message: Append) -> None:
        self._file.write(_bytes_of(message.lines))
        self._unsynced.append(message.then)
        if self.actor_inbox.empty():
            _sync(self._file.fileno(), self._file.flush)
            for then in self._unsynced:
                then()
            self._unsynced.clear()

    def on_stop(self) -> None:
        self._file.close()


def read(path: Path) -> Left:
    """What the log leaves; it is a short one afterwards."""
    left = Left()
    if path.exists():
        for line in path.read_bytes().split(b"\n")[:-1]:  # what has no end was not answered
            _apply(left, msgspec.json.decode(line))
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(_bytes_of(left.lines()))
        _sync(file.fileno(), file.flush)
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return left


def _apply(left: Left, line: Line) -> None:
    match line:
        case ["m", ws, chat, due_ms, event]:
            left.chats[ws, chat].append((due_ms, event))
        case ["s", number, ws, chat, count]:
            messages = left.chats[ws, chat]
            left.bundles[number] = (ws, [event for _, event in messages[:count]])
            del messages[:count]
            if not messages:
                del left.chats[ws, chat]
            left.last_bundle = max(left.last_bundle, number)
        case ["d", number]:
            del left.bundles[number]
        case _:
            raise ValueError(f"no line of ours: {line}")


def _bytes_of(lines: Sequence[Line]) -> bytes:
    return b"".join(_encode(line) + b"\n" for line in lines)


def _sync(descriptor: int, flush: Callable[[], None]) -> None:
    flush()
    os.fdatasync(descriptor)
