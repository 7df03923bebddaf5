"""Waits until all chats of a request have answered."""

import asyncio

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.storage.transitions.sealing import Sealed

COUNTED = ("edited", "deleted", "late", "waiting")


class Join:
    """Joins the parts of one request: done when all are answered, errors included.

    `altered`: how many changes of the request came to what; `AcceptedOut` has the names.
    """

    def __init__(self, parts: int, altered: dict[str, int] | None = None) -> None:
        self._left = parts
        self._altered = {} if altered is None else altered
        self._accepted = 0
        self._duplicate = 0
        self._differs: list[str] = []
        self.overflowed = self.unrouted = 0
        self._error: HookbundleError | None = None
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def answer(self, outcome: Accepted | Sealed | ChangesMade) -> None:
        if type(outcome) is Accepted:
            self._accepted += outcome.accepted
            self._duplicate += outcome.duplicate
            self.overflowed += outcome.overflowed
            self.unrouted += outcome.unrouted
            if outcome.differs:
                self._differs += outcome.differs
        else:
            self._alter(outcome)
        self._count()

    def fail(self, error: HookbundleError) -> None:
        self._error = self._error or error
        self._count()

    async def wait(self) -> tuple[int, int, list[str]]:
        """How many messages were accepted, how many were duplicates, and which of these differ.

        Raises: HookbundleError, the first one that refused a part.
        """
        await self._done
        if self._error is not None:
            raise self._error
        return self._accepted, self._duplicate, self._differs

    def _alter(self, outcome: Accepted | Sealed | ChangesMade) -> None:
        """What a change came to is added to what the request's others did."""
        counts = {"closed": outcome.windows} if isinstance(outcome, Sealed) else {}
        if isinstance(outcome, ChangesMade):
            counts = {name: getattr(outcome, name) for name in COUNTED}
        for name, count in counts.items():
            self._altered[name] = self._altered.get(name, 0) + count

    def _count(self) -> None:
        self._left -= 1
        if not self._left and not self._done.done():
            self._done.set_result(None)
