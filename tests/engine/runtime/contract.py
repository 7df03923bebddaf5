"""One actor for both of Pykka's kinds, and a runtime to start it on: thread or loop."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pykka

from hookbundle.engine.runtime.loop_actor import LoopActor

SOON_S = 10
"""A time limit no test reaches unless something is broken."""
HANGS_S = 0.05
"""Long enough to conclude that no answer comes."""

T = TypeVar("T")


class Doom(BaseException):
    pass


class Notes(list[Any]):
    """What happened to an actor; `over` is set when its last hook has run."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def end_with(self, note: str) -> bool:
        return self.over.wait(SOON_S) and self[-1] == note


class Notebook:
    """Mixed into either kind of actor: notes everything that happens to it."""

    actor_ref: Any

    def __init__(self, notes: Notes, gate: threading.Event | None = None) -> None:
        super().__init__()
        self.notes = notes
        self.gate = gate
        self.colour = "blue"
        self.inside = 0

    def on_start(self) -> None:
        self.notes.append("start")

    def on_stop(self) -> None:
        self.notes.append("stop")
        self.notes.over.set()

    def on_failure(self, kind: Any, error: Any, traceback: Any) -> None:
        self.notes.append(f"failure {kind.__name__}")
        self.notes.over.set()

    def on_receive(self, message: Any) -> Any:
        if message == "wait":
            assert self.gate is not None
            self.gate.wait(SOON_S)
        if isinstance(message, BaseException):
            raise message
        self.notes.append(message)
        return f"re: {message}"

    def add(self, first: int, second: int) -> int:
        return first + second

    def fail(self) -> None:
        raise KeyError("no such thing")

    async def add_later(self, first: int, second: int) -> int:
        return first + second

    def enter(self) -> int:
        self.inside += 1
        most = self.inside
        for _ in range(50):
            most = max(most, self.inside)
        self.inside -= 1
        return most


class BadStart(Notebook):
    def on_start(self) -> None:
        raise ValueError("can't start")


class BadStop(Notebook):
    def on_stop(self) -> None:
        super().on_stop()
        raise ValueError("can't stop")


class BadFailure(Notebook):
    def on_failure(self, kind: Any, error: Any, traceback: Any) -> None:
        super().on_failure(kind, error, traceback)
        raise ValueError("can't even fail")


class Runtime:
    base: type[pykka.Actor] = pykka.ThreadingActor

    def start(self, behaviour: type[Any], *args: Any) -> Any:
        kind = type(behaviour.__name__, (behaviour, self.base), {})
        return self.call(lambda: kind.start(*args))  # type: ignore[attr-defined]

    def call(self, function: Callable[[], T]) -> T:
        return function()

    def close(self) -> None:
        pykka.ActorRegistry.stop_all(timeout=SOON_S)


class LoopRuntime(Runtime):
    base = LoopActor

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def call(self, function: Callable[[], T]) -> T:
        async def on_the_loop() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(on_the_loop(), self.loop).result(SOON_S)

    def close(self) -> None:
        super().close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SOON_S)
        self.loop.close()


def is_on_the_loop(runtime: Runtime) -> bool:
    return isinstance(runtime, LoopRuntime)
