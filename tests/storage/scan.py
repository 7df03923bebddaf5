"""Reads a whole database and compares its counters and indexes with its records.

It is written independently of storage/maintenance/check.py, so that a mistake in one shows in the
other.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.records import (
    Activity,
    Delivery,
    FeedRow,
    Mail,
    Meta,
    WebhookState,
    Workspace,
)
from hookbundle.storage.tables import windows
from hookbundle.tests.storage.scratch import ScratchDatabase, ids_in

R = TypeVar("R", bound=msgspec.Struct)

Place = tuple[int, str, str]  # workspace, chat, message id


@dataclass
class Scan:
    """The stored records, decoded."""

    db: ScratchDatabase
    dump: dict[bytes, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.dump = self.db.dump()
        self.meta = self._all(keyspace.META, Meta).get(b"M", Meta())
        self.settings = {w.number: w for w in self._all(keyspace.WORKSPACES, Workspace).values()}
        self.states = _owned(self._all(keyspace.STATES, WebhookState))
        self.chats = self._all(keyspace.CHATS, ChatRecord)
        self.queued = self._all(keyspace.QUEUED, Delivery)
        self.dead_letters = self._all(keyspace.DEAD_LETTERS, Delivery)
        self.mails = self._all(keyspace.MAILS, Mail)

    def deliveries(self) -> dict[int, tuple[int, Delivery]]:
        """All deliveries and dead letters by number, each with the number of its workspace."""
        everywhere = [*self.queued.items(), *self.dead_letters.items()]
        found = {d.number: (keyspace.parse_owner(key), d) for key, d in everywhere}
        assert len(found) == len(everywhere), "a delivery is both queued and a dead letter"
        return found

    def messages(self) -> Counter[Place]:
        """How often each message is stored, in open windows and in deliveries."""
        slots: Counter[Place] = Counter()
        for key, record in self.chats.items():
            if record.window:
                number, chat = keyspace.parse_owner(key), keyspace.parse_subject(key)
                members = windows.members(self.dump.get, number, chat, record.window)
                assert len(members) == record.window.count
                for member in members:
                    slots[number, chat.decode(), _id_of(member.message)] += 1
        for number, delivery in self.deliveries().values():
            for message_id in ids_in(delivery):
                slots[number, delivery.chat_id, message_id] += 1
        return slots

    # ---- checks

    def check(self) -> None:
        self.check_counters()
        self.check_dues()
        self.check_flags()
        self.check_parts()
        self.check_logs()

    def check_counters(self) -> None:
        for number, state in self.states.items():
            prefix = keyspace.owned(keyspace.CHATS, number)
            chats = [chat for key, chat in self.chats.items() if key.startswith(prefix)]
            queued = _of(self.queued, number)
            open_windows = [chat.window for chat in chats if chat.window]
            assert state.queued == len(queued)
            assert state.queued_messages == sum(delivery.messages for delivery in queued)
            assert state.dead_letters == len(_of(self.dead_letters, number))
            assert state.windows == len(open_windows)
            assert state.buffered_messages == sum(window.count for window in open_windows)
        states = self.states.values()
        assert self.meta.queued == sum(state.queued for state in states)
        assert self.meta.dead_letters == sum(state.dead_letters for state in states)
        assert self.meta.windows == sum(state.windows for state in states)
        assert self.meta.mails == len(self.mails)

    def check_dues(self) -> None:
        expected = {Due(mail.next_ms, DueKind.MAIL, mail.number) for mail in self.mails.values()}
        for key, chat in self.chats.items():
            kind = DueKind.WINDOW if chat.window else DueKind.FORGET
            owner, subject = keyspace.parse_owner(key), keyspace.parse_subject(key)
            expected.add(Due(chat.wake_ms, kind, owner, subject))
            assert not chat.window or chat.window.due_ms == chat.wake_ms
        for number, state in self.states.items():
            if state.retry_ms:
                expected.add(Due(state.retry_ms, DueKind.RETRY, number))
            if state.retime_after is not None:
                expected.add(Due(0, DueKind.RETIME, number))
        assert set(self.db.dues()) == expected

    def check_flags(self) -> None:
        for number, state in self.states.items():
            may_send = state.enabled and self.settings[number].url and state.queued
            ready = keyspace.owned(keyspace.READY, number) in self.dump
            assert ready == bool(may_send and not state.next_attempt_ms) == state.ready
            assert state.retry_ms == (state.next_attempt_ms if may_send else 0)
            disabled = keyspace.owned(keyspace.DISABLED, number) in self.dump
            assert disabled == (not state.enabled)
            flying = state.flight and keyspace.owned_numbered(
                keyspace.QUEUED, number, state.flight.delivery
            )
            assert not flying or flying in self.queued

    def check_parts(self) -> None:
        expected = set()
        for key, chat in self.chats.items():
            owner, subject = keyspace.parse_owner(key), keyspace.parse_subject(key)
            parts = range(chat.window.parts if chat.window else 0)
            expected |= {keyspace.part(keyspace.PARTS, owner, subject, n) for n in parts}
            seen = range(chat.seen_first, chat.seen_next)
            expected |= {keyspace.part(keyspace.SEEN_PARTS, owner, subject, n) for n in seen}
        stored = {key for key in self.dump if key[:1] in (keyspace.PARTS, keyspace.SEEN_PARTS)}
        assert stored == expected

    def check_logs(self) -> None:
        rows = self._all(keyspace.FEED, FeedRow)
        numbers = [number for number, _ in self.db.feed()]
        assert numbers == list(range(self.meta.feed_oldest, self.meta.feed_next))
        assert all(row.count for row in rows.values())
        logs = Counter(keyspace.parse_owner(k) for k in self.dump if k[:1] == keyspace.LOG)
        assert max(logs.values(), default=0) <= limits.LOG_ENTRIES
        for activity in self._all(keyspace.ACTIVITIES, Activity).values():
            assert len(activity.actions) <= limits.ACTIVITY_ENTRIES

    def _all(self, prefix: bytes, kind: type[R]) -> dict[bytes, R]:
        return {
            key: codec.unpack(key, value, kind)
            for key, value in self.dump.items()
            if key.startswith(prefix)
        }


def _owned(records: dict[bytes, R]) -> dict[int, R]:
    return {keyspace.parse_owner(key): record for key, record in records.items()}


def _of(records: dict[bytes, R], number: int) -> list[R]:
    return [record for key, record in records.items() if keyspace.parse_owner(key) == number]


def _id_of(message: bytes) -> str:
    return str(msgspec.json.decode(message)["message_id"])
