"""What the Store keeps decoded from one commit to the next: what nearly every transition touches.

Settings of workspaces, states of webhooks, what workspaces have on the disk, and the counters of
the whole database. A unit changes states and counters in place, and what it has written is what it
leaves here. So what is kept is what is stored, as long as only one writes, and all of it is dropped
where a unit fails, whatever the failure was.

A workspace has one record of settings, one of usage and a state for each webhook, twenty at most: a
tenant can't fill it. Where more are in use than it may have, all of it is dropped, and read again.
"""

from dataclasses import dataclass, field

from hookbundle.storage.database.records import Meta, Usage, WebhookState
from hookbundle.storage.database.settings import Settings

KEPT_MAX = 10_000  # of each; a state takes 1 KiB, half of it in numbers


@dataclass(slots=True)
class Kept:
    """By the number of the workspace, `states` by that of the webhook. `meta`: None at first."""

    settings: dict[int, Settings] = field(default_factory=dict)
    states: dict[int, WebhookState] = field(default_factory=dict)
    usages: dict[int, Usage] = field(default_factory=dict)
    meta: Meta | None = None

    def keep(self, states: dict[int, WebhookState], usages: dict[int, Usage]) -> None:
        """They are what is written."""
        self.states.update(states)
        self.usages.update(usages)

    def forget(self, settings: Settings) -> None:
        """The workspace and its webhooks are no more."""
        number = settings.workspace.number
        self.settings.pop(number, None)
        self.usages.pop(number, None)
        for webhook in settings.all:
            self.states.pop(webhook.number, None)

    def fits(self) -> bool:
        """Whether it is small enough to be kept."""
        return max(len(self.settings), len(self.states), len(self.usages)) <= KEPT_MAX
