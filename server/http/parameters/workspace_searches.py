"""Which workspaces a list is asked for: by words, and by how their webhook is doing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from aiohttp import web

from hookbundle.engine.delivery.states import WebhookStatus
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.faults import not_one_of
from hookbundle.server.http.routes import Query
from hookbundle.server.http.schemas.webhooks.webhook import state_of
from hookbundle.storage.reads.listing import Page
from hookbundle.storage.reads.workspace_view import WorkspaceView

Read = Callable[[int, bytes], Page[WorkspaceView]]
STATES = tuple(state.value for state in WebhookStatus)
FILTERS = (
    Query(name="q", meaning="a part of the id or the name, in large or small letters"),
    Query(
        name="state",
        meaning="only those that have a webhook in this state",
        kind=Literal[
            "unconfigured", "enabled", "backing_off", "over_budget", "merging", "disabled"
        ],
    ),
)


@dataclass(frozen=True, slots=True)
class WantedWorkspaces:
    """`words` are in casefold; they, and `state`, may be empty."""

    words: str
    state: str

    def takes(self, view: WorkspaceView) -> bool:
        settings = view.settings
        if self.words not in settings.id.casefold() and self.words not in settings.name.casefold():
            return False
        return not self.state or any(state_of(each) == self.state for each in view.webhooks)

    def of(self, read: Read) -> Read:
        """Reads the same slices, of which the others are left out."""

        def searched(limit: int, position: bytes) -> Page[WorkspaceView]:
            page = read(limit, position)
            return replace(page, found=list(filter(self.takes, page.found)))

        return searched


def wanted_of(request: web.Request) -> WantedWorkspaces:
    """Raises: InvalidInput."""
    state = request.query.get("state", "")
    if state and state not in STATES:
        raise InvalidInput((not_one_of("state", STATES, state),))
    return WantedWorkspaces(request.query.get("q", "").strip().casefold(), state)
