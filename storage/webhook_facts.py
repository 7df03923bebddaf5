"""The facts about a webhook as a whole; its deliveries have theirs in facts.py."""

from typing import Literal

from hookbundle.storage.daemon_facts import Fact, SettingsFact
from hookbundle.storage.instants import Instant


class WebhookCreated(SettingsFact, frozen=True, kw_only=True):
    """A webhook was created beside the one that is made with its workspace."""


class WebhookChanged(SettingsFact, frozen=True, kw_only=True):
    """Settings of a webhook were changed; of `outbound` also with its workspace's."""


class WebhookEnabled(Fact, frozen=True, kw_only=True):
    """The webhook sends again."""

    caller: str


class WebhookDisabled(Fact, frozen=True, kw_only=True):
    """The webhook sends nothing from now on: a person wanted it so, or it had too many errors."""

    reason: str
    caller: str
    errors: int
    error: str
    held: int
    held_messages: int


class WebhookWarned(Fact, frozen=True, kw_only=True):
    """So many errors in a row came; at the `of`-th it is disabled. `held`: deliveries that wait."""

    errors: int
    of: int
    error: str
    held: int
    held_messages: int
    mailed: bool


class WebhookDeleted(Fact, frozen=True, kw_only=True):
    """A webhook was deleted, with what it held; its records are erased in steps."""

    caller: str
    windows: int
    deliveries: int
    messages: int


class WebhookErased(Fact, frozen=True, kw_only=True):
    """The last record of a deleted webhook is gone."""


class WebhookMerging(Fact, frozen=True, kw_only=True):
    """What waits is being merged; nothing is sent until then. Of that at most so many are meant."""

    caller: str
    deliveries: int
    messages: int


class WebhookMerged(Fact, frozen=True, kw_only=True):
    """A merge is over: `merged` deliveries with so many messages are `into` fewer now.

    `outcome`: `done`, or `stopped` by another command; `damaged`: those that could not be read.
    """

    outcome: Literal["done", "stopped"]
    merged: int
    into: int
    messages: int
    damaged: int
    caller: str


class WebhookReset(Fact, frozen=True, kw_only=True):
    """No errors count. `errors`: before; dead letters `returned`, and `left` (`receiver_fails`)."""

    caller: str
    errors: int
    returned: int
    left: int


class WebhookTested(Fact, frozen=True, kw_only=True):
    """A test request was sent. It counts neither as a delivery nor as an error."""

    outcome: str
    status: int
    error: str


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


class WebhookBudgetWarned(Fact, frozen=True, kw_only=True):
    """80 % of the day's budget are used; once a day. `resets`: when the next day begins."""

    used: int
    budget: int
    resets: Instant


class WebhookBudgetUsedUp(Fact, frozen=True, kw_only=True):
    """The day's budget is used up: no request is sent until it `resets`; once a day."""

    used: int
    budget: int
    resets: Instant
