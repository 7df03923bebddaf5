"""A real database for tests. As in the Store, transitions are applied in groups, a commit for each.

Only the test changes the time, `ScratchDatabase.now_ms`. `do` applies one transition, or raises its
refusal. `group` applies several in one commit and returns their results.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar

import msgspec

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected, Unknown
from hookbundle.engine.errors import HookbundleError, StorageError
from hookbundle.engine.messages import message as kept_message
from hookbundle.engine.messages.message import Incoming, Message, Party, Skipped
from hookbundle.engine.messages.timestamps import format_utc
from hookbundle.engine.preconditions import at_version
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Heads, Window
from hookbundle.storage.database.delivery_records import Attempt, Delivery
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.feed_rows import FeedRow
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.retention import KEEP_ALL
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.reads.workspace_view import WorkspaceView
from hookbundle.storage.tables import history
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import attempting, table
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.attempting import Begun, Idle, Render, Step
from hookbundle.storage.transitions.sealing import DueSealed, SealDue, Sealed, SealWindow
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.table import Result, Transition
from hookbundle.storage.transitions.timed.waits import EndWaits
from hookbundle.tests.storage.held import Held

T = TypeVar("T", bound=Result)
Skips = tuple[str | Skipped, ...]

START_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
URL = "https://receiver.example/hook"
PRODUCT = "Timelines"
NEVER_MS = 10**15


def incoming(message_id: str, sent_ms: int = START_MS, **kept: Any) -> Incoming:
    """A valid message. `kept` replaces fields of it; `text` may be among them."""
    text = kept.pop("text", f"text of {message_id}")
    at, jane, amnon = format_utc(sent_ms // 1_000), Party("Jane", "+1"), Party("Amnon", "+2")
    message = Message("received", at, message_id, jane, amnon, text)
    valid = Incoming(
        message_id,
        kept_message.digest_of(message_id),
        sent_ms,
        is_new_chat=False,
        account=b'{"full_name":"Amnon","email":"a@acme.example","phone":"+2"}',
        chat=b'{"chat_id":"c","chat_url":"https://app.example/c"}',
        message=kept_message.encode(message),
        permalink="",
        text=kept_message.text_mark(text),
    )
    return msgspec.structs.replace(valid, **kept)


def failed(error: str = "timeout", retry_after_ms: int | None = None) -> Failed:
    return Failed(error, retry_after_ms=retry_after_ms)


OK, NO, CUT = Delivered(200), Rejected(404), Unknown("local: no descriptor left")


class ScratchDatabase:
    def __init__(self, path: Path, *, map_bytes: int = 1 << 28) -> None:
        self.path = path
        self.now_ms = START_MS
        self.retention = KEEP_ALL
        self.collected: Collected | None = None
        self.heads: Heads | None = None
        self.quota, self.policy = Quota(), BackoffPolicy()
        self._map_bytes = map_bytes
        self.env: Environment = open_environment(path, START_MS, map_bytes=map_bytes)
        self.reads = Reads(self.env)

    def close(self) -> None:
        self.env.close()

    def reopen(self) -> None:
        self.close()
        self.env = open_environment(self.path, self.now_ms, map_bytes=self._map_bytes)
        self.reads = Reads(self.env)

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        with self.env.write() as txn:
            rest: Any = {"collected": self.collected, "heads": self.heads}
            unit = Unit(txn, self.env.identity, retention=self.retention, **rest)
            yield unit
            unit.flush()
        self.env.identity = unit.identity

    def group(self, *group: Transition) -> list[Result | HookbundleError]:
        outcomes: list[Result | HookbundleError] = []
        with self.unit() as unit:
            for transition in group:
                try:
                    outcomes.append(table.apply(unit, transition))
                except StorageError:
                    raise
                except HookbundleError as refusal:
                    outcomes.append(refusal)
        return outcomes

    def do(self, transition: Transition, kind: type[T] | UnionType) -> T:
        """The result of the transition. Raises: HookbundleError, as the transition does."""
        (outcome,) = self.group(transition)
        if isinstance(outcome, HookbundleError):
            raise outcome
        assert isinstance(outcome, kind)
        return outcome

    def done(self, transition: Transition) -> None:
        """As `do`, for a transition that returns None."""
        self.do(transition, type(None))

    # ---- shorter ways to call transitions

    def change(
        self, ws: str, *, version: int | None = None, create: bool = True, **changes: Any
    ) -> WorkspaceChanged:
        transition = ChangeWorkspace(
            workspace_id=ws,
            changes=Changes(**changes),
            precondition=at_version(version),
            may_create=create,
            new_secret="whsec_first",
            now_ms=self.now_ms,
            caller="test",
        )
        return self.do(transition, WorkspaceChanged)

    def workspace(self, ws: str = "acme", **changes: Any) -> int:
        """Creates a workspace, by default with windows of an hour. Returns its number."""
        given = {"url": URL, "aggregation_ms": HOUR_MS, "owner_email": "o@acme.example"}
        return self.change(ws, **{**given, **changes}).workspace_number

    def accepting(
        self, *messages: Incoming | str, ws: int = 1, chat: str = "c", skipped: Skips = ()
    ) -> AcceptMessages:
        """A plain id stands for a message sent now, or for a message skipped for its attachment."""
        return AcceptMessages(
            workspace_number=ws,
            chat_id=chat,
            messages=tuple(incoming(m, self.now_ms) if isinstance(m, str) else m for m in messages),
            skipped=tuple(Skipped(s, "attachment") if isinstance(s, str) else s for s in skipped),
            now_ms=self.now_ms,
            product_name=PRODUCT,
            quota=self.quota,
        )

    def accept(
        self, *messages: Incoming | str, ws: int = 1, chat: str = "c", skipped: Skips = ()
    ) -> Accepted:
        return self.do(self.accepting(*messages, ws=ws, chat=chat, skipped=skipped), Accepted)

    def seal(self, chat: str = "c", *, ws: int = 1, due_ms: int | None = None) -> Sealed:
        """Seals the window on request or, with `due_ms`, as the Timer does when it is due."""
        if due_ms is not None:
            row = Due(due_ms, DueKind.WINDOW, ws, chat.encode())
            due = self.do(SealDue((row,), self.now_ms, PRODUCT), DueSealed)
            return Sealed(due.messages, due.wake)
        given: Any = {"chat_id": chat, "now_ms": self.now_ms, "product_name": PRODUCT}
        return self.do(SealWindow(workspace_number=ws, **given), Sealed)

    def begin(self, ws: int = 1) -> Begun | Idle:
        found: Step = self.do(attempting.BeginAttempt(ws, self.now_ms), Step)
        assert not isinstance(found, Render)
        return self.begin(ws) if isinstance(found, attempting.AskAgain) else found

    def begun(self, ws: int = 1) -> Begun:
        begun = self.begin(ws)
        assert isinstance(begun, Begun)
        return begun

    def finishing(
        self, begun: Begun, result: Outcome, *, ws: int = 1, **rest: Any
    ) -> attempting.FinishAttempt:
        made = Attempt(
            at_ms=self.now_ms,
            url=begun.url,
            request_headers=(("webhook-id", begun.delivery_id),),
            outcome=type(result).__name__.lower(),
            status=getattr(result, "status", 0),
            error=getattr(result, "error", ""),
        )
        return attempting.FinishAttempt(
            webhook=ws,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=result,
            result=made,
            now_ms=self.now_ms,
            spread=rest.pop("spread", 0.0),
            policy=self.policy,
            **{"go_on": False, **rest},
        )

    def finish(self, begun: Begun, result: Outcome, *, ws: int = 1, **rest: Any) -> Begun | Idle:
        found: Step = self.do(self.finishing(begun, result, ws=ws, **rest), Step)
        assert not isinstance(found, Render)
        return self.begin(ws) if isinstance(found, attempting.AskAgain) else found

    def attempt(self, result: Outcome, ws: int = 1) -> Begun:
        """The next attempt, made at the earliest time at which it is allowed."""
        self.wait(ws)
        begun = self.begun(ws)
        self.finish(begun, result, ws=ws)
        return begun

    def wait(self, ws: int = 1) -> None:
        """The time is that of the webhook's next attempt, and the wait has been ended."""
        rows = tuple(row for row in self.dues(DueKind.RETRY) if row.number == ws)
        if rows:
            self.now_ms = max(self.now_ms, rows[0].at_ms)
            self.group(EndWaits(rows, self.now_ms))

    def enable(self, ws: str = "acme", *, discard: bool = False) -> Switched:
        by: Any = {"now_ms": self.now_ms, "caller": "test"}
        return self.do(EnableWebhook(workspace_id=ws, discard=discard, **by), Switched)

    def disable(self, ws: str = "acme") -> Switched:
        return self.do(DisableWebhook(workspace_id=ws, now_ms=self.now_ms, caller="test"), Switched)

    # ---- what is stored

    def dump(self) -> dict[bytes, bytes]:
        """Every key and its value."""
        with self.env.read() as txn:
            return {bytes(key): bytes(value) for key, value in txn.cursor()}

    def view(self, ws: str = "acme") -> WorkspaceView:
        return self.reads.workspace(ws)

    def window(self, chat: str = "c", ws: int = 1) -> Window | None:
        record = self.chat(chat, ws)
        return record.window_of(ws) if record else None

    def chat(self, chat: str = "c", ws: int = 1) -> ChatRecord | None:
        key = keyspace.owned(keyspace.CHATS, ws, chat.encode())
        value = self.dump().get(key)
        return None if value is None else codec.unpack(key, value, ChatRecord)

    def dues(self, kind: DueKind | None = None) -> list[Due]:
        kinds = DueKind if kind is None else (kind,)
        dues = DueReads(self.env)
        found = [row for each in kinds for row in dues.due(each, NEVER_MS, 1_000_000)]
        return sorted(found, key=lambda row: row.at_ms)

    def queued(self, ws: str = "acme", webhook_id: str = OUTBOUND) -> list[Held]:
        return self._held(ws, keyspace.QUEUED, webhook_id)

    def dead_letters(self, ws: str = "acme", webhook_id: str = OUTBOUND) -> list[Held]:
        return self._held(ws, keyspace.DEAD_LETTERS, webhook_id)

    def _held(self, ws: str, prefix: bytes, webhook_id: str) -> list[Held]:
        number = self.view(ws).named(webhook_id).webhook.number
        found = self.reads.deliveries(ws, prefix, 1_000_000, webhook_id=webhook_id)
        return [Held(each, self.reads.body(number, each.number)) for each in found]

    def delivery(self, number: int, webhook: int = 1) -> Delivery | None:
        """The delivery, whatever became of it."""
        value = self.dump().get(key := history.key_of(webhook, number))
        return None if value is None else codec.unpack(key, value, Delivery)

    def feed(self) -> list[tuple[int, dict[str, Any]]]:
        """The events in the feed, each with its sequence number."""
        facts: list[tuple[int, dict[str, Any]]] = []
        for key, value in self.dump().items():
            if key.startswith(keyspace.FEED):
                row = codec.unpack(key, value, FeedRow)
                first = key_fields.number(key) - row.count + 1
                places = row.positions or range(row.count)
                events = codec.unpack_events(row.events)
                facts += ((first + p, event) for p, event in zip(places, events, strict=True))
        return facts

    def events(self, *types: str) -> list[dict[str, Any]]:
        """The events of these types."""
        return [fact for _, fact in self.feed() if fact["type"] in types]
