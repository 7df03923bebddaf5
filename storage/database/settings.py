"""What a unit reads of a workspace at once: its settings and those of its webhooks."""

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database.records import Webhook, Workspace


class Settings(msgspec.Struct, frozen=True, gc=False):
    """The settings of a workspace and of its webhooks, `outbound` first."""

    workspace: Workspace
    webhooks: tuple[Webhook, ...]

    @property
    def outbound(self) -> Webhook:
        return self.webhooks[0]

    def next_version(self, *, only_switched: bool = False) -> "Settings":
        """The same at the version after this one: something that it shows was changed."""
        now = self.workspace
        newer = msgspec.structs.replace(
            now, version=now.version + 1, switches=now.switches + only_switched
        )
        return Settings(newer, self.webhooks)

    def webhook(self, number: int) -> Webhook:
        """Raises: NotFound."""
        webhook = self.webhook_or_none(number)
        if webhook is None:
            raise NotFound.of(Code.NO_WEBHOOK, number=number)
        return webhook

    def webhook_or_none(self, number: int) -> Webhook | None:
        for webhook in self.webhooks:
            if webhook.number == number:
                return webhook
        return None
