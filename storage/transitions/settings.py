"""Creates a workspace, and changes its settings: its own, and those of its webhook `outbound`."""

from typing import Any

import msgspec

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotAllowed, NotFound, PreconditionRequired
from hookbundle.engine.preconditions import Precondition, check
from hookbundle.storage import facts
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.records import Usage, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import (
    OUTBOUND,
    Secret,
    Settings,
    Webhook,
    Workspace,
    no_webhook,
)
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity, outbox
from hookbundle.storage.transitions.webhooks import changing, of_request
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges, changed_fields

OWNER_SET = "(set)"  # what is told of an address
OF_WORKSPACE = ("name", "owner_email", "language", "time_zone")
OF_MAILS = {"owner_email", "language", "time_zone"}


class Changes(WebhookChanges, frozen=True, kw_only=True):
    """What a caller wants changed of a workspace and its webhook `outbound`; None stays."""

    name: str | None = None
    owner_email: str | None = None
    language: str | None = None
    time_zone: str | None = None


class ChangeWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """`new_secret` signs if the workspace has to be made. `must_match`: what is there is changed
    only by a caller who names its version, or `*`: he wants to replace all of it.

    `by_its_own`: a token of the workspace itself wants it, which may not set the owner's address:
    mails go there under our name. `names_webhook`: the caller speaks of `outbound`; else its
    settings change only if it is there.
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
    names_webhook: bool = True


class WorkspaceChanged(msgspec.Struct, frozen=True):
    """`secret` is given once, to the one who made the workspace.

    `wake`: webhooks that became ready. `dropped`: what was not kept of the request of `outbound`,
    because its URL leads elsewhere.
    """

    workspace_number: int
    version: int
    created: bool
    secret: str
    wake: tuple[int, ...]
    dropped: tuple[str, ...] = ()


def change_workspace(unit: Unit, transition: ChangeWorkspace) -> WorkspaceChanged:
    """Raises: NotFound if it is absent and may not be created, or has no `outbound` to change;
    Changed if the precondition does not hold; PreconditionRequired if there is none and must be;
    NotAllowed if it wants another owner and may not have it; Conflict if it would enable a webhook
    without URL, or filters look for too many words; InvalidInput if a value of its request is to
    stay that is not set."""
    before = unit.find_workspace(transition.workspace_id)
    created = before is None
    _check_precondition(transition, before)
    _check_owner(transition, before)
    changing.check_words(transition.workspace_id, before, OUTBOUND, transition.changes)
    of_request.check(before.find(OUTBOUND) if before else None, transition.changes)
    if before is None:
        before = _created(unit, transition)
    changes, now_ms, caller = transition.changes, transition.now_ms, transition.caller
    workspace, fields = changed_fields(before.workspace, changes, OF_WORKSPACE)
    settings = msgspec.structs.replace(before, workspace=workspace)
    outbound = before.find(OUTBOUND)
    if outbound is None and transition.names_webhook and changing.are_some(changes):
        raise no_webhook(OUTBOUND, workspace.id)
    changed = None
    if outbound is not None:
        changed = changing.change(
            unit, settings, outbound, changes, now_ms, caller, also=bool(fields) or created
        )
        fields.update(changed.fields)
    elif fields:
        unit.keep_settings(settings.next_version())
    after = unit.workspace_numbered(workspace.number)
    if OF_MAILS & fields.keys() and not created:
        outbox.readdress(unit, after.workspace, now_ms)
    if fields or created:
        _tell(unit, after, transition, fields, created=created)
    wake: tuple[int, ...] = ()
    if "time_zone" in fields:
        changing.follow_zone(unit, after)
        wake = changing.judge_budgets(unit, after)
    if changed:
        wake += changing.finish(unit, changed, now_ms, caller)
    return WorkspaceChanged(
        workspace_number=workspace.number,
        version=unit.workspace_numbered(workspace.number).workspace.version,
        created=created,
        secret=transition.new_secret if created else "",
        wake=wake,
        dropped=changed.dropped if changed else (),
    )


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
        created_ms=transition.now_ms,
    )
    unit.put(keyspace.owned(keyspace.NAMES, number), WorkspaceName(id=workspace.id))
    unit.keep_state(number, WebhookState(workspace=number))
    unit.keep_usage(number, Usage(trimmed_ms=0, arrivals_since_ms=transition.now_ms))
    return Settings(workspace, (webhook,))


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
    action = Action(
        at_ms=transition.now_ms,
        action="created" if created else "settings changed",
        detail=changing.in_a_line(told(fields), transition.caller),
    )
    activity.add(unit, settings.first.number, action)


def told(fields: dict[str, Any]) -> dict[str, Any]:
    """The changes as feed and activity tell of them: no query of a URL, and no address."""
    shown = changing.told(fields)
    if shown.get("owner_email"):
        shown["owner_email"] = OWNER_SET
    return shown
