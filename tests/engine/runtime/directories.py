"""A directory of chat actors, with everything that happens around it recorded."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hookbundle.engine.errors import (
    HookbundleError,
)
from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.supervisor import RestartIntensity

SOON_S = 10


class Chat(LoopActor):
    """Notes its messages in the directory's `book`. It raises errors and waits for events."""

    def __init__(self, key: str, directory: "DirectoryUnderTest") -> None:
        super().__init__(key)
        self.key = key
        self.directory = directory
        self.has_work_under_way = False

    def on_start(self) -> Any:
        if self.key in self.directory.broken_starts:
            raise self.directory.broken_starts[self.key]

    def on_stop(self) -> None:
        self.directory.stopped.append(self.key)

    def is_idle(self) -> bool:
        return not self.has_work_under_way

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, BaseException):
            raise message
        if isinstance(message, asyncio.Event):
            return message.wait()
        self.directory.book.append((self.key, message))
        return message


@dataclass
class DirectoryUnderTest:
    """A directory, with everything around it recorded."""

    active_max: int = 100
    failures_max: int = 2
    now_ms: int = 1_000_000
    book: list[tuple[str, Any]] = field(default_factory=list)
    activated: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    dead: list[tuple[str, Any, HookbundleError]] = field(default_factory=list)
    quarantines: list[tuple[str, Exception]] = field(default_factory=list)
    broken: dict[str, Exception] = field(default_factory=dict)
    broken_starts: dict[str, Exception] = field(default_factory=dict)
    broken_callbacks: bool = False

    def __post_init__(self) -> None:
        self.directory: Directory[str, Any] = Directory(
            name="chat",
            activate=self.activate,
            active_max=self.active_max,
            intensity=RestartIntensity(
                failures_max=self.failures_max, period_ms=1_000, quarantine_ms=5_000
            ),
            now_ms=lambda: self.now_ms,
            on_dead_letter=self.on_dead_letter,
            on_quarantine=self.on_quarantine,
        )

    def activate(self, key: str) -> LoopActor:
        self.activated.append(key)
        if key in self.broken:
            raise self.broken[key]
        return Chat(key, self)

    def on_dead_letter(self, key: str, message: Any, error: HookbundleError) -> None:
        self.dead.append((key, message, error))
        if self.broken_callbacks:
            raise RuntimeError("on_dead_letter is broken")

    def on_quarantine(self, key: str, error: Exception) -> None:
        self.quarantines.append((key, error))
        if self.broken_callbacks:
            raise RuntimeError("on_quarantine is broken")

    def tell(self, key: str, *messages: Any) -> None:
        for message in messages:
            self.directory.tell(key, message)

    def actor(self, key: str) -> Any:
        actor = self.directory.active(key)
        assert actor is not None
        return actor

    async def handled(self) -> None:
        """Every message sent so far has been handled."""
        for _ in range(10):
            await asyncio.sleep(0)
