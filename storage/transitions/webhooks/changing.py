"""Changes the settings of one webhook. settings.py and webhooks.py say when, and tell of it."""

from typing import Any, TypeVar

import msgspec

from hookbundle.engine import durations, limits
from hookbundle.engine.delivery import budgets, rates
from hookbundle.engine.delivery.urls import shown_url
from hookbundle.engine.error_codes import Code, bounded
from hookbundle.engine.errors import Conflict
from hookbundle.engine.filters.compiled import compiled
from hookbundle.engine.requests.request import in_a_line as request_in_a_line
from hookbundle.engine.requests.request import stored
from hookbundle.engine.requests.wanted import Wanted
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import Settings, Webhook, Workspace
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import readiness
from hookbundle.storage.tables.pacing import pace
from hookbundle.storage.tables.rules import ends
from hookbundle.storage.transitions import switching
from hookbundle.storage.transitions.rendering import formatting
from hookbundle.storage.transitions.webhooks import of_request

S = TypeVar("S", Workspace, Webhook)

OF_WEBHOOK = (
    "url",
    "aggregation_ms",
    "window",
    "success",
    "success_rules",
    "filter",
    "messages_max",
    "bytes_max",
    "rate_count",
    "rate_ms",
    "budget",
    "warnings",
    "format",
    "format_options",
)
RATE = {"rate_count", "rate_ms"}
WINDOW = {"aggregation_ms", "window"}
FORMAT = {"format", "format_options"}

LIMITS = {"messages_max": "limits.messages", "bytes_max": "limits.bytes"}
WHOLE = {
    "messages_max": limits.BUNDLE_MESSAGES_MAX,
    "bytes_max": limits.BUNDLE_BODY_BYTES_MAX,
}


class WebhookChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants changed of a webhook; what is None stays. Fields as in `Webhook`.

    `enabled` None on creation means true. A length and a rule are one setting: of a change that
    names either, the other one is replaced, and a rule goes before a length.
    """

    url: str | None = None
    aggregation_ms: int | None = None
    window: bytes | None = None
    success: str | None = None
    success_rules: bytes | None = None
    filter: bytes | None = None
    messages_max: int | None = None
    bytes_max: int | None = None
    rate_count: int | None = None
    rate_ms: int | None = None
    budget: int | None = None
    warnings: bool | None = None
    format: bytes | None = None
    format_options: bytes | None = None
    request: Wanted | None = None
    enabled: bool | None = None


class SettingsChanged(msgspec.Struct, frozen=True):
    """`fields`: those that differ, with their new values. `switch`: it is still to be enabled
    (True) or disabled (False); `also`: other settings were changed with it. `dropped`: what was not
    kept of its request."""

    number: int
    fields: dict[str, Any]
    switch: bool | None
    also: bool
    dropped: tuple[str, ...] = ()


def are_some(changes: WebhookChanges) -> bool:
    """Whether anything of a webhook is to be changed."""
    names = (*OF_WEBHOOK, "request", "enabled")
    return any(getattr(changes, name) is not None for name in names)


def change(
    unit: Unit,
    settings: Settings,
    webhook: Webhook,
    changes: WebhookChanges,
    now_ms: int,
    caller: str,
    *,
    also: bool,
) -> SettingsChanged:
    """The webhook has its new settings, but is not switched yet: `finish` does that.

    `settings`: as they are to be, but for these changes; `also`: something in them is new.

    Raises: Conflict, before the first write, if it would be enabled without a URL.
    """
    after, fields = changed_fields(webhook, _with_one_window(changes), OF_WEBHOOK)
    after, dropped = of_request.changed(webhook, after, changes, fields)
    for names in (RATE, WINDOW):
        if names & fields.keys():  # they are one setting, told as one
            fields.update({name: getattr(after, name) for name in sorted(names)})
    state = unit.state(webhook.number)
    switch = None if changes.enabled == state.enabled else changes.enabled
    if switch and not after.url:
        raise Conflict.of(Code.NO_WEBHOOK_URL, workspace=settings.workspace.id)
    if changes.enabled is False and state.merging is not None:
        state.merging.enable = False  # it was to be enabled at the end of the merge
    if fields or also:
        kept = settings.with_webhook(after)
        if switch is None:  # else switching makes the next version
            is_new = settings.webhook_or_none(webhook.number) is None
            kept = kept.next_version(after if fields or is_new else None)
        unit.keep_settings(kept)
        settings, after = kept, kept.webhook(webhook.number)
    if "url" in fields:
        switching.start_over(unit, settings, after, now_ms, caller, fails_too=True)
    if (RATE | {"budget"}) & fields.keys():
        pace.changed(settings.workspace, webhook, after, state, now_ms)
    if FORMAT & fields.keys():
        formatting.render_anew(unit, settings, after, now_ms, caller)
    if WINDOW & fields.keys() and state.windows:
        retime_windows(unit, after, state)
    return SettingsChanged(webhook.number, fields, switch, also, dropped)


def finish(unit: Unit, changed: SettingsChanged, now_ms: int, caller: str) -> tuple[int, ...]:
    """The webhook is switched on or off, if it was to be. Returns it if it became ready."""
    settings, webhook = unit.webhook_numbered(changed.number)
    only_switched = not (changed.fields or changed.also)
    if changed.switch:
        switching.start_over(unit, settings, webhook, now_ms, caller)
        switching.switch_on(unit, settings, webhook, now_ms, caller, only_switched=only_switched)
    elif changed.switch is not None:
        switching.switch_off(
            unit, settings, webhook, "manual", now_ms, caller, only_switched=only_switched
        )
    wake = readiness.reconcile(unit, webhook, unit.state(webhook.number))
    return (webhook.number,) if wake else ()


def judge_budgets(unit: Unit, settings: Settings) -> tuple[int, ...]:
    """The time zone was changed, and with it the end of the day: what waits for it may go earlier.

    Returns the webhooks that became ready. If the budget is still used up, they wait again.
    """
    ready = []
    for webhook in settings.webhooks:
        state = unit.state(webhook.number)
        if webhook.budget and state.paced_ms:
            state.paced_ms = 0
            if readiness.reconcile(unit, webhook, state):
                ready.append(webhook.number)
    return tuple(ready)


def follow_zone(unit: Unit, settings: Settings) -> None:
    """The workspace's time zone was changed, and with it what ends at times of its days."""
    for webhook in settings.webhooks:
        state = unit.state(webhook.number)
        if webhook.window and state.windows and ends.setting(webhook).uses_workspace_zone:
            retime_windows(unit, webhook, state)


def check_words(
    workspace_id: str, before: Settings | None, webhook_id: str, changes: WebhookChanges
) -> None:
    """Raises: Conflict if the filters of the workspace, this one changed, look for too many words.

    To be asked before anything is written.
    """
    if not changes.filter and not changes.window:
        return
    found = {each.id: each for each in before.webhooks} if before else {}
    own = found.get(webhook_id) or Webhook(id=webhook_id, number=0, workspace=0)
    found[webhook_id], _ = changed_fields(own, _with_one_window(changes), OF_WEBHOOK)
    words = frozenset[str]().union(*map(_words, found.values()))
    most = limits.FILTER_WORDS_OF_ALL_MAX
    if len(words) > most:
        raise Conflict.of(Code.TOO_MANY_WORDS, workspace=workspace_id, count=len(words), most=most)


def _words(webhook: Webhook) -> frozenset[str]:
    """Those that are looked for in texts, for its filter and for the rules of its windows."""
    words = compiled(webhook.filter).words if webhook.filter else frozenset[str]()
    return words | ends.setting(webhook).words if webhook.window else words


def _with_one_window(changes: WebhookChanges) -> WebhookChanges:
    """The changes with both halves of what they say of windows."""
    if changes.window:
        return msgspec.structs.replace(changes, aggregation_ms=0)
    if changes.aggregation_ms is not None:
        return msgspec.structs.replace(changes, window=b"")
    return changes


def changed_fields(
    record: S, changes: WebhookChanges, names: tuple[str, ...]
) -> tuple[S, dict[str, Any]]:
    """The record with the changes to these of its fields, and those that differ."""
    fields = {
        name: value
        for name in names
        if (value := getattr(changes, name)) is not None and value != getattr(record, name)
    }
    return (msgspec.structs.replace(record, **fields) if fields else record), fields


def retime_windows(unit: Unit, webhook: Webhook, state: WebhookState) -> None:
    """The timer will go through the windows in steps; see retiming.py."""
    if state.retime_after is None:
        unit.put_due(Due(0, DueKind.RETIME, webhook.number))
    state.retime_after = b""


def told(fields: dict[str, Any]) -> dict[str, Any]:
    """The changes as feed and activity tell of them: no query of a URL, no value of a header, no
    credentials; a filter's beginning."""
    shown = dict(fields)
    if "url" in shown:
        shown["url"] = shown_url(shown["url"])
    if "request" in shown:
        shown["request"] = request_in_a_line(stored(shown["request"]))
    if "filter" in shown:
        shown["filter"] = bounded(shown["filter"].decode()) or "none"
    if "success_rules" in shown:
        shown["success_rules"] = bounded(shown["success_rules"].decode()) or "none"
    if "window" in shown:
        window = shown.pop("window")
        if window:
            del shown["aggregation_ms"]
            shown["window"] = bounded(window.decode())
    if "dropped" in shown:
        shown["dropped"] = " + ".join(shown["dropped"])
    for name, most in WHOLE.items():
        if name in shown:
            shown[name] = shown[name] or most
    if "rate_count" in shown:
        rate = rates.Rate(shown.pop("rate_count"), shown.pop("rate_ms"))
        shown["rate"] = rates.text_of(rate) or "none"
    shown.update(formatting.told(shown))
    if "budget" in shown:
        shown["budget"] = budgets.text_of(shown["budget"]) or "none"
    return shown


def in_a_line(shown: dict[str, Any], caller: str) -> str:
    """What `told` gives, as the detail of a line of the activity log."""
    shown = {LIMITS.get(name, name): value for name, value in shown.items()}
    if "warnings" in shown:
        shown["warnings"] = "on" if shown["warnings"] else "off"
    if "aggregation_ms" in shown:
        length_ms = shown.pop("aggregation_ms")
        shown["aggregation"] = durations.format_ms(length_ms) if length_ms else "none"
    return ", ".join([*(f"{name} {value}" for name, value in shown.items()), f"by {caller}"])
