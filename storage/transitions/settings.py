"""Creates and changes a workspace's settings, and rotates its signing secret. All is recorded."""

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from hookbundle.engine import durations, limits
from hookbundle.engine.delivery.urls import shown_url
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    PreconditionRequired,
)
from hookbundle.engine.preconditions import Precondition, check
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import (
    Secret,
    Usage,
    Webhook,
    WebhookState,
    Workspace,
    WorkspaceName,
)
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, outbox, readiness
from hookbundle.storage.transitions import switching

S = TypeVar("S", Workspace, Webhook)

OUTBOUND = "outbound"  # the webhook that is made with its workspace
OWNER_SET = "(set)"  # what is told of an address
OF_WORKSPACE = ("name", "owner_email", "language", "time_zone")
OF_MAILS = {"owner_email", "language", "time_zone"}
OF_WEBHOOK = ("url", "aggregation_ms", "success")


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants changed; what is None stays. `enabled` None on creation means true."""

    name: str | None = None
    owner_email: str | None = None
    language: str | None = None
    time_zone: str | None = None
    url: str | None = None
    aggregation_ms: int | None = None
    success: Literal["200", "2xx"] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWorkspace:
    """`new_secret` signs if the workspace has to be made. `must_match`: what is there is changed
    only by a caller who names its version, or `*`: he wants to replace all of it.

    `by_its_own`: a token of the workspace itself wants it, which may not set the owner's address:
    mails go there under our name.
    """

    workspace_id: str
    changes: Changes
    precondition: Precondition | None
    may_create: bool
    new_secret: str
    now_ms: int
    caller: str
    must_match: bool = False
    by_its_own: bool = False


@dataclass(frozen=True, slots=True)
class WorkspaceChanged:
    """`secret` is given once, to the one who made the workspace.

    `wake`: webhooks that became ready.
    """

    workspace_number: int
    version: int
    created: bool
    secret: str
    wake: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSecret:
    """The new secret signs from now on; older ones sign beside it until `keep_until_ms` at most."""

    workspace_id: str
    new_secret: str
    keep_until_ms: int
    now_ms: int
    caller: str
    precondition: Precondition | None = None


@dataclass(frozen=True, slots=True)
class SecretRotated:
    """`version`: of the workspace, with the new secret."""

    version: int


def change_workspace(unit: Unit, transition: ChangeWorkspace) -> WorkspaceChanged:
    """Raises: NotFound if it is absent and may not be created; Changed if the precondition does not
    hold; PreconditionRequired if there is none and must be; NotAllowed if it wants another owner
    and may not have it."""
    before = unit.find_workspace(transition.workspace_id)
    created = before is None
    _check_precondition(transition, before)
    _check_owner(transition, before)
    if before is None:
        before = _created(unit, transition)
    changes = transition.changes
    workspace, of_workspace = _changed(before.workspace, changes, OF_WORKSPACE)
    webhook, of_webhook = _changed(before.outbound, changes, OF_WEBHOOK)
    fields = {**of_workspace, **of_webhook}
    state = unit.state(webhook.number)
    switches = changes.enabled is not None and changes.enabled != state.enabled
    if changes.enabled and switches and not webhook.url:
        raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=workspace.id)
    after = Settings(workspace, (webhook, *before.webhooks[1:]))
    if fields or created:
        after = after if switches else after.next_version()  # switching makes the next one
        unit.keep_settings(after)
    if "url" in fields:
        switching.start_over(
            unit, after, webhook, transition.now_ms, transition.caller, fails_too=True
        )
    if "aggregation_ms" in fields and state.windows:
        retime_windows(unit, webhook, state)
    if OF_MAILS & fields.keys() and not created:
        outbox.readdress(unit, after.workspace, transition.now_ms)
    if fields or created:
        _tell(unit, after, transition, fields, created=created)
    now_ms, caller, only_switched = transition.now_ms, transition.caller, not (fields or created)
    if switches and changes.enabled:
        switching.start_over(unit, after, webhook, now_ms, caller)
        switching.switch_on(unit, after, webhook, now_ms, caller, only_switched=only_switched)
    elif switches:
        switching.switch_off(
            unit, after, webhook, "manual", now_ms, caller, only_switched=only_switched
        )
    wake = readiness.reconcile(unit, webhook, state)
    return WorkspaceChanged(
        workspace_number=workspace.number,
        version=unit.workspace(workspace.id).workspace.version,
        created=created,
        secret=transition.new_secret if created else "",
        wake=(webhook.number,) if wake else (),
    )


def rotate_secret(unit: Unit, transition: RotateSecret) -> SecretRotated:
    """Raises: NotFound; Changed if the precondition does not hold; Conflict if more secrets would
    sign than receivers accept."""
    settings = unit.workspace(transition.workspace_id)
    check(transition.precondition, settings.workspace.version, settings.workspace.id)
    webhook, now_ms = settings.outbound, transition.now_ms
    kept = []
    for secret in webhook.secrets:
        expires_ms = min(secret.expires_ms or transition.keep_until_ms, transition.keep_until_ms)
        if expires_ms > now_ms:
            kept.append(Secret(value=secret.value, expires_ms=expires_ms))
    secrets = (Secret(value=transition.new_secret), *kept)
    if len(secrets) > limits.SECRETS_MAX:
        raise Conflict.of(Code.TOO_MANY_SECRETS, workspace=settings.workspace.id, count=len(kept))
    rotated = msgspec.structs.replace(webhook, secrets=secrets)
    settings = Settings(settings.workspace, (rotated, *settings.webhooks[1:])).next_version()
    unit.keep_settings(settings)
    fact = facts.WorkspaceSecretRotated(
        caller=transition.caller, keep_until=transition.keep_until_ms
    )
    unit.tell(settings.workspace, fact, now_ms)
    action = Action(at_ms=now_ms, action="secret rotated", detail=f"by {transition.caller}")
    activity.add(unit, webhook.number, action)
    return SecretRotated(settings.workspace.version)


def _check_precondition(transition: ChangeWorkspace, before: Settings | None) -> None:
    workspace_id, wanted = transition.workspace_id, transition.precondition
    # What would be 404 anyway is not 412: RFC 9110, 13.2.1.
    if before is None and not transition.may_create:
        raise NotFound.of(Code.NO_WORKSPACE, workspace=workspace_id)
    check(wanted, before.workspace.version if before else None, workspace_id)
    names_version = wanted is not None and wanted.if_match is not None
    if before is not None and transition.must_match and not names_version:
        raise PreconditionRequired.of(Code.PRECONDITION_REQUIRED, workspace=workspace_id)


def _check_owner(transition: ChangeWorkspace, before: Settings | None) -> None:
    owner = before.workspace.owner_email if before else ""
    if transition.by_its_own and transition.changes.owner_email not in (None, owner):
        raise NotAllowed.of(Code.OWNER_EMAIL_FIXED)


def _changed(record: S, changes: Changes, names: tuple[str, ...]) -> tuple[S, dict[str, Any]]:
    """The record with the changes to these of its fields, and those that differ."""
    fields = {
        name: value
        for name in names
        if (value := getattr(changes, name)) is not None and value != getattr(record, name)
    }
    return (msgspec.structs.replace(record, **fields) if fields else record), fields


def _created(unit: Unit, transition: ChangeWorkspace) -> Settings:
    number = unit.meta.workspace_next
    unit.meta.workspace_next += 1
    workspace = Workspace(
        id=transition.workspace_id, number=number, version=0, created_ms=transition.now_ms
    )
    webhook = Webhook(
        id=OUTBOUND,
        number=number,
        workspace=number,
        secrets=(Secret(value=transition.new_secret),),
    )
    unit.put(keyspace.owned(keyspace.NAMES, number), WorkspaceName(id=workspace.id))
    unit.keep_state(number, WebhookState(workspace=number))
    unit.keep_usage(number, Usage(trimmed_ms=0))
    return Settings(workspace, (webhook,))


def retime_windows(unit: Unit, webhook: Webhook, state: WebhookState) -> None:
    """The timer will go through the windows in steps; see retiming.py."""
    if state.retime_after is None:
        unit.put_due(Due(0, DueKind.RETIME, webhook.number))
    state.retime_after = b""


def _tell(
    unit: Unit,
    settings: Settings,
    transition: ChangeWorkspace,
    fields: dict[str, Any],
    *,
    created: bool,
) -> None:
    kind = facts.WorkspaceCreated if created else facts.WorkspaceChanged
    fact = kind(caller=transition.caller, changes=told(fields))
    unit.tell(settings.workspace, fact, transition.now_ms)
    shown = told(fields)
    if "aggregation_ms" in shown:
        length_ms = shown.pop("aggregation_ms")
        shown["aggregation"] = durations.format_ms(length_ms) if length_ms else "none"
    action = Action(
        at_ms=transition.now_ms,
        action="created" if created else "settings changed",
        detail=", ".join([*(f"{k} {v}" for k, v in shown.items()), f"by {transition.caller}"]),
    )
    activity.add(unit, settings.outbound.number, action)


def told(fields: dict[str, Any]) -> dict[str, Any]:
    """The changes as feed and activity tell of them: no query of a URL, and no address."""
    shown = dict(fields)
    if "url" in shown:
        shown["url"] = shown_url(shown["url"])
    if shown.get("owner_email"):
        shown["owner_email"] = OWNER_SET
    return shown
