"""A webhook, as the API shows it and lets it be changed."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine import durations, limits
from hookbundle.engine.delivery.answers import wanted
from hookbundle.engine.delivery.states import WebhookStatus
from hookbundle.engine.windows.rule import CUSTOM
from hookbundle.server.http.schemas.pace import (
    BudgetText,
    PaceOut,
    RateText,
    budget_out,
    rate_out,
)
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.server.http.schemas.webhooks.requests import (
    RequestIn,
    WebhookRequestOut,
    request_out,
)
from hookbundle.server.http.schemas.webhooks.shown_formats import format_shown, options_shown
from hookbundle.server.http.schemas.webhooks.success import Success, SuccessRules
from hookbundle.server.http.schemas.windows.simulations import MeterOut, Window
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.reads.workspace_view import WebhookView
from hookbundle.storage.tables.readiness import status_of
from hookbundle.storage.tables.routing import fullness

Url = Annotated[str, msgspec.Meta(max_length=limits.URL_CHARS_MAX)]
Dropped = Literal["headers", "auth", "client_secret"]
State = Literal["enabled", "backing_off", "over_budget", "merging", "disabled", "unconfigured"]


class CountsOut(msgspec.Struct, frozen=True):
    """What is held now. `queued`: the delivery that is being sent among them.

    `held_messages`: in windows or in the queue.

    `receiver_fails`: those of `dead_letters` over which their receiver fails; `not_rendered`: those
    without a body of the webhook's format. `resending`: delivered ones that wait to be sent once
    more; they fill no quota. `overflowed`: messages that did not get in at all, because it was
    full.
    """

    windows: int
    queued: int
    dead_letters: int
    receiver_fails: int
    not_rendered: int
    held_messages: int
    resending: int
    overflowed: int


class LimitsOut(msgspec.Struct, frozen=True):
    """Where a bundle ends early: at so many messages, or bytes of its body."""

    messages: int
    bytes: int


class BriefOut(msgspec.Struct, frozen=True):
    """A webhook of a workspace by its id, with its state, and whether it takes no more."""

    id: str
    state: State
    full: bool


class WebhookOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`state`: `enabled`, `backing_off` after an error or while its rendering rests, `over_budget`
    while it waits for its rate or its budget, `merging` while what waits is merged and nothing is
    sent, `disabled`, or `unconfigured` without a URL.

    `window`: the rule by which its windows end (docs/windows.md). `aggregation`: the same where it
    is `none` or a mere length, else `custom`.
    `rate`: requests in any stretch of a time (`100/10s`). `budget`: requests from one 00:00 of the
    workspace's time zone to the next (`1000/day`). Both: null is none. `pace`: what is used of the
    budget; `meter`: messages and calls of the last days; both only where webhooks are asked for,
    not in a workspace.
    `own_faults`: attempts in a row that ended by a fault of this machine; up to three do not count.
    `created_at`: null if it was made by a version that did not store it. `secret` only in the
    answer to the request that made the webhook. `full`: it holds all it may, and does not get
    what other webhooks take.
    `format`: `seed`, the name of a preset, or an object with a template; `format_options`: its
    variables. `rendering_rests_until`: nothing is rendered before, as three bodies in a row took
    too much.
    `dropped`: only in the answer to a change of the URL: what was not kept of `request`, because it
    was given for another host.
    """

    id: str
    url: str
    aggregation: str
    window: Window
    filter: dict[str, Any]
    request: WebhookRequestOut
    format: Any
    format_options: dict[str, Any]
    enabled: bool
    success: Success
    success_rules: SuccessRules
    limits: LimitsOut
    rate: str | None
    budget: str | None
    warnings: bool
    state: State
    full: bool
    consecutive_errors: int
    own_faults: int
    disabled_reason: str | None
    disabled_at: str | None
    last_error: str | None
    next_attempt_at: str | None
    rendering_rests_until: str | None
    counts: CountsOut
    version: int
    created_at: str | None
    pace: PaceOut | UnsetType | None = UNSET
    meter: MeterOut | UnsetType = UNSET
    dropped: list[Dropped] | UnsetType = UNSET
    secret: str | UnsetType = UNSET


class WebhooksOut(msgspec.Struct, frozen=True):
    """All webhooks of a workspace: `outbound` first, then the oldest."""

    webhooks: list[WebhookOut]


class LimitsIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Smaller limits than those that hold for all; what is left out stays."""

    messages: Annotated[int, msgspec.Meta(ge=1, le=limits.BUNDLE_MESSAGES_MAX)] | UnsetType = UNSET
    bytes: (
        Annotated[
            int,
            msgspec.Meta(ge=limits.BUNDLE_BODY_BYTES_LEAST, le=limits.BUNDLE_BODY_BYTES_MAX),
        ]
        | UnsetType
    ) = UNSET


class WebhookIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings to change; what is left out stays (PATCH), or is the default (POST, PUT).

    `url`: null is the same as empty, which only `outbound` may be. `window`: `none`, or the rule by
    which its windows end (docs/windows.md). `aggregation`: `none`, or `1s` to `24h`, which is
    `{"every": "1h"}`; setting either sets both. `custom` may stand beside a `window`.
    `success`, `success_rules`: which statuses, and which answers, count as delivered
    (docs/webhooks.md); null and `[]`: no rules.
    `limits`: where a bundle ends early; null: at the limits that hold for all.
    `rate`: at most so many requests in any stretch of `1s` to `24h`; `budget`: in a day.
    What goes over them waits; null is none. `warnings`: whether consecutive errors are told before
    they disable the webhook, and that 80 % of the budget are used.
    `filter`: which messages it gets (docs/webhooks.md); null or `{}`: all.
    `request`: method, headers and credentials (docs/requests.md).
    `format`: `seed`, a preset's name, or `{"template": ...}`, and `format_options`: its variables
    (docs/formats.md); null is the default of either. A preset that is newly chosen also sets
    `success`, `success_rules`, `limits` and `rate`, as far as they are not named.
    """

    url: Url | UnsetType | None = UNSET
    aggregation: str | UnsetType = UNSET
    window: Window | UnsetType = UNSET
    filter: dict[str, Any] | UnsetType | None = UNSET
    request: RequestIn | UnsetType = UNSET
    format: Any = UNSET
    format_options: Any = UNSET
    enabled: bool | UnsetType = UNSET
    success: Success | UnsetType = UNSET
    success_rules: SuccessRules | UnsetType | None = UNSET
    limits: LimitsIn | UnsetType | None = UNSET
    rate: RateText | UnsetType | None = UNSET
    budget: BudgetText | UnsetType | None = UNSET
    warnings: bool | UnsetType = UNSET


class NewWebhookIn(WebhookIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of a new webhook, and its `id`: it never changes."""

    id: str


class WebhookDeletedOut(msgspec.Struct, frozen=True):
    """What is dropped with it: open windows, queued deliveries with dead letters, messages."""

    windows: int
    deliveries: int
    messages: int


def aggregation_text(webhook: Webhook) -> str:
    """`none`, a length, or `custom` where only `window` says by which rule its windows end."""
    if webhook.window:
        return CUSTOM
    return durations.format_ms(webhook.aggregation_ms) if webhook.aggregation_ms else "none"


def window_out(webhook: Webhook) -> Any:
    """The rule by which its windows end, as it may be set."""
    if webhook.window:
        return msgspec.json.decode(webhook.window)
    return {"every": aggregation_text(webhook)} if webhook.aggregation_ms else "none"


def state_of(view: WebhookView) -> WebhookStatus:
    """How the webhook is doing."""
    return status_of(view.webhook, view.state)


def counts_of(views: Iterable[WebhookView]) -> CountsOut:
    """What these webhooks hold together."""
    states = [view.state for view in views]
    return CountsOut(
        windows=sum(state.windows for state in states),
        queued=sum(state.queued for state in states),
        dead_letters=sum(state.dead_letters for state in states),
        receiver_fails=sum(state.fails for state in states),
        not_rendered=sum(state.unrendered for state in states),
        held_messages=sum(state.queued_messages + state.buffered_messages for state in states),
        resending=sum(state.resending for state in states),
        overflowed=sum(state.overflowed for state in states),
    )


def brief_out(view: WebhookView) -> BriefOut:
    return BriefOut(view.webhook.id, state_of(view).value, fullness.is_shown(view.state))


def webhook_out(
    view: WebhookView,
    secret: str = "",
    pace: PaceOut | UnsetType | None = UNSET,
    meter: MeterOut | UnsetType = UNSET,
    dropped: Iterable[str] = (),
) -> WebhookOut:
    webhook, state = view.webhook, view.state
    return WebhookOut(
        id=webhook.id,
        url=webhook.url,
        aggregation=aggregation_text(webhook),
        window=window_out(webhook),
        filter=msgspec.json.decode(webhook.filter) if webhook.filter else {},
        request=request_out(webhook),
        format=format_shown(webhook),
        format_options=options_shown(webhook),
        enabled=state.enabled,
        success=wanted.shown(webhook.success),
        success_rules=wanted.shown_rules(webhook.success_rules),
        limits=LimitsOut(
            webhook.messages_max or limits.BUNDLE_MESSAGES_MAX,
            webhook.bytes_max or limits.BUNDLE_BODY_BYTES_MAX,
        ),
        rate=rate_out(view),
        budget=budget_out(view),
        warnings=webhook.warnings,
        state=state_of(view).value,
        full=fullness.is_shown(state),
        consecutive_errors=state.consecutive_errors,
        own_faults=state.own_faults,
        disabled_reason=state.disabled_reason or None,
        disabled_at=iso_or_none(state.disabled_ms),
        last_error=state.last_error or None,
        next_attempt_at=iso_or_none(state.retry_ms),
        rendering_rests_until=iso_or_none(state.rests_until_ms),
        counts=counts_of([view]),
        version=webhook.version,
        created_at=iso(webhook.created_ms) if webhook.created_ms else None,
        pace=pace,
        meter=meter,
        dropped=cast("list[Dropped]", list(dropped)) or UNSET,
        secret=secret or UNSET,
    )
