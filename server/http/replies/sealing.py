"""Waits for one chat to seal its windows."""

import asyncio
from dataclasses import dataclass

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.transitions.accepting import Accepted
from hookbundle.storage.transitions.changing.changing import ChangesMade
from hookbundle.storage.transitions.sealing import Sealed


@dataclass(frozen=True, slots=True)
class SealReply:
    """Waits for one chat to seal its window."""

    sealed: asyncio.Future[Sealed]

    def answer(self, outcome: Accepted | Sealed | ChangesMade) -> None:
        assert isinstance(outcome, Sealed)
        if not self.sealed.done():
            self.sealed.set_result(outcome)

    def fail(self, error: HookbundleError) -> None:
        if not self.sealed.done():
            self.sealed.set_exception(error)
