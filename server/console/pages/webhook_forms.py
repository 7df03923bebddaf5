"""The form with the settings of a webhook, and of its workspace where both stand on one page."""

from dataclasses import replace

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages import parsing
from hookbundle.server.console.forms import Form
from hookbundle.server.console.pages.success import fields as success
from hookbundle.server.console.pages.window_rules import fields
from hookbundle.server.http.requests import VERSION_MAX, number_of
from hookbundle.server.http.schemas.webhooks.webhook import (
    LimitsIn,
    WebhookIn,
    webhook_out,
    window_out,
)
from hookbundle.server.http.schemas.workspaces import Language, WorkspaceIn
from hookbundle.storage.database.settings import OUTBOUND, Webhook
from hookbundle.storage.reads.workspace_view import WebhookView, WorkspaceView

OF_WORKSPACE = frozenset(("name", "owner_email", "language", "time_zone"))
LIMITS = {"limits.messages": "limits_messages", "limits.bytes": "limits_bytes"}
NUMBER_MAX = 10**9
UNTICKED = {"enabled": "", "warnings": "", **fields.UNTICKED}


def shown_workspace(view: WorkspaceView) -> dict[str, str]:
    """The settings of the workspace as the form shows them."""
    settings = view.settings
    return {
        "name": settings.name,
        "owner_email": settings.owner_email,
        "language": settings.language,
        "time_zone": settings.time_zone,
        "version": str(settings.settings_version),
    }


def shown_webhook(it: WebhookView) -> dict[str, str]:
    """The settings of the webhook as the form shows them."""
    hook = webhook_out(it)
    return {
        "url": hook.url,
        **fields.shown(hook.window),
        **success.shown(it.webhook),
        "rate": hook.rate or "",
        "budget": hook.budget or "",
        "limits_messages": str(hook.limits.messages),
        "limits_bytes": str(hook.limits.bytes),
        "warnings": "on" if hook.warnings else "",
        "webhook_version": str(hook.version),
        "was_enabled": "on" if hook.enabled else "",
        "enabled": "on" if hook.enabled else "",
    }


def workspace_of(form: Form, webhook: WebhookIn = WebhookIn()) -> WorkspaceIn:  # noqa: B008
    """The settings as the API takes them. Raises: InvalidInput."""
    language: Language | UnsetType = UNSET
    match form.get("language"):
        case "en":
            language = "en"
        case "ar":
            language = "ar"
    wanted = WorkspaceIn(
        name=form["name"].strip() if "name" in form else UNSET,
        # Only the operator's form has it.
        owner_email=form["owner_email"].strip() if "owner_email" in form else UNSET,
        language=language,
        time_zone=form["time_zone"].strip() if "time_zone" in form else UNSET,
        webhook=webhook,
    )
    return parsing.parse_as(msgspec.json.encode(wanted), WorkspaceIn)


def webhook_of(form: Form, present: Webhook | None = None) -> WebhookIn:
    """The settings as the API takes them; lengths are checked by the type. Raises: InvalidInput.

    `present`: the webhook as it is; a window that the form shows as it is does not change it.
    The switch counts only if it was moved: a form that was open while the webhook was disabled
    must not enable it again by the way.
    """
    enabled = form.get("enabled", "") == "on"
    moved = enabled != (form.get("was_enabled", "") == "on")
    window = fields.wanted(form)
    is_same = present is not None and fields.is_same(window, window_out(present))
    wanted = WebhookIn(
        url=form.get("url", "").strip(),
        window=UNSET if is_same else window,
        enabled=enabled if moved else UNSET,
        success=success.statuses_of(form),
        success_rules=success.rules_of(form, present),
        rate=form["rate"].strip() or None if "rate" in form else UNSET,
        budget=form["budget"].strip() or None if "budget" in form else UNSET,
        limits=_limits_of(form),
        warnings=form.get("warnings", "") == "on" if "has_warnings" in form else UNSET,
    )
    return parsing.parse_as(msgspec.json.encode(wanted), WebhookIn)


def faults_of(error: InvalidInput, form: Form) -> dict[str, Fault]:
    """What is wrong, by the field of the form."""
    found: dict[str, Fault] = {}
    for each in error.faults:
        path = each.path.removeprefix("webhook.")
        if path.partition(".")[0].partition("[")[0] == "window":
            here = replace(each, path=path)
            found.setdefault(fields.place_of(here, form), here)
        else:
            found.setdefault(LIMITS.get(path, success.place_of(path)), each)
    return found


def is_of_both(webhook_id: str, form: Form) -> bool:
    """Whether the form is about the workspace, too, and so was filled in on its version."""
    of_workspace = bool(OF_WORKSPACE & form.keys()) or "webhook_version" not in form
    return webhook_id == OUTBOUND and of_workspace


def version_seen(form: Form, view: WorkspaceView) -> int | None:
    """The version that the form was filled in on; None if it does not say.

    It is the present one if the webhook was but switched since: a form may be open for an hour, and
    the switch counts only if it was moved.
    """
    seen = number_of(form.get("version", ""), VERSION_MAX)
    if seen is None or seen != view.settings.settings_version:
        return seen
    return view.settings.version


def _limits_of(form: Form) -> LimitsIn | UnsetType:
    """What is not a number is sent on as one that is refused, so that the fault is told."""
    if "limits_messages" not in form or "limits_bytes" not in form:
        return UNSET
    messages, size = (
        -1 if number is None else number
        for number in (
            number_of(form[name].strip(), NUMBER_MAX)
            for name in ("limits_messages", "limits_bytes")
        )
    )
    return LimitsIn(messages=messages, bytes=size)
