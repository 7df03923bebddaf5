"""A window tried on the messages of the last days, before it is saved."""

from dataclasses import dataclass
from typing import Any

from msgspec import UNSET

from hookbundle.engine.errors import HookbundleError, InvalidInput
from hookbundle.server.console.pages.window_rules.fields import wanted
from hookbundle.server.console.visits import Visit
from hookbundle.server.console.wording import ShownError
from hookbundle.server.http.resources.webhooks.simulating import Simulations
from hookbundle.server.http.schemas.webhooks.webhook import window_out
from hookbundle.server.http.schemas.windows.simulations import (
    DAYS,
    SimulatedOut,
    SimulatedSideOut,
)
from hookbundle.storage.database.settings import Webhook


@dataclass(frozen=True, slots=True)
class Tried:
    """`window`: the one that was tried. `found`: None if it can't be said now; `why` says it."""

    window: Any
    found: SimulatedOut | None
    why: ShownError | None = None
    days: int = DAYS

    @property
    def then(self) -> SimulatedSideOut:
        assert self.found is not None
        assert self.found.then is not UNSET
        return self.found.then

    @property
    def saved(self) -> int:
        """So many calls less than with the window of now; less than 0: more of them."""
        assert self.found is not None
        return self.found.now.calls - self.then.calls


@dataclass(frozen=True, slots=True)
class Trying:
    simulations: Simulations

    async def tried(self, visit: Visit, webhook: Webhook) -> Tried:
        """What the window in the form had made of the messages. Raises: InvalidInput."""
        window = wanted(visit.form)
        if window is UNSET:
            window = window_out(webhook)
        try:
            found = await self.simulations.simulated(
                visit.request, visit.ws, visit.wh, window, DAYS
            )
        except InvalidInput:
            raise
        except HookbundleError as exc:
            return Tried(window, None, ShownError.of(exc))
        return Tried(window, found)
