"""The files of the Unix sockets: if one is removed while the daemon runs, it is made again.

A program that tidies a runtime directory may remove a socket's file. The socket goes on listening,
but nobody can find it any more: no command reaches the daemon, and a second daemon can't start,
because the first one uses the data. So the files are looked for every EVERY_S seconds, and at once
on a reload.
"""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from hookbundle.engine.errors import ConfigError

EVERY_S = 20.0

Identity = tuple[int, int]

log = structlog.get_logger(__name__)


class Listening(Protocol):
    """A socket that listens. `identity`: of its file when it was made."""

    @property
    def path(self) -> Path: ...

    @property
    def identity(self) -> Identity | None: ...

    async def open_again(self) -> None:
        """Listens on a new socket at the path, and no longer on the old one.

        Raises: ConfigError or OSError if there can be none; then the old one still listens.
        """


def identity_of(path: Path) -> Identity | None:
    """The file at the path, whatever it is; None if there is none."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove(listening: Listening) -> None:
    """The socket's file is gone, unless it is another one by now."""
    if listening.identity is not None and identity_of(listening.path) == listening.identity:
        with suppress(OSError):
            os.unlink(listening.path)


class SocketWatch:
    """Looks for the files until it is closed. `start()`, then `close()`."""

    def __init__(self, sockets: Sequence[Listening], every_s: float = EVERY_S) -> None:
        self._sockets = sockets
        self._every_s = every_s
        self._asked = asyncio.Event()
        self._failed: dict[Path, str] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._watch())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def look(self) -> None:
        """Soon, and not only after `every_s`."""
        self._asked.set()

    async def _watch(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._asked.wait()
            self._asked.clear()
            for listening in self._sockets:
                if identity_of(listening.path) != listening.identity:
                    await self._open_again(listening)

    async def _open_again(self, listening: Listening) -> None:
        path = listening.path
        try:
            await listening.open_again()
        except (ConfigError, OSError) as exc:
            if self._failed.get(path) != str(exc):  # said once, not every time
                log.error("socket not made again", socket=str(path), error=str(exc))
            self._failed[path] = str(exc)
            return
        self._failed.pop(path, None)
        log.warning("socket made again: its file was gone", socket=str(path))
