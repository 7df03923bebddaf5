"""The Store of the daemon on the thread that submits to it: all that is counted is its work.

Time stands still, so nothing is done by the clock.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hookbundle.actors.store import Store, StoreConfig
from hookbundle.actors.store_queue import Commit, StoreQueue
from hookbundle.bench import filling
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication.agreement import Agree
from hookbundle.storage.transitions.table import Result, Transition

WORKSPACES = 16


class StillClock(SystemClock):
    """Its time is that of its start."""

    def __init__(self) -> None:
        super().__init__()
        self._started_ms = super().now_ms()

    def now_ms(self) -> int:
        return self._started_ms

    def elapsed_ms(self) -> int:
        return 0


class ThisThread(asyncio.SelectorEventLoop):
    """What it shall call, it calls at once."""

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., object], *args: object, context: object = None
    ) -> None:
        callback(*args)


class Alone:
    """The Store on a database, on this thread. `agree`: of a cluster."""

    def __init__(self, env: Environment, agree: Agree | None = None) -> None:
        self.clock = StillClock()
        config = StoreConfig()
        self.queue = StoreQueue(config.waiting_max)
        self._store = Store(
            env, self.queue, config, self.clock, ThisThread(), _ignore, _ignore, agree
        )
        self.queue.attach(self._store.actor_ref)

    def commit(self, transitions: Sequence[Transition]) -> list[Result]:
        """Their results, in one commit."""
        results: list[Result] = []

        def then(result: Result | HookbundleError) -> None:
            assert not isinstance(result, HookbundleError), result
            results.append(result)

        self.queue.called = True  # nobody has to be woken
        for transition in transitions:
            self.queue.submit(transition, then)
        self._store.on_receive(Commit())
        return results


def filled(path: Path, **with_what: Any) -> Environment:
    filling.fill(path, WORKSPACES, url=filling.NEVER_CALLED, **with_what)
    return open_environment(path, filling.now_ms())


def _ignore(_: object) -> None:
    pass
