"""Three days of a busy workspace, made by the daemon's own transitions in a few seconds.

    past = three_days(tmp_path / "data", receiver.url("hook"), ends_ms)
    async with daemon_in(tmp_path) as system: ...

`acme` has some 5,000 deliveries: most of them were delivered, one in a hundred failed in four ways
(rejected, a body that makes its receiver fail, a timeout, a refused connection), some messages were
skipped or came twice, one delivery was discarded, one chat was deleted, the oldest hours were
trimmed. In the last hour the receiver was down, until its webhook was disabled: what came since is
held. `past.cases` has a message for each answer to "what became of it?", by the answer's code.

`blue` is disabled by a person, `cyan` has no URL, `dust` waits after an error: each holds a
message. The same arguments make the same database, but for its random epoch.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Delivered, Failed, Outcome, Rejected, outcome_name
from hookbundle.engine.messages import message as kept_message
from hookbundle.engine.messages.became import BecameCode
from hookbundle.engine.messages.message import Event, Incoming, Skipped
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt
from hookbundle.storage.transitions.deliveries import DiscardDelivery, Discarded
from hookbundle.storage.transitions.erasing import ChatDeleted, DeleteChat
from hookbundle.storage.transitions.sealing import SealDue
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.past.cases import Case, Past, event
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase

HOURS = 72
TRIMMED_HOURS = 2
CHATS_AN_HOUR = 72
MINUTE_MS = 60_000
STEP_MS = 5 * MINUTE_MS
STEPS = 4  # of an hour, in each of which a quarter of its chats begins
OUTAGE_MS = 55 * MINUTE_MS  # before the end
PRODUCT = "TimelinesAI"
# Shorter than the real ones, so that eleven errors take half an hour.
POLICY = BackoffPolicy(steps_ms=(5_000, 30_000, 120_000, 240_000))
LONG = BackoffPolicy(steps_ms=(8 * HOUR_MS,))
OK = Delivered(200)
TIMEOUT = Failed("timeout: no answer within 15 s")
REFUSED = Failed("connect: the connection was refused")
BROKEN = Failed("status 500", 500)


def three_days(path: Path, url: str, ends_ms: int, *, hours: int = HOURS) -> Past:
    """The database is in the directory; nobody has it open. `hours`: fewer make a smaller one."""
    db = ScratchDatabase(path)
    try:
        past = Past(path, ends_ms - hours * HOUR_MS, ends_ms)
        db.now_ms, db.retention = past.since_ms, Retention()
        _Maker(db, past).make(url, hours)
        return past
    finally:
        db.close()


class _Maker:
    def __init__(self, db: ScratchDatabase, past: Past) -> None:
        self.db, self.past = db, past
        self.messages = 0
        self.ws = 1
        self.to_discard: list[int] = []

    def make(self, url: str, hours: int) -> None:
        self.ws = self.db.workspace("acme", url=url, aggregation_ms=HOUR_MS, name="Acme Ltd")
        for hour in range(hours):
            for step in range(12):
                at_ms = self.past.since_ms + hour * HOUR_MS + step * STEP_MS
                self.db.now_ms = max(self.db.now_ms, at_ms)
                self._receive(hour, step)
                self._seal()
                self._send()
            if hour == hours // 2:
                self._discard()
                self._delete_chat()
        self._trim()
        self._others(url)
        assert self.db.now_ms <= self.past.ends_ms

    # ---- messages come

    def _receive(self, hour: int, step: int) -> None:
        """A chat has two messages in every other hour; the second comes five minutes later."""
        with self.db.unit() as unit:
            for place in range(CHATS_AN_HOUR):
                chat = f"{10_010_001 + place + CHATS_AN_HOUR * (hour % 2)}"
                if place % STEPS in (step, step - 1):
                    self._message(unit, chat, hour)

    def _message(self, unit: Unit, chat: str, hour: int) -> None:
        self.messages += 1
        number, at_ms = self.messages, self.db.now_ms
        message_id = f"wamid.{number:06}"
        half = hour >= HOURS // 2
        if number % 97 == 0:
            reason: Literal["attachment", "no_text"] = "attachment" if number % 2 else "no_text"
            self._accept(unit, chat, skipped=Skipped(message_id, reason))
            if half:
                self.past.note(BecameCode(f"skipped.{reason}"), chat, message_id, at_ms)
            return
        self._accept(unit, chat, event(chat, message_id, at_ms))
        if number % 53 == 0:
            differs = number % 4 == 0
            self._accept(unit, chat, event(chat, message_id, at_ms, "corrected" * differs))
            code = BecameCode.DIFFERS if differs else BecameCode.DUPLICATE
            if half:
                self.past.note(code, chat, message_id, at_ms)
        if hour == 0:
            self.past.note(BecameCode.TRIMMED, chat, message_id, at_ms)
        if half and number % 53 == 1:
            self.past.note(BecameCode.DELIVERED, chat, message_id, at_ms)
            self.past.note(BecameCode.NEVER_CAME, chat, "wamid.never", at_ms)

    def _accept(
        self, unit: Unit, chat: str, given: Event | None = None, skipped: Skipped | None = None
    ) -> None:
        kept = kept_message.incoming(given) if given else None
        transition = AcceptMessages(
            workspace_number=self.ws,
            chat_id=chat,
            messages=(kept,) if isinstance(kept, Incoming) else (),
            skipped=(skipped,) if skipped else (),
            now_ms=self.db.now_ms,
            product_name=PRODUCT,
            quota=Quota(),
        )
        table.apply(unit, transition)

    # ---- windows close, and what they were sealed into is sent

    def _seal(self) -> None:
        due = DueReads(self.db.env).due(DueKind.WINDOW, self.db.now_ms, 10_000)
        if due:
            self.db.group(SealDue(tuple(due), self.db.now_ms, PRODUCT))

    def _send(self) -> None:
        """Until nothing may be sent, over the waits after errors."""
        while self._sent() and self.db.dues(DueKind.RETRY):
            self.db.wait(self.ws)

    def _sent(self) -> int:
        """How many attempts were made, up to an error."""
        made = 0
        with self.db.unit() as unit:
            begun = table.apply(unit, BeginAttempt(self.ws, self.db.now_ms))
            while isinstance(begun, Begun):
                outcome = self._outcome_of(begun)
                begun = table.apply(unit, self._finishing(begun, outcome))
                made += 1
        return made

    def _outcome_of(self, begun: Begun) -> Outcome:
        number, attempt = begun.delivery.number, begun.attempt
        if self.db.now_ms > self.past.ends_ms - OUTAGE_MS:
            return REFUSED
        match number % 360:
            case 37:
                if attempt == POLICY.rejections_max:
                    self._note_dead(begun, BecameCode.REJECTED)
                return Rejected(404)
            case 137:
                return TIMEOUT if attempt == 1 else OK
            case 237:
                return REFUSED if attempt <= 2 else OK
            case 337 if number % 720 == 337:
                if attempt == 5:
                    self._note_dead(begun, BecameCode.RECEIVER_FAILS)
                return BROKEN
        return OK

    def _note_dead(self, begun: Begun, code: BecameCode) -> None:
        delivery, half_ms = begun.delivery, self.past.since_ms + HOURS // 2 * HOUR_MS
        if code is BecameCode.REJECTED and delivery.sealed_ms < half_ms:
            self.to_discard.append(delivery.number)
            return
        self.past.note(code, delivery.chat_id, ids_in(begun)[0], delivery.opened_ms)

    def _finishing(self, begun: Begun, outcome: Outcome) -> FinishAttempt:
        status = getattr(outcome, "status", 0)
        result = Attempt(
            at_ms=self.db.now_ms,
            url=begun.url,
            request_headers=(("webhook-id", begun.delivery_id),),
            outcome=outcome_name(outcome),
            status=status,
            response_headers=(("content-type", "text/plain"),) if status else (),
            response_body=b"" if status == 200 else b"no such contact" if status == 404 else b"",
            error="" if status else getattr(outcome, "error", ""),
            duration_ms=87 if status else 15_000,
        )
        return FinishAttempt(
            webhook=self.ws,
            delivery=begun.delivery.number,
            attempt=begun.attempt,
            outcome=outcome,
            result=result,
            now_ms=self.db.now_ms,
            spread=0.0,
            policy=POLICY,
            go_on=True,
        )

    # ---- what people do, and what time does

    def _discard(self) -> None:
        number = self.to_discard[-1]
        dead = next(each for each in self.db.dead_letters() if each.number == number)
        (message_id, *_), reason = ids_in(dead), "the customer has it already"
        transition = DiscardDelivery(
            workspace_id="acme",
            number=number,
            reason=reason,
            alive_since_ms=0,
            now_ms=self.db.now_ms,
            caller="ann",
        )
        self.db.do(transition, Discarded)
        self.past.note(BecameCode.DISCARDED, dead.chat_id, message_id, dead.opened_ms)

    def _delete_chat(self) -> None:
        chat, at_ms = "10019999", self.db.now_ms
        with self.db.unit() as unit:
            self._accept(unit, chat, event(chat, "wamid.deleted", at_ms))
        self.db.seal(chat)
        self._send()
        self.db.now_ms += MINUTE_MS
        deleting = DeleteChat(
            workspace_id="acme", chat_id=chat, now_ms=self.db.now_ms, caller="ann"
        )
        self.db.do(deleting, ChatDeleted)
        for row in self.db.dues(DueKind.ERASE):
            self.db.group(EraseStep(row=row, most=1_000, now_ms=self.db.now_ms))
        self.past.note(BecameCode.DELETED, chat, "wamid.deleted", at_ms)

    def _trim(self) -> None:
        before_ms = self.past.since_ms + TRIMMED_HOURS * HOUR_MS
        trimming = TrimHistory(
            workspace_number=self.ws,
            before_ms=before_ms,
            bytes_max=2**40,
            most=100_000,
            now_ms=self.db.now_ms,
        )
        self.db.do(trimming, Trimmed)
        for window in self._open():
            self.past.cases[BecameCode.COLLECTING] = window
        held = self.db.queued()[-1]
        self.past.note(BecameCode.DISABLED_BY_ERRORS, held.chat_id, ids_in(held)[0], held.opened_ms)

    def _open(self) -> Iterator[Case]:
        """Messages in windows, by the time when these close."""
        for row in self.db.dues(DueKind.WINDOW):
            chat = row.subject.decode()
            window = self.db.window(chat, self.ws)
            assert window is not None
            message_id = msgspec.json.decode(window.tail[0].message)["message_id"]
            yield Case("acme", chat, message_id, window.tail[0].arrived_ms)

    def _others(self, url: str) -> None:
        """A workspace for each other way in which something is held."""
        others: tuple[tuple[str, BecameCode, dict[str, Any]], ...] = (
            ("blue", BecameCode.DISABLED_BY_A_PERSON, {"url": url}),
            ("cyan", BecameCode.NO_URL, {"url": ""}),
            ("dust", BecameCode.BACKING_OFF, {"url": url}),
        )
        for name, code, settings in others:
            self.ws = self.db.workspace(name, aggregation_ms=0, **settings)
            if name == "blue":
                self.db.disable(name)
            with self.db.unit() as unit:
                self._accept(unit, "10010001", event("10010001", f"wamid.{name}", self.db.now_ms))
            if name == "dust":
                self.db.policy = LONG
                self.db.attempt(TIMEOUT, self.ws)
            self.past.note(code, "10010001", f"wamid.{name}", self.db.now_ms, name)
