"""What the API says and hears, as types; OpenAPI is made from them."""

from typing import Annotated, Any, Literal

import msgspec

from hookbundle.engine import duration, limits
from hookbundle.engine.timestamps import utc
from hookbundle.storage.reads import WorkspaceView
from hookbundle.storage.records import Action, Exchange


class WebhookOut(msgspec.Struct, frozen=True):
    """`state`: `enabled`, `backing_off`, `disabled`, or `unconfigured` without a URL."""

    url: str
    aggregation: str
    enabled: bool
    success: str
    state: Literal["enabled", "backing_off", "disabled", "unconfigured"]
    consecutive_errors: int
    disabled_reason: str | None
    disabled_at: str | None
    last_error: str | None
    next_attempt_at: str | None


class CountsOut(msgspec.Struct, frozen=True):
    """What the workspace has at this moment; `held_messages` are in windows or in the queue."""

    windows: int
    pending: int
    parked: int
    held_messages: int


class WorkspaceOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`secret` only in the answer to the request that made the workspace."""

    id: str
    name: str
    owner_email: str
    webhook: WebhookOut
    counts: CountsOut
    version: int
    created_at: str
    secret: str | None = None


class WorkspacesOut(msgspec.Struct, frozen=True):
    """A page; `cursor` is null after the last one."""

    workspaces: list[WorkspaceOut]
    cursor: str | None


class HealthOut(msgspec.Struct, frozen=True):
    status: Literal["alive", "ready"]


class WebhookIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    url: Annotated[str, msgspec.Meta(max_length=limits.URL_CHARS_MAX)] | None = None
    aggregation: str | None = None
    enabled: bool | None = None
    success: Literal["200", "2xx"] | None = None


class WorkspaceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings to change; what is left out stays (PATCH), or is the default (PUT)."""

    name: Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS_MAX)] | None = None
    owner_email: Annotated[str, msgspec.Meta(max_length=320)] | None = None
    webhook: WebhookIn = WebhookIn()


class EnableIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    discard: bool = False


class SwitchedOut(msgspec.Struct, frozen=True):
    changed: bool
    returned: int
    discarded_deliveries: int
    discarded_messages: int


class ActionOut(msgspec.Struct, frozen=True):
    at: str
    action: str
    chat_id: str | None
    messages: int
    outcome: str
    detail: str


class RequestOut(msgspec.Struct, frozen=True):
    url: str
    headers: dict[str, str]
    body: str


class ResponseOut(msgspec.Struct, frozen=True):
    status: int
    headers: list[tuple[str, str]]
    body: str
    truncated: bool


class ExchangeOut(msgspec.Struct, frozen=True):
    """`body` is the text as it was sent; bytes that are not UTF-8 show as U+FFFD."""

    at: str
    delivery_id: str
    attempt: int
    chat_id: str | None
    request: RequestOut
    response: ResponseOut | None
    error: str | None
    duration_ms: int
    outcome: str


class StatusOut(msgspec.Struct, frozen=True):
    version: str
    pid: int
    started_at: str
    now: str
    ready: bool
    windows: int
    pending: int
    parked: int
    mails: int
    workspaces_disabled: list[str]
    totals: dict[str, int]
    residents: dict[str, int]
    quarantined: list[str]
    in_flight: int
    store: dict[str, Any]
    disk: dict[str, int]
    feed: dict[str, int]
    lag_ms: int
    clock_held: bool


def iso(at_ms: int) -> str:
    return utc(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at_ms: int) -> str | None:
    return iso(at_ms) if at_ms else None


def aggregation_text(aggregation_ms: int) -> str:
    return duration.format_ms(aggregation_ms) if aggregation_ms else "none"


def workspace_out(view: WorkspaceView, secret: str | None = None) -> WorkspaceOut:
    settings, state = view.settings, view.state
    if not state.enabled:
        name: Any = "disabled"
    elif not settings.url:
        name = "unconfigured"
    else:
        name = "backing_off" if state.retry_ms else "enabled"
    return WorkspaceOut(
        id=settings.id,
        name=settings.name,
        owner_email=settings.owner_email,
        webhook=WebhookOut(
            url=settings.url,
            aggregation=aggregation_text(settings.aggregation_ms),
            enabled=state.enabled,
            success=settings.success,
            state=name,
            consecutive_errors=state.consecutive_errors,
            disabled_reason=state.disabled_reason or None,
            disabled_at=iso_or_none(state.disabled_ms),
            last_error=state.last_error or None,
            next_attempt_at=iso_or_none(state.retry_ms),
        ),
        counts=CountsOut(
            windows=state.windows,
            pending=state.pending,
            parked=state.parked,
            held_messages=state.pending_messages + state.buffered_messages,
        ),
        version=settings.version,
        created_at=iso(settings.created_ms),
        secret=secret,
    )


def action_out(action: Action) -> ActionOut:
    return ActionOut(
        at=iso(action.at_ms),
        action=action.action,
        chat_id=action.chat_id or None,
        messages=action.messages,
        outcome=action.outcome,
        detail=action.detail,
    )


def exchange_out(exchange: Exchange) -> ExchangeOut:
    response = ResponseOut(
        status=exchange.status,
        headers=list(exchange.response_headers),
        body=exchange.response_body.decode(errors="replace"),
        truncated=exchange.truncated,
    )
    return ExchangeOut(
        at=iso(exchange.at_ms),
        delivery_id=exchange.delivery_id,
        attempt=exchange.attempt,
        chat_id=exchange.chat_id or None,
        request=RequestOut(
            url=exchange.url,
            headers=dict(exchange.request_headers),
            body=exchange.request_body.decode(errors="replace"),
        ),
        response=response if exchange.status else None,
        error=exchange.error or None,
        duration_ms=exchange.duration_ms,
        outcome=exchange.outcome,
    )
