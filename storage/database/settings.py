"""The settings of a workspace and of its webhooks, as records, and both as a unit reads them; and
bearer tokens.

records.py says how fields are stored.
"""

from typing import Literal, Self

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database.records import U32, Frozen

OUTBOUND = "outbound"  # the webhook that is made with its workspace


class Secret(Frozen, frozen=True):
    """A signing secret, `whsec_...`. After a rotation the old one also signs until it expires."""

    value: str
    expires_ms: int = 0


class Workspace(Frozen, frozen=True):
    """The settings of a workspace.

    `number`: never assigned again; keys contain it instead of the id, so a new workspace of the
    same id cannot see old records. `version` counts the changes, those of its webhooks included.
    `language` (`en`, `ar`) and `time_zone` (IANA) are for what people read; never for a body.
    `switches`: how many of the changes were nothing but switching a webhook on or off.
    """

    id: str
    number: U32
    version: int
    created_ms: int
    name: str = ""
    owner_email: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    switches: int = 0

    @property
    def settings_version(self) -> int:
        """The same as long as no setting changes, however often a webhook is switched."""
        return self.version - self.switches


class Webhook(Frozen, frozen=True):
    """The settings of a webhook.

    `aggregation_ms`: the length of a window, or 0 to send each message alone. `window`: JSON of a
    rule for windows that is more than a length, and then `aggregation_ms` is 0; empty: there is
    none. `number`: never assigned again. `secrets`: newest first. `version`: that of the workspace
    when the webhook was changed last, switching it included; so one that is made again never has an
    old one.
    `created_ms`: 0 if it was made before that was known. `filter`: JSON; empty: it wants all.
    `messages_max`, `bytes_max`: where a bundle ends; 0: at the usual limits. `rate_count` requests
    in any `rate_ms`, and `budget` in a day, are sent at most; 0: as many as there are. `warnings`:
    whether errors in a row are told before they disable it. `request`: method, headers and
    credentials as engine/requests/request.py writes them, in clear; empty: POST, and nothing else.
    `format`, `format_options`: of the bodies, and its variables (engine/formats/jobs.py), as JSON;
    empty: the seed's. `deleted_ms`: when it was deleted, if its records are still being erased; no
    caller finds it then. `success`, `success_rules`: what counts as delivered
    (engine/delivery/success.py); no rules are empty.
    """

    id: str
    number: U32
    workspace: U32
    url: str = ""
    aggregation_ms: int = 0
    success: str = "200"
    secrets: tuple[Secret, ...] = ()
    version: int = 1
    created_ms: int = 0
    filter: bytes = b""
    messages_max: int = 0
    bytes_max: int = 0
    rate_count: int = 0
    rate_ms: int = 0
    budget: int = 0
    warnings: bool = True
    deleted_ms: int = 0
    window: bytes = b""
    format: bytes = b""
    format_options: bytes = b""
    request: bytes = b""
    success_rules: bytes = b""

    @property
    def collects(self) -> bool:
        """Whether it has windows; else each message is sent alone."""
        return self.aggregation_ms > 0 or bool(self.window)


class Token(Frozen, frozen=True):
    """A bearer token. The token itself is not stored, only its SHA-256, in the key.

    `name`: for people. `expires_ms`: its end; 0: never. `used_ms`: its last use, to the hour.
    """

    id: str
    scope: Literal["intake", "admin"]
    workspace_id: str
    created_ms: int
    name: str = ""
    expires_ms: int = 0
    used_ms: int = 0


class TokenChanges:
    """Whether what was read of a token may have changed since: `with` it around a transaction.

    The Store's, in its thread. Who remembers tokens, in any thread, looks first at `under_way`,
    then at `version`, and then reads the database: what was read while nothing was under way is
    true as long as nothing is and the version is the same.
    """

    def __init__(self) -> None:
        self.version = 0
        self.under_way = False

    def begin(self) -> None:
        """Before a token is written: from here on nobody knows which one a reader sees."""
        self.under_way = True

    def __enter__(self) -> Self:
        """A transaction, which may change tokens."""
        return self

    def __exit__(self, *_: object) -> None:
        """It has ended, one way or the other."""
        if self.under_way:
            self.version += 1  # first: nobody may see the old version and nothing under way
            self.under_way = False


class Settings(msgspec.Struct, frozen=True, gc=False):
    """The settings of a workspace and of its webhooks: `outbound` first, then in order of age.

    `leaving`: those that were deleted and are still being erased.
    """

    workspace: Workspace
    webhooks: tuple[Webhook, ...]
    leaving: tuple[Webhook, ...] = ()

    @property
    def first(self) -> Webhook:
        """The webhook whose activity log has the lines about the workspace as a whole."""
        return self.webhooks[0]

    @property
    def all(self) -> tuple[Webhook, ...]:
        """Those that are being erased too: all that have records."""
        return (*self.webhooks, *self.leaving)

    @property
    def offered(self) -> tuple[Webhook, ...]:
        """Those to which messages are offered: `outbound` without a URL only while it is alone."""
        if len(self.webhooks) == 1:
            return self.webhooks
        return tuple(each for each in self.webhooks if each.url or each.id != OUTBOUND)

    @property
    def outbound(self) -> Webhook:
        """Raises: NotFound."""
        return self.named(OUTBOUND)

    def next_version(
        self, webhook: Webhook | None = None, *, only_switched: bool = False
    ) -> "Settings":
        """The same at the version after this one: something that it shows was changed.

        `webhook`: what was changed is of this one, as it is now.
        """
        now = self.workspace
        newer = msgspec.structs.replace(
            now, version=now.version + 1, switches=now.switches + only_switched
        )
        after = msgspec.structs.replace(self, workspace=newer)
        if webhook is None:
            return after
        return after.with_webhook(msgspec.structs.replace(webhook, version=newer.version))

    def with_webhook(self, webhook: Webhook) -> "Settings":
        """The same with this webhook, in the place of the one with its number if there is one."""
        others = [each for each in self.webhooks if each.number != webhook.number]
        return msgspec.structs.replace(self, webhooks=in_order([*others, webhook]))

    def with_leaving(self, webhook: Webhook) -> "Settings":
        """The same, but that this webhook, which is deleted, is only to be erased."""
        rest = tuple(each for each in self.webhooks if each.number != webhook.number)
        leaving = (*self.leaving, webhook)
        return msgspec.structs.replace(self, webhooks=rest, leaving=leaving)

    def without(self, number: int) -> "Settings":
        """The same without the deleted webhook of this number, of which nothing is left."""
        rest = tuple(each for each in self.leaving if each.number != number)
        return msgspec.structs.replace(self, leaving=rest)

    def find(self, webhook_id: str) -> Webhook | None:
        for webhook in self.webhooks:
            if webhook.id == webhook_id:
                return webhook
        return None

    def named(self, webhook_id: str) -> Webhook:
        """Raises: NotFound."""
        webhook = self.find(webhook_id)
        if webhook is None:
            raise no_webhook(webhook_id, self.workspace.id)
        return webhook

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

    def any_webhook(self, number: int) -> Webhook:
        """Also one that is being erased. Raises: NotFound."""
        return self.any_or_none(number) or self.webhook(number)

    def any_or_none(self, number: int) -> Webhook | None:
        for webhook in self.all:
            if webhook.number == number:
                return webhook
        return None


def settings_of(workspace: Workspace, webhooks: list[Webhook]) -> Settings:
    """The settings of a workspace of which all these webhooks are stored."""
    alive = in_order([each for each in webhooks if not each.deleted_ms])
    return Settings(workspace, alive, tuple(each for each in webhooks if each.deleted_ms))


def in_order(webhooks: list[Webhook]) -> tuple[Webhook, ...]:
    """`outbound` first, as the one that is meant where none is named; then the oldest."""
    return tuple(sorted(webhooks, key=lambda each: (each.id != OUTBOUND, each.number)))


def no_webhook(webhook_id: str, workspace_id: str) -> NotFound:
    """What is said of a webhook that the workspace does not have."""
    if webhook_id == OUTBOUND:
        return NotFound.of(Code.NO_OUTBOUND, workspace=workspace_id)
    return NotFound.of(Code.UNKNOWN_WEBHOOK, webhook=webhook_id, workspace=workspace_id)
