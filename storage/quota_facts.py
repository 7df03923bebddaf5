"""The facts about webhooks that take no more messages, and take them again."""

from hookbundle.storage.daemon_facts import Fact
from hookbundle.storage.instants import Instant


class WebhookFull(Fact, frozen=True, kw_only=True):
    """It holds all it may: messages that another webhook took did not get into it.

    `reason`: the code of the error that all of them full would give; `held_messages`: in windows,
    queue and dead letters.
    """

    reason: str
    held_messages: int


class WebhookHasRoom(Fact, frozen=True, kw_only=True):
    """It takes messages again. `since`: when it began to be full.

    `overflowed`: all messages that it ever did not get.
    """

    since: Instant
    overflowed: int
