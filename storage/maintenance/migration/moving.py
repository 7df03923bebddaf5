"""What the translation of one workspace is about."""

from dataclasses import dataclass

from hookbundle.storage.database.records import Usage, WebhookState
from hookbundle.storage.maintenance.migration.source import Source
from hookbundle.storage.maintenance.migration.target import Target


@dataclass(frozen=True, slots=True)
class Moving:
    """A workspace on its way from the old database to the new one.

    `number`: the workspace's, and that of its only webhook. `state` and `usage` count what has been
    written; they are written last.
    """

    source: Source
    target: Target
    number: int
    state: WebhookState
    usage: Usage
