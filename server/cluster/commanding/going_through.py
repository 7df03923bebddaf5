"""One work at a time through all partitions of the cluster, which every node can show.

The node that was asked does it, and says in its beats how far it is (known.py).
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import Conflict
from hookbundle.engine.replication.beats import Beat
from hookbundle.server.cluster.commanding.known import Kind, Known

CALLER_CHARS_MAX = 80  # of who has asked for it


class GoingThrough(Generic[Kind]):
    """`may_begin()` and `begin()`, as often as it is wanted; `close()` ends what is under way.

    `state`: of the last work of this node. Belongs to the loop.
    """

    def __init__(
        self,
        known: Known[Kind],
        live: Callable[[], Mapping[str, Beat]],
        refusal: Code,
        nothing: Kind,
    ) -> None:
        """`refusal`: while one is under way. `nothing`: the state before the first one."""
        self._known = known
        self._live = live
        self._refusal = refusal
        self.state = nothing
        self._task: asyncio.Task[None] | None = None

    def may_begin(self, wall_ms: int) -> int:
        """When the next one begins. Raises: Conflict while one is under way, at whichever node."""
        live = self._live()
        self._known.hear(live, wall_ms)
        is_ours = self._task is not None and not self._task.done()
        if is_ours or self._known.is_under_way(live):
            raise Conflict.of(self._refusal)
        return self._known.next_ms(wall_ms)

    def begin(self, state: Kind, work: Coroutine[Any, Any, None], name: str) -> None:
        """`name`: of its task."""
        self.state = state
        self.says(doing="begins")
        self._task = asyncio.create_task(work, name=name)

    def says(self, **changed: Any) -> None:
        """What has changed of its state, which is known from now on."""
        self.state = msgspec.structs.replace(self.state, **changed)
        self._known.take(self.state)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
