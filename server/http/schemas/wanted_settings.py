"""The settings that a caller wants for a workspace or a webhook, judged as a whole: every fault."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine import limits, time_zones
from hookbundle.engine.delivery.addresses import AddressPolicy, faults_of_url
from hookbundle.engine.delivery.answers import wanted as success
from hookbundle.engine.errors import Fault, InvalidInput, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.filters.parsing import parse, written
from hookbundle.engine.requests import wanted as requests
from hookbundle.engine.requests.wanted import DEFAULT as DEFAULT_REQUEST
from hookbundle.engine.requests.wanted import Wanted
from hookbundle.server.http.schemas.pace import budget_of, rate_of
from hookbundle.server.http.schemas.webhooks.formats import Formatted
from hookbundle.server.http.schemas.webhooks.webhook import LimitsIn, WebhookIn
from hookbundle.server.http.schemas.windows.wanted import window_of
from hookbundle.server.http.schemas.workspaces import WorkspaceIn
from hookbundle.storage.database.settings import OUTBOUND, Webhook
from hookbundle.storage.transitions.settings import Changes
from hookbundle.storage.transitions.webhooks.changing import OF_WEBHOOK, WebhookChanges

T = TypeVar("T")

NEW_WEBHOOK = Webhook(id="", number=0, workspace=0)
WEBHOOK_ID = re.compile(rf"[a-z0-9][a-z0-9-]{{0,{limits.WEBHOOK_ID_CHARS_MAX - 1}}}")
WORKSPACE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
# One plain address (RFC 5322 dot-atom, RFC 6531 letters). Comments, groups, quotes and encoded
# words are addresses to some readers of a mail's headers and something else to others.
ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
EMAIL = re.compile(rf"(?!.*=\?)(?=[^@]{{1,64}}@){ATOM}(\.{ATOM})*@[^\W_][\w-]*(\.[^\W_][\w-]*)*")
WEBHOOK_DEFAULTS: dict[str, Any] = {
    **{name: getattr(NEW_WEBHOOK, name) for name in OF_WEBHOOK},
    "request": DEFAULT_REQUEST,
}
DEFAULTS = Changes(name="", owner_email="", language="en", time_zone="UTC", **WEBHOOK_DEFAULTS)


def changes_of(
    workspace_id: str,
    wanted: WorkspaceIn,
    formatted: Formatted,
    policy: AddressPolicy,
    *,
    whole: bool,
) -> Changes:
    """The changes that the body asks for. `whole`: of all settings, see `with_defaults`.

    `formatted`: of its webhook, whose paths begin with `webhook.`.

    Raises: InvalidInput with every fault.
    """
    faults: list[Fault] = []
    if not WORKSPACE_ID.fullmatch(workspace_id):
        faults.append(fault("id", FaultCode.NO_ID, most=limits.WORKSPACE_ID_CHARS_MAX))
    if wanted.owner_email and not EMAIL.fullmatch(wanted.owner_email):
        faults.append(fault("owner_email", FaultCode.NO_ADDRESS))
    if wanted.time_zone is not UNSET:
        wrong = time_zones.fault_of("time_zone", wanted.time_zone)
        faults += [wrong] if wrong else []
    of_webhook = _of_webhook("webhook.", formatted, policy, faults, whole=whole)
    if faults:
        raise InvalidInput(tuple(faults))
    return Changes(
        name=_text(wanted.name),
        owner_email=_text(wanted.owner_email),
        language=_given(wanted.language),
        time_zone=_given(wanted.time_zone),
        **of_webhook,
    )


def webhook_changes_of(
    webhook_id: str, formatted: Formatted, policy: AddressPolicy, *, whole: bool
) -> WebhookChanges:
    """The changes that the body asks for. `whole`: of all settings; what is not named has its
    default. Raises: InvalidInput with every fault."""
    faults: list[Fault] = []
    wanted = formatted.hook
    if not WEBHOOK_ID.fullmatch(webhook_id):
        got, most = quoted(webhook_id), limits.WEBHOOK_ID_CHARS_MAX
        faults.append(fault("id", FaultCode.NO_WEBHOOK_ID, got=got, most=most))
    if webhook_id != OUTBOUND and not wanted.url and (whole or wanted.url is not UNSET):
        missing = wanted.url is UNSET
        faults.append(fault("url", FaultCode.MISSING if missing else FaultCode.EMPTY))
    fields = _of_webhook("", formatted, policy, faults, whole=whole)
    if faults:
        raise InvalidInput(tuple(faults))
    if whole:
        fields = {**WEBHOOK_DEFAULTS, **{k: v for k, v in fields.items() if v is not None}}
    return WebhookChanges(**fields)


def _of_webhook(
    at: str, formatted: Formatted, policy: AddressPolicy, faults: list[Fault], *, whole: bool
) -> dict[str, Any]:
    """The fields of `WebhookChanges`, and each fault; paths begin with `at`."""
    hook = formatted.hook
    faults += formatted.faults
    if hook.url:
        faults += faults_of_url(f"{at}url", hook.url, policy)
    return {
        "url": _text(hook.url),
        **window_of(at, hook, faults),
        **_success_of(at, hook, faults),
        "filter": _filter_of(f"{at}filter", hook.filter, faults),
        **_limits_of(hook.limits),
        **rate_of(f"{at}rate", hook.rate, faults),
        "budget": budget_of(f"{at}budget", hook.budget, faults),
        "warnings": _given(hook.warnings),
        "request": _request_of(f"{at}request", hook.request, policy, faults, whole=whole),
        **formatted.fields,
        "enabled": _given(hook.enabled),
    }


def _success_of(at: str, hook: WebhookIn, faults: list[Fault]) -> dict[str, str | bytes | None]:
    """What counts as delivered, in both fields as it is stored; None stays."""
    statuses, rules = hook.success, hook.success_rules
    return {
        "success": (
            None if statuses is UNSET else success.success(f"{at}success", statuses, faults)
        ),
        "success_rules": (
            None if rules is UNSET else success.rules(f"{at}success_rules", rules, faults)
        ),
    }


def _limits_of(given: LimitsIn | UnsetType | None) -> dict[str, int | None]:
    """The largest limits that there are, are stored as none of its own."""
    if given is UNSET:
        return {"messages_max": None, "bytes_max": None}
    if given is None:
        return {"messages_max": 0, "bytes_max": 0}
    messages, size = _given(given.messages), _given(given.bytes)
    return {
        "messages_max": 0 if messages == limits.BUNDLE_MESSAGES_MAX else messages,
        "bytes_max": 0 if size == limits.BUNDLE_BODY_BYTES_MAX else size,
    }


def _filter_of(
    path: str, wanted: dict[str, Any] | UnsetType | None, faults: list[Fault]
) -> bytes | None:
    """The filter as it is stored; None stays. Each fault is added."""
    if wanted is UNSET:
        return None
    try:
        parse(wanted, path)
    except InvalidInput as exc:
        faults += exc.faults
        return None
    return written(wanted)


def _request_of(
    path: str,
    wanted: dict[str, Any] | UnsetType | None,
    policy: AddressPolicy,
    faults: list[Fault],
    *,
    whole: bool,
) -> Wanted | None:
    """What is to be changed of the request; None stays. Each fault is added."""
    if wanted is UNSET:
        return None
    return requests.parse(wanted, path, policy, faults, whole=whole)


def with_defaults(changes: Changes, *, by_its_own: bool) -> Changes:
    """All settings: those that are not named have their defaults.

    But not the owner's address if the workspace's own token asks, which may not set it.
    """
    defaults = msgspec.structs.asdict(DEFAULTS)
    if by_its_own:
        defaults["owner_email"] = None
    given = {k: v for k, v in msgspec.structs.asdict(changes).items() if v is not None}
    return Changes(**{**defaults, **given})


def _given(value: T | UnsetType) -> T | None:
    """None stays; so does what is not named."""
    return None if value is UNSET else value


def _text(value: str | UnsetType | None) -> str | None:
    """A text that may be empty, for which null is another word."""
    return "" if value is None else _given(value)
