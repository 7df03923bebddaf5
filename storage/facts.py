"""Every fact of the event feed, as a type.

A fact is stored as `{"type", "time", "workspace", "chat", "data"}`. A class is the `data`, and its
name the `type` (`DeliveryDelivered` is `delivery.delivered`): so it may not be renamed. From these,
and the others in this folder, docs/feed.md and the OpenAPI document are made. No texts.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.storage import (
    change_facts,
    cluster_facts,
    daemon_facts,
    format_facts,
    source_facts,
    webhook_facts,
)
from hookbundle.storage.cluster_facts import OfCluster
from hookbundle.storage.daemon_facts import Fact, Noted, SettingsFact
from hookbundle.storage.instants import Instant

Was = Literal["queued", "dead_letter", "resending"]


class SkippedMessage(msgspec.Struct, frozen=True):
    """A message that was not stored. `reason`: `attachment`, or `no_text`."""

    message: str
    reason: str


class MessageReceived(Fact, frozen=True, kw_only=True):
    """Messages of one request and chat have come.

    Ids of those `accepted`, which are new, and of `duplicates`; `skipped`: without text; `due`: the
    end of the chat's window, of several the one that ends first; `buffered`: messages in it after
    this; `window_of`: its webhook, where the workspace has several; `held`: a webhook is disabled;
    `differs`: duplicates with another text; `overflowed`: what full webhooks did not get, by
    webhook; `unrouted`: of the accepted ones, those that no webhook wanted; `filtered`: which of
    them the filter of a webhook did not keep though another one's did, by webhook: places in
    `accepted` from 0, or null if it kept none.
    """

    accepted: list[str]
    duplicates: list[str]
    skipped: list[SkippedMessage]
    due: Instant
    buffered: int
    held: bool
    differs: list[str] | UnsetType = UNSET
    overflowed: dict[str, list[str]] | UnsetType = UNSET
    unrouted: list[str] | UnsetType = UNSET
    filtered: dict[str, list[int] | None] | UnsetType = UNSET
    window_of: str | UnsetType = UNSET


class WindowRetimed(Fact, frozen=True, kw_only=True):
    """An open window ends at another time, because the webhook's windows were changed."""

    due: Instant


class WindowEnded(Fact, frozen=True, kw_only=True):
    """A window without messages has ended, and nothing is sent. `reason`: as of a delivery, or
    `deleted`: its last message was."""

    reason: str


class DeliverySealed(Fact, frozen=True, kw_only=True):
    """A delivery was sealed. `reason`: `time`, `quiet`, `max`, `at`, `first`, `size`, `flush`,
    `close`, `settings`, `merge`; `single` by itself."""

    delivery: str
    messages: int
    reason: str
    bundle: bool
    held: bool


class DeliveryAttempted(Fact, frozen=True, kw_only=True):
    """An attempt has begun; its first byte has not left yet."""

    delivery: str
    attempt: int


class AttemptEnded(Fact, frozen=True, kw_only=True):
    """An attempt has ended. `errors`: consecutive errors of the webhook after it."""

    delivery: str
    attempt: int
    messages: int
    status: int
    error: str
    errors: int
    next_attempt: Instant


class DeliveryDelivered(AttemptEnded, frozen=True, kw_only=True):
    """The receiver took the delivery."""


class DeliveryFailed(AttemptEnded, frozen=True, kw_only=True):
    """The attempt failed; there will be another one."""


class DeliveryDeadLettered(AttemptEnded, frozen=True, kw_only=True):
    """It is a dead letter: `rejected` three times, or the next was delivered (`receiver_fails`)."""

    reason: Literal["rejected", "receiver_fails"]


class DeliveryUnknown(Fact, frozen=True, kw_only=True):
    """A fault of this machine, the `own_faults`-th in a row; after a crash with few fields."""

    delivery: str
    attempt: int
    messages: int | UnsetType = UNSET
    status: int | UnsetType = UNSET
    error: str
    errors: int | UnsetType = UNSET
    next_attempt: Instant | UnsetType = UNSET
    own_faults: int | UnsetType = UNSET


class DeliveryRetried(Fact, frozen=True, kw_only=True):
    """A person asked for the next attempt now; without `delivery`: all dead letters are queued."""

    delivery: str | UnsetType = UNSET
    was: Was | UnsetType = UNSET
    deliveries: int | UnsetType = UNSET
    messages: int
    caller: str


class DeliveryResendAsked(Fact, frozen=True, kw_only=True):
    """A person asked that a delivered delivery be sent once more, with the same id and bytes."""

    delivery: str
    messages: int
    caller: str


class DeliveryResent(AttemptEnded, frozen=True, kw_only=True):
    """The receiver took a delivery once more."""


class DeliveryResendFailed(AttemptEnded, frozen=True, kw_only=True):
    """A resend is over: `rejected` three times, or `receiver_fails`. It stays delivered."""

    reason: Literal["rejected", "receiver_fails"]


class DeliveryResendEnded(Fact, frozen=True, kw_only=True):
    """A resend was given up, or (without `delivery`) all of a webhook. They stay delivered.

    `kept`: of the resend under way, which stays, or "".
    """

    delivery: str | UnsetType = UNSET
    deliveries: int
    messages: int
    reason: str
    caller: str | UnsetType = UNSET
    kept: str | UnsetType = UNSET


class DeliveryMerged(Fact, frozen=True, kw_only=True):
    """Deliveries that were never attempted are one now, in the place of the oldest."""

    delivery: str
    merged: list[str]
    messages: int


class ReplayStarted(Fact, frozen=True, kw_only=True):
    """Many deliveries are to be sent once more; counted before it began."""

    replay: int
    deliveries: int
    messages: int
    caller: str


class ReplayQueued(Fact, frozen=True, kw_only=True):
    """Some of a replay wait to be sent: `dead_letters` queued again, and `resends`."""

    replay: int
    dead_letters: list[str]
    resends: list[str]


class ReplayTakenBack(ReplayQueued, frozen=True, kw_only=True):
    """Some of a cancelled replay are as before: `dead_letters` again, and `resends` given up."""


class ReplayEnded(Fact, frozen=True, kw_only=True):
    """A replay is over: of the deliveries `queued` none waits. `outcome`: `done`, `cancelled`."""

    replay: int
    outcome: Literal["done", "cancelled"]
    queued: int
    delivered: int
    failed: int
    dropped: int


class DeliveryDiscarded(Fact, frozen=True, kw_only=True):
    """One delivery was discarded, or (without `delivery`) all that a webhook held.

    `caller`: of one that a person discarded; `kept`: of the delivery under way, which stays, or "".
    """

    delivery: str | UnsetType = UNSET
    was: Was | UnsetType = UNSET
    deliveries: int
    messages: int
    reason: str
    caller: str | UnsetType = UNSET
    kept: str | UnsetType = UNSET


class WorkspaceCreated(SettingsFact, frozen=True, kw_only=True):
    """A workspace was created."""


class WorkspaceChanged(SettingsFact, frozen=True, kw_only=True):
    """Settings of a workspace were changed."""


class WorkspaceSecretRotated(Fact, frozen=True, kw_only=True):
    """A webhook has a new signing secret. `keep_until`: until then the old ones sign as well."""

    caller: str
    keep_until: Instant


class WorkspaceDeleted(Fact, frozen=True, kw_only=True):
    """A workspace was deleted, with what it held; its records are erased in steps."""

    caller: str
    windows: int
    deliveries: int
    messages: int


class ChatDeleted(Fact, frozen=True, kw_only=True):
    """A chat was deleted. `messages`: in its open window; deliveries are discarded in steps."""

    caller: str
    messages: int


class WorkspaceErased(Fact, frozen=True, kw_only=True):
    """The last record of a deleted workspace is gone."""


class ChatErased(Fact, frozen=True, kw_only=True):
    """The last record of a deleted chat is gone."""


class TokenCreated(Fact, frozen=True, kw_only=True):
    """A bearer token was created; `token` is its id. `name`: for people; `expires`: its end."""

    token: str
    scope: str
    caller: str
    name: str
    expires: Instant


class TokenRevoked(Fact, frozen=True, kw_only=True):
    """A bearer token was revoked."""

    token: str
    caller: str


# No facts themselves.
BASES = (Fact, AttemptEnded, SettingsFact, Noted, change_facts.MessagesChanged, OfCluster)
OTHERS = (change_facts, format_facts, source_facts, webhook_facts, daemon_facts, cluster_facts)


def all_facts() -> list[type[Fact]]:
    """The types that can stand in the feed: those of this module, then those of the others."""
    found = {**globals(), **{name: each for one in OTHERS for name, each in vars(one).items()}}
    kinds = [kind for kind in found.values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, Fact) and kind not in BASES]
