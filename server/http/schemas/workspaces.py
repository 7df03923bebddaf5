"""A workspace and its webhook, as the API shows them and lets them be changed."""

from typing import Annotated, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine import durations, limits
from hookbundle.engine.delivery.states import WebhookStatus
from hookbundle.server.http.schemas.times import iso, iso_or_none
from hookbundle.storage.reads.workspace_view import WorkspaceView
from hookbundle.storage.tables.readiness import status_of
from hookbundle.storage.transitions.switching import Switched

Language = Literal["en", "ar"]
Url = Annotated[str, msgspec.Meta(max_length=limits.URL_CHARS_MAX)]
Name = Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS_MAX)]
Address = Annotated[str, msgspec.Meta(max_length=320)]
Zone = Annotated[str, msgspec.Meta(max_length=limits.ZONE_CHARS_MAX)]


class WebhookOut(msgspec.Struct, frozen=True):
    """`state`: `enabled`, `backing_off`, `over_budget` while it waits for its rate or budget,
    `disabled`, or `unconfigured` without a URL.

    `own_faults`: attempts in a row that ended by a fault of this machine; up to three do not count.
    """

    url: str
    aggregation: str
    enabled: bool
    success: str
    state: Literal["enabled", "backing_off", "over_budget", "disabled", "unconfigured"]
    consecutive_errors: int
    own_faults: int
    disabled_reason: str | None
    disabled_at: str | None
    last_error: str | None
    next_attempt_at: str | None


class CountsOut(msgspec.Struct, frozen=True):
    """What the workspace holds now. `queued`: the delivery that is being sent among them.

    `held_messages`: in windows or in the queue.

    `receiver_fails`: those of `dead_letters` over which their receiver fails. `resending`:
    delivered ones that wait to be sent once more; they fill no quota.
    """

    windows: int
    queued: int
    dead_letters: int
    receiver_fails: int
    held_messages: int
    resending: int


class WorkspaceOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`secret` only in the answer to the request that made the workspace.

    `language` and `time_zone` (a name of the IANA database) are for what people read.
    """

    id: str
    name: str
    owner_email: str
    language: Language
    time_zone: str
    webhook: WebhookOut
    counts: CountsOut
    version: int
    created_at: str
    secret: str | None = None


class WorkspacesOut(msgspec.Struct, frozen=True):
    """A page; `cursor` is null after the last one.

    `searched_to`: the id up to which it looked, if the page is short because that was enough.
    """

    workspaces: list[WorkspaceOut]
    cursor: str | None
    searched_to: str | None


class WebhookIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url`: null is the same as empty, which is none."""

    url: Url | UnsetType | None = UNSET
    aggregation: str | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    success: Literal["200", "2xx"] | UnsetType = UNSET


class WorkspaceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings to change; what is left out stays (PATCH), or is the default (POST, PUT).

    `name`, `owner_email`: null is the same as empty, which is none. Others can't be null.
    """

    name: Name | UnsetType | None = UNSET
    owner_email: Address | UnsetType | None = UNSET
    language: Language | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET
    webhook: WebhookIn = WebhookIn()


class NewWorkspaceIn(WorkspaceIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of a new workspace, and its `id`, which never changes."""

    id: str


class EnableIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    discard: bool = False


class SwitchedOut(msgspec.Struct, frozen=True):
    """`returned`: dead letters that are queued again. `left`: those of reason `receiver_fails`."""

    changed: bool
    returned: int
    left: int
    discarded_deliveries: int
    discarded_messages: int


def switched_out(switched: Switched) -> SwitchedOut:
    return SwitchedOut(
        changed=switched.changed,
        returned=switched.returned,
        left=switched.left,
        discarded_deliveries=switched.discarded_deliveries,
        discarded_messages=switched.discarded_messages,
    )


def aggregation_text(aggregation_ms: int) -> str:
    return durations.format_ms(aggregation_ms) if aggregation_ms else "none"


def state_of(view: WorkspaceView) -> WebhookStatus:
    """How its webhook is doing."""
    return status_of(view.webhook, view.state)


def workspace_out(view: WorkspaceView, secret: str | None = None) -> WorkspaceOut:
    settings, webhook, state = view.settings, view.webhook, view.state
    return WorkspaceOut(
        id=settings.id,
        name=settings.name,
        owner_email=settings.owner_email,
        language=cast(Language, settings.language),  # checked when it was set
        time_zone=settings.time_zone,
        webhook=WebhookOut(
            url=webhook.url,
            aggregation=aggregation_text(webhook.aggregation_ms),
            enabled=state.enabled,
            success=webhook.success,
            state=state_of(view).value,
            consecutive_errors=state.consecutive_errors,
            own_faults=state.own_faults,
            disabled_reason=state.disabled_reason or None,
            disabled_at=iso_or_none(state.disabled_ms),
            last_error=state.last_error or None,
            next_attempt_at=iso_or_none(state.retry_ms),
        ),
        counts=CountsOut(
            windows=state.windows,
            queued=state.queued,
            dead_letters=state.dead_letters,
            receiver_fails=state.fails,
            held_messages=state.queued_messages + state.buffered_messages,
            resending=state.resending,
        ),
        version=settings.version,
        created_at=iso(settings.created_ms),
        secret=secret,
    )
