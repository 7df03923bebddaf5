"""The state of the workspaces twice over: folded from the events of the feed, read from the disk.

If the two differ, a transition changes something that it does not tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.records import WebhookState
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables.queue import delivery_id
from hookbundle.storage.tables.repeating.resends import is_waiting
from hookbundle.storage.transitions.settings import told

EVERY = 1_000_000


@dataclass
class State:
    """A workspace; windows are (messages, due), deliveries are ids in the order of sending."""

    settings: dict[str, Any]
    enabled: bool = True
    errors: int = 0
    windows: dict[str, tuple[int, str]] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    dead_letters: list[str] = field(default_factory=list)
    resends: list[str] = field(default_factory=list)
    fails: set[str] = field(default_factory=set, compare=False)


OF_WORKSPACE = {"name": "", "owner_email": "", "language": "en", "time_zone": "UTC"}
OF_WEBHOOK = {
    "url": "",
    "aggregation_ms": 0,
    "window": b"",
    "success": "200",
    "rate_count": 0,
    "rate_ms": 0,
    "budget": 0,
}
DEFAULTS = told({**OF_WORKSPACE, **OF_WEBHOOK})
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
        self._chats: dict[str, tuple[int, str]] = {}
        self._erased: set[str] = set()
        self._failed: set[str] = set()  # of what replays have queued; as it may be taken back

    def apply(self, event: Mapping[str, Any]) -> None:
        """The next event of the feed has happened."""
        assert event["seq"] == self.seq + 1
        self.seq += 1
        kind, data = event["type"], event["data"]
        if kind == "workspace.created":
            self.workspaces[event["workspace"]] = State(with_changes(DEFAULTS, data["changes"]))
        elif kind == "workspace.deleted":
            del self.workspaces[event["workspace"]]
            self.totals["discarded"] += data["deliveries"]
        elif event["workspace"] in self.workspaces:
            self._apply_to(self.workspaces[event["workspace"]], kind, event["chat"], data)

    def _apply_to(self, state: State, kind: str, chat: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "workspace.changed":
                state.settings = with_changes(state.settings, data["changes"])
            case "webhook.enabled" | "webhook.disabled":
                state.enabled = kind == "webhook.enabled"
            case "webhook.reset":
                state.errors = 0
                self._return_all(state, data["returned"], data.get("left", 0))
            case "message.received":
                self.totals["accepted"] += len(data["accepted"])
                self.totals["duplicate"] += len(data["duplicates"])
                self.totals["skipped"] += len(data["skipped"])
                state.windows.pop(chat, None)
                if data["due"]:  # which may be that of a window that is empty so far
                    state.windows[chat] = (data["buffered"], data["due"])
            case "window.ended":
                state.windows.pop(chat)
            case "chat.deleted":
                state.windows.pop(chat, None)
                mine = (id(state), chat)
                self._erased |= {each for each, whose in self._chats.items() if whose == mine}
            case "window.retimed":
                state.windows[chat] = (state.windows[chat][0], data["due"])
            case "replay.queued":
                self._failed -= set(data["dead_letters"])
                self._failed |= state.fails & set(data["dead_letters"])
                for each in data["dead_letters"]:
                    self._return(state, each)
                state.resends = sorted([*state.resends, *data["resends"]])
            case "replay.taken_back":
                for each in data["dead_letters"]:
                    state.queue.remove(each)
                    state.dead_letters = sorted([*state.dead_letters, each])
                    state.fails |= {each} & self._failed
                for each in data["resends"]:
                    state.resends.remove(each)
            case _ if kind.startswith("delivery."):
                self._apply_delivery(state, kind, chat, data)

    def _return_all(self, state: State, count: int, left: int = 0) -> None:
        """All but `left` are queued again, those over which their receiver fails."""
        assert len(state.dead_letters) == count + left
        assert left in (0, len(state.fails))
        for each in [each for each in state.dead_letters if not (left and each in state.fails)]:
            self._return(state, each)

    def _return(self, state: State, delivery: str) -> None:
        state.dead_letters.remove(delivery)
        state.fails.discard(delivery)
        state.queue = sorted([*state.queue, delivery])

    def _apply_delivery(self, state: State, kind: str, chat: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "delivery.sealed":
                self.totals["sealed"] += 1
                self._chats[data["delivery"]] = (id(state), chat)
                state.queue.append(data["delivery"])
                if data["bundle"]:
                    state.windows.pop(chat, None)
            case "delivery.attempted":
                all_waiting = sorted([*state.queue, *state.resends])
                waiting = [each for each in all_waiting if each not in self._erased]
                # The next one may go instead of the head; see storage/tables/failing.py.
                assert data["delivery"] in waiting[:2]
            case "delivery.retried":
                if "delivery" not in data:
                    self._return_all(state, data["deliveries"])
                elif data["was"] == "dead_letter":
                    self._return(state, data["delivery"])
            case "delivery.resend_asked":
                state.resends = sorted([*state.resends, data["delivery"]])
            case "delivery.resent":
                self.totals["resent"] += 1
                state.errors = data["errors"]
                state.resends.remove(data["delivery"])
            case "delivery.resend_failed":
                self.totals["resends_failed"] += 1
                self.totals["failed"] += data["reason"] == "rejected"
                state.errors = data["errors"]
                state.resends.remove(data["delivery"])
            case "delivery.resend_ended" if "delivery" in data:
                state.resends.remove(data["delivery"])
            case "delivery.resend_ended":
                state.resends = [each for each in state.resends if each == data["kept"]]
            case "delivery.delivered":
                self.totals["delivered"] += 1
                state.errors = data["errors"]
                state.queue.remove(data["delivery"])
            case "delivery.failed":
                self.totals["failed"] += 1
                state.errors = data["errors"]
            case "delivery.dead_lettered":
                self.totals["dead_letters"] += 1
                if data.get("reason") == "receiver_fails":
                    self.totals["receiver_fails"] += 1
                    state.fails.add(data["delivery"])
                else:
                    self.totals["failed"] += 1
                state.errors = data["errors"]
                state.queue.remove(data["delivery"])
                state.dead_letters = sorted([*state.dead_letters, data["delivery"]])
            case "delivery.discarded":
                self.totals["discarded"] += data["deliveries"]
                if "delivery" in data:
                    slots = {"queued": state.queue, "dead_letter": state.dead_letters}
                    slots[data["was"]].remove(data["delivery"])
                    state.fails.discard(data["delivery"])
                    return
                state.queue = [each for each in state.queue if each == data["kept"]]
                state.dead_letters, state.fails = [], set()


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
    """The same, as the database has it."""
    reads, listing = Reads(env), Listing(env, rows_most=EVERY, bytes_most=2**40)
    found = Fold()
    totals = reads.meta().totals
    found.totals = {name: getattr(totals, name) for name in TOTALS}
    for view in reads.workspaces(EVERY).found:
        settings, state = view.settings, view.state

        def ids(prefix: bytes, workspace_id: str, number: int) -> list[str]:
            deliveries = reads.deliveries(workspace_id, prefix, EVERY)
            return [delivery_id(number, each) for each in deliveries]

        found.workspaces[settings.id] = State(
            settings=told(
                {
                    **{name: getattr(settings, name) for name in OF_WORKSPACE},
                    **{name: getattr(view.webhook, name) for name in OF_WEBHOOK},
                }
            ),
            enabled=state.enabled,
            errors=state.consecutive_errors,
            windows={
                window.chat_id: (window.messages, rfc_3339(window.due_ms))
                for window in listing.windows(settings.id, EVERY).found
            },
            queue=ids(keyspace.QUEUED, settings.id, settings.number),
            dead_letters=ids(keyspace.DEAD_LETTERS, settings.id, settings.number),
            resends=resends(env, settings.number, state),
        )
    return found
