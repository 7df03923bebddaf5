"""The state of the workspaces twice over: folded from the events of the feed, read from the disk.

If the two differ, a transition changes something that it does not tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookbundle.engine.messages.timestamps import parse_ms, rfc_3339
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WebhookView, state_in
from hookbundle.storage.tables.queue import delivery_id
from hookbundle.storage.tables.repeating.resends import is_waiting
from hookbundle.storage.transitions.settings import told
from hookbundle.tests.folded.webhook import Hook, Untold

EVERY = 1_000_000


@dataclass
class State:
    """A workspace, and its webhooks by their ids. `outbound` may be deleted."""

    settings: dict[str, Any]
    hooks: dict[str, Hook]

    @property
    def windows(self) -> dict[str, tuple[int, str | Untold]]:
        """Of `outbound`, as the rest."""
        return self.hooks[OUTBOUND].windows

    @property
    def queue(self) -> list[str]:
        return self.hooks[OUTBOUND].queue

    @property
    def dead_letters(self) -> list[str]:
        return self.hooks[OUTBOUND].dead_letters


OF_WORKSPACE = {"name": "", "owner_email": "", "language": "en", "time_zone": "UTC"}
OF_WEBHOOK = {
    "url": "",
    "aggregation_ms": 0,
    "window": b"",
    "success": "200",
    "success_rules": b"",
    "rate_count": 0,
    "rate_ms": 0,
    "budget": 0,
    "filter": b"",
    "messages_max": 0,
    "bytes_max": 0,
    "warnings": True,
    "format": b"",
    "format_options": b"",
}
DEFAULTS = told(OF_WEBHOOK)
TOTALS = (
    "accepted",
    "duplicate",
    "skipped",
    "sealed",
    "delivered",
    "failed",
    "dead_letters",
    "discarded",
    "receiver_fails",
    "resent",
    "resends_failed",
    "overflowed",
    "unrouted",
    "merged",
    "not_rendered",
    "no_record",
)


def with_changes(settings: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings after them. Windows are one setting, told as a length or as a rule."""
    told_as = {"window", "aggregation_ms"}
    is_new = told_as & changes.keys()
    kept = {name: value for name, value in settings.items() if not (is_new and name in told_as)}
    return {**kept, **changes}


class Fold:
    """What the events told so far come to."""

    def __init__(self) -> None:
        self.workspaces: dict[str, State] = {}
        self.totals = dict.fromkeys(TOTALS, 0)
        self.seq = 0

    def apply(self, event: Mapping[str, Any]) -> None:
        """The next event of the feed has happened."""
        assert event["seq"] == self.seq + 1
        self.seq += 1
        kind, data, name = event["type"], event["data"], event["workspace"]
        if kind == "workspace.created":
            self.workspaces[name] = State(dict(OF_WORKSPACE), {OUTBOUND: Hook(DEFAULTS)})
            self._change(self.workspaces[name], data["changes"])
        elif kind == "workspace.deleted":
            del self.workspaces[name]
            self.totals["discarded"] += data["deliveries"]
        elif name in self.workspaces:
            of = event.get("webhook") or OUTBOUND
            self._apply_to(self.workspaces[name], of, event)

    def _apply_to(self, state: State, of: str, event: Mapping[str, Any]) -> None:
        kind, chat, data = event["type"], event["chat"], event["data"]
        match kind:
            case "workspace.changed":
                self._change(state, data["changes"])
            case "webhook.created":
                assert of not in state.hooks
                state.hooks[of] = Hook(with_changes(DEFAULTS, data["changes"]))
            case "webhook.deleted":
                del state.hooks[of]
                self.totals["discarded"] += data["deliveries"]
            case "message.received":
                self._received(state, chat, data, parse_ms(event["time"]))
            case "message.deleted":
                self._deleted(state, chat, data)
            case "chat.deleted":
                for hook in state.hooks.values():
                    hook.chat_deleted(chat)
            case _ if of in state.hooks:  # else it is being erased
                self._apply_to_hook(state.hooks[of], kind, chat, data)

    def _change(self, state: State, changes: Mapping[str, Any]) -> None:
        """Of the workspace, and of `outbound` with it."""
        own = {name: value for name, value in changes.items() if name in OF_WORKSPACE}
        state.settings = {**state.settings, **own}
        of_hook = {name: value for name, value in changes.items() if name not in OF_WORKSPACE}
        if of_hook:
            hook = state.hooks[OUTBOUND]
            hook.settings = with_changes(hook.settings, of_hook)

    def _received(self, state: State, chat: str, data: Mapping[str, Any], at_ms: int) -> None:
        """Each webhook got the new messages but those that its filter or its quota kept away."""
        for name in ("accepted", "duplicates", "skipped", "unrouted"):
            total = name.removesuffix("s") if name == "duplicates" else name
            self.totals[total] += len(data.get(name, ()))
        routed = len(data["accepted"]) - len(data.get("unrouted", ()))
        filtered, overflowed = data.get("filtered", {}), data.get("overflowed", {})
        unrouted = set(data.get("unrouted", ()))
        for name, hook in state.hooks.items():
            count = routed
            if name == OUTBOUND and not hook.settings["url"] and len(state.hooks) > 1:
                count = 0  # without a URL it collects only while it is the only one
            elif name in filtered:
                places = filtered[name]
                dropped = {data["accepted"][place] for place in places or ()}
                count = 0 if places is None else len(set(data["accepted"]) - dropped - unrouted)
            missed = len(overflowed.get(name, ()))
            self.totals["overflowed"] += missed
            hook.overflowed += missed
            hook.received(chat, count - missed, at_ms)
        open_ones = [hook for hook in state.hooks.values() if chat in hook.windows]
        assert bool(data["due"]) == bool(open_ones), f"{chat}: {data}, {open_ones}"
        if data["due"]:
            assert ("window_of" in data) == (len(state.hooks) > 1)
            first = state.hooks[data["window_of"] if "window_of" in data else min(state.hooks)]
            first.ends_at(chat, data["buffered"], data["due"])

    def _deleted(self, state: State, chat: str, data: Mapping[str, Any]) -> None:
        """What was taken out of a window; one that this left empty has ended before."""
        for name, ids in data.get("applied", {}).items():
            windows = state.hooks[name].windows
            if chat in windows:
                windows[chat] = windows[chat][0] - len(ids), windows[chat][1]

    def _apply_to_hook(self, hook: Hook, kind: str, chat: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "webhook.changed":
                hook.settings = with_changes(hook.settings, data["changes"])
            case "webhook.enabled" | "webhook.disabled":
                hook.enabled = kind == "webhook.enabled"
            case "webhook.full" | "webhook.has_room":
                hook.full = kind == "webhook.full"
            case "webhook.merging" | "webhook.merged":
                hook.merging = kind == "webhook.merging"
            case "webhook.reset":
                hook.errors = 0
                hook.return_all(data["returned"], data.get("left", 0))
            case "window.ended":
                left = hook.windows.pop(chat)[0]
                assert left == 0 or data["reason"] == "deleted"  # that is told next
            case "window.retimed":
                hook.windows[chat] = hook.windows[chat][0], data["due"]
            case "replay.queued":
                hook.replay_queued(data)
            case "replay.taken_back":
                hook.replay_taken_back(data)
            case _ if kind.startswith("delivery."):
                self._count(kind, data)
                hook.delivery(kind, chat, data)

    def _count(self, kind: str, data: Mapping[str, Any]) -> None:
        totals = self.totals
        match kind:
            case "delivery.sealed" | "delivery.delivered" | "delivery.failed" | "delivery.resent":
                totals[kind.partition(".")[2]] += 1
            case "delivery.resend_failed":
                totals["resends_failed"] += 1
                totals["failed"] += data["reason"] == "rejected"
            case "delivery.dead_lettered":
                fails = data.get("reason") == "receiver_fails"
                totals["dead_letters"] += 1
                totals["receiver_fails" if fails else "failed"] += 1
            case "delivery.not_rendered":
                totals["dead_letters"] += 1
                totals["not_rendered"] += 1
            case "delivery.discarded":
                totals["discarded"] += data["deliveries"]
                totals["no_record"] += data["reason"] == "no_record"
            case "delivery.merged":
                totals["merged"] += len(data["merged"])
                totals["sealed"] += 1


def resends(env: Environment, webhook: int, state: WebhookState) -> list[str]:
    """The ids of what waits to be resent."""
    found = []
    with env.read() as txn:
        for key, value in rows.rows(txn, keyspace.owned(keyspace.DELIVERIES, webhook)):
            head = codec.unpack(key, value, Delivery)
            if is_waiting(state, head):
                found.append(delivery_id(webhook, head))
    return found


def stored(env: Environment) -> Fold:
    """The same, as the database has it. What leaves with a webhook is discarded in steps."""
    reads = Reads(env)
    found = Fold()
    totals = reads.meta().totals
    found.totals = {name: getattr(totals, name) for name in TOTALS}
    for view in reads.workspaces(EVERY).found:
        settings = view.settings
        of_workspace = told({name: getattr(settings, name) for name in OF_WORKSPACE})
        hooks = {each.webhook.id: _stored_hook(env, settings.id, each) for each in view.webhooks}
        found.workspaces[settings.id] = State(of_workspace, hooks)
        with env.read() as txn:
            for webhook in rows.all_webhooks(txn, settings.number):
                if webhook.deleted_ms:
                    left = state_in(txn, webhook)
                    found.totals["discarded"] += left.queued + left.dead_letters
    return found


def _stored_hook(env: Environment, workspace_id: str, view: WebhookView) -> Hook:
    webhook, state, reads = view.webhook, view.state, Reads(env)
    listing = Listing(env, rows_most=EVERY, bytes_most=2**40)

    def ids(prefix: bytes) -> list[str]:
        deliveries = reads.deliveries(workspace_id, prefix, EVERY, webhook_id=webhook.id)
        return [delivery_id(webhook.number, each) for each in deliveries]

    return Hook(
        settings=told({name: getattr(webhook, name) for name in OF_WEBHOOK}),
        enabled=state.enabled,
        errors=state.consecutive_errors,
        overflowed=state.overflowed,
        full=state.full_ms > 0,
        merging=state.merging is not None,
        windows={
            window.chat_id: (window.messages, rfc_3339(window.due_ms))
            for window in listing.windows(workspace_id, EVERY, webhook_ids=(webhook.id,)).found
        },
        queue=ids(keyspace.QUEUED),
        dead_letters=ids(keyspace.DEAD_LETTERS),
        resends=resends(env, webhook.number, state),
    )
