"""Reads a whole database and compares its counters and indexes with its records.

Written apart from storage/maintenance/check*.py, so that a mistake in one shows in the other. What
it reads has no erasures, requests, postponed rows or retention.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.storage.database import codec, key_fields, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Member, Part, SeenPart
from hookbundle.storage.database.delivery_records import Attempt, Chunk, Delivery, LogRow
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.database.records import Meta, Usage, WebhookState, WorkspaceName
from hookbundle.storage.database.settings import Webhook
from hookbundle.tests.storage import feed_scan
from hookbundle.tests.storage.held import Held, counts_as, ids_in
from hookbundle.tests.storage.scratch import ScratchDatabase

R = TypeVar("R", bound=msgspec.Struct)

Place = tuple[int, str, str]  # workspace, chat, message id
Key = tuple[int, int]  # webhook, delivery

WAITING = {"queued": keyspace.QUEUED, "dead_letter": keyspace.DEAD_LETTERS, "receiver_fails": b"f"}
OF_DELIVERIES = (*WAITING.values(), keyspace.CHAT_DELIVERIES, keyspace.ENDED)


@dataclass
class Scan:
    """The stored records, decoded. Most are found by the numbers in their keys."""

    db: ScratchDatabase
    dump: dict[bytes, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.dump = self.db.dump()
        self.meta = self._all(keyspace.META, Meta).get(b"M", Meta())
        self.webhooks = {w.number: w for w in self._all(keyspace.WEBHOOKS, Webhook).values()}
        self.states = _owned(self._all(keyspace.STATES, WebhookState))
        self.usages = _owned(self._all(keyspace.USAGES, Usage))
        self.chats = self._all(keyspace.CHATS, ChatRecord)
        self.mails = self._all(keyspace.MAILS, Mail)
        heads = self._all(keyspace.DELIVERIES, Delivery)
        self.heads = {(key_fields.owner(key), head.number): head for key, head in heads.items()}
        self.bodies: dict[Key, bytes] = defaultdict(bytes)
        for key, chunk in self._all(keyspace.BODIES, Chunk).items():  # in the order of the keys
            webhook, number, position = key_fields.of_delivery(key)
            assert position == len(self.bodies[webhook, number]) // 60_000
            self.bodies[webhook, number] += chunk.body
        self.attempts: dict[Key, dict[int, int]] = defaultdict(dict)
        for key in self._all(keyspace.ATTEMPTS, Attempt):
            webhook, number, attempt = key_fields.of_delivery(key)
            self.attempts[webhook, number][attempt] = len(self.dump[key])

    def deliveries(self) -> dict[int, tuple[int, Held]]:
        """All that wait, by number, each with the number of its workspace."""
        return {
            number: (self.states[webhook].workspace, Held(head, self.bodies[webhook, number]))
            for (webhook, number), head in self.heads.items()
            if head.state in WAITING
        }

    def messages(self) -> Counter[Place]:
        """How often each message is stored, in open windows and in what waits."""
        slots: Counter[Place] = Counter()
        for workspace, chat, _, members in self._windows():
            for member in members:
                message_id = str(msgspec.json.decode(member.message)["message_id"])
                slots[workspace, chat.decode(), message_id] += 1
        for workspace, held in self.deliveries().values():
            for message_id in ids_in(held):
                slots[workspace, held.chat_id, message_id] += 1
        return slots

    # ---- checks

    def check(self) -> None:
        self.check_counters()
        self.check_usages()
        self.check_dues()
        self.check_flags()
        self.check_parts()
        self.check_deliveries()
        self.check_phones()
        self.check_logs()
        self.check_feed()

    def check_counters(self) -> None:
        for webhook, state in self.states.items():
            waiting = self._heads_of(webhook, "queued", "dead_letter")
            queued = [head for head in waiting if counts_as(state, head) == "queued"]
            dead = [head for head in waiting if counts_as(state, head) == "dead_letter"]
            buffered = [members for _, _, number, members in self._windows() if number == webhook]
            messages = sum(head.messages for head in queued)
            assert (state.queued, state.queued_messages) == (len(queued), messages)
            assert state.dead_letters - state.fails == sum(not head.dead_reason for head in dead)
            assert state.dead_letters == len(dead)
            assert state.dead_letter_messages == sum(head.messages for head in dead)
            assert state.waiting_bytes == self._weight(webhook, waiting)
            assert state.windows == len(buffered)
            assert state.buffered_messages == sum(map(len, buffered))
            assert state.buffered_bytes == sum(
                payload.weight(member.message) for members in buffered for member in members
            )
        states = self.states.values()
        assert self.meta.queued == sum(state.queued for state in states)
        assert self.meta.dead_letters == sum(state.dead_letters for state in states)
        assert self.meta.windows == sum(state.windows for state in states)
        assert self.meta.mails == len(self.mails)

    def check_usages(self) -> None:
        seen, tests = self._all(keyspace.SEEN_PARTS, SeenPart), self._all(keyspace.LOG, LogRow)
        for workspace, usage in self.usages.items():
            of_it = [n for n, state in self.states.items() if state.workspace == workspace]
            ended = {n: self._heads_of(n, "delivered", "discarded") for n in of_it}
            assert usage.history == sum(map(len, ended.values()))
            assert usage.history_bytes == sum(self._weight(n, ended[n]) for n in of_it)
            # Each digest has 8 bytes in its part, and a row of its own.
            digests = sum(len(part.seen) // 8 for part in _of(seen, workspace))
            assert usage.seen_bytes == digests * (8 + 32)
            assert usage.test_bytes == sum(
                len(self.dump[key])
                for key, row in tests.items()
                if row.test and key_fields.owner(key) in of_it
            )
            assert usage.arrival_bytes == sum(
                len(key) + len(self.dump[key]) + 16
                for key in self._keys(keyspace.ARRIVALS)
                if key_fields.owner(key) in of_it
            )
            assert usage.erasures == usage.answers == usage.answer_bytes == 0
        assert self.meta.history_bytes == sum(use.history_bytes for use in self.usages.values())

    def check_dues(self) -> None:
        expected = {Due(mail.next_ms, DueKind.MAIL, mail.number) for mail in self.mails.values()}
        for key, chat in self.chats.items():
            workspace, subject = key_fields.owner(key), key_fields.subject(key)
            windows = [(each.webhook, each.window) for each in chat.collecting if each.window]
            for webhook, window in windows:
                expected.add(Due(window.due_ms, DueKind.WINDOW, webhook, subject))
            assert bool(windows) == (chat.forget_ms == 0)
            if not windows:
                expected.add(Due(chat.forget_ms, DueKind.FORGET, workspace, subject))
        for number, state in self.states.items():
            if state.retry_ms:
                expected.add(Due(state.retry_ms, DueKind.RETRY, number))
            if state.retime_after is not None:
                expected.add(Due(0, DueKind.RETIME, number))
            if state.moving is not None:
                expected.add(Due(0, DueKind.MOVE, number))
        for number, usage in self.usages.items():
            assert (usage.trim_ms >= 0) == (usage.history > 0)
            if usage.history:
                expected.add(Due(usage.trim_ms, DueKind.TRIM, number))
            assert (usage.arrivals_due_ms >= 0) == (usage.arrival_bytes > 0)
            if usage.arrival_bytes:
                expected.add(Due(usage.arrivals_due_ms, DueKind.ARRIVALS, number))
        assert set(self.db.dues()) == expected

    def check_flags(self) -> None:
        for number, state in self.states.items():
            may_send = state.enabled and self.webhooks[number].url and state.queued
            ready = keyspace.owned(keyspace.READY, number) in self.dump
            waits_ms = max(state.next_attempt_ms, state.paced_ms)
            assert ready == bool(may_send and not waits_ms) == state.ready
            assert state.retry_ms == (waits_ms if may_send else 0)
            disabled = keyspace.owned(keyspace.DISABLED, number) in self.dump
            assert disabled == (not state.enabled)
            assert self.webhooks[number].workspace == state.workspace
            if state.flight:
                assert self.heads[number, state.flight.delivery].state == "queued"

    def check_parts(self) -> None:
        parts, seen_parts, digests = set(), set(), set()
        for key, chat in self.chats.items():
            workspace, subject = key_fields.owner(key), key_fields.subject(key)
            for each in chat.collecting:
                numbers = range(each.window.parts if each.window else 0)
                parts |= {keyspace.part(workspace, subject, each.webhook, n) for n in numbers}
            for number in range(chat.seen_first, chat.seen_next):
                part_key = keyspace.seen_part(workspace, subject, number)
                seen_parts.add(part_key)
                seen = codec.unpack(part_key, self.dump[part_key], SeenPart).seen
                for at in range(0, len(seen), 8):
                    rest = chat.seen_base.to_bytes(4, "big") + seen[at : at + 8]
                    digests.add(keyspace.of_chat(keyspace.SEEN_IDS, workspace, subject, rest))
        assert self._keys(keyspace.PARTS) == parts
        assert self._keys(keyspace.SEEN_PARTS) == seen_parts
        assert self._keys(keyspace.SEEN_IDS) == digests

    def check_deliveries(self) -> None:
        expected = set()
        for (webhook, number), head in self.heads.items():
            workspace, chat = self.states[webhook].workspace, head.chat_id.encode()
            expected.add(keyspace.chat_delivery(workspace, chat, number, webhook))
            if head.state in WAITING:
                letter = WAITING[head.dead_reason or head.state]
                expected.add(keyspace.owned_numbered(letter, webhook, number))
                assert head.ended_ms == 0
            else:
                assert head.state in ("delivered", "discarded")
                expected.add(keyspace.ended(workspace, head.ended_ms, number, webhook))
            attempts = self.attempts[webhook, number]
            assert head.body_bytes == len(self.bodies[webhook, number]) > 0
            assert head.attempt_bytes == sum(attempts.values())
            assert sorted(attempts) == list(range(1, head.attempts + 1))[-100:]
        assert self._keys(*OF_DELIVERIES) == expected
        assert {*self.bodies, *self.attempts} == {*self.heads}

    def check_phones(self) -> None:
        phones = set()
        for (webhook, _), head in self.heads.items():
            digits = "".join(c for c in head.phone if c in "0123456789").encode()
            if 0 < len(digits) <= 32:
                phones.add((self.states[webhook].workspace, head.chat_id.encode(), digits))
        by_chat = {key_fields.of_chat(key) for key in self._keys(keyspace.CHAT_PHONES)}
        by_phone = {key_fields.of_chat(key) for key in self._keys(keyspace.PHONE_CHATS)}
        assert by_chat == phones
        assert {(workspace, chat, phone) for workspace, phone, chat in by_phone} == phones

    def check_logs(self) -> None:
        for webhook, state in self.states.items():
            for prefix, following, most in (
                (keyspace.LOG, state.log_next, limits.LOG_ENTRIES),
                (keyspace.ACTIONS, state.action_next, limits.ACTIVITY_ENTRIES),
            ):
                keys = self._keys(keyspace.owned(prefix, webhook))
                numbers = sorted(key_fields.number(key) for key in keys)
                assert numbers == list(range(following))[-most:]
        for key, row in self._all(keyspace.LOG, LogRow).items():
            webhook = key_fields.owner(key)
            assert row.test or row.attempt in self.attempts[webhook, row.delivery]

    def check_feed(self) -> None:
        names = self._all(keyspace.NAMES, WorkspaceName)
        numbers = {name.id: key_fields.owner(key) for key, name in names.items()}
        feed_scan.check(self.db, self.dump, numbers, self.meta, self.usages)

    # ---- records

    def _all(self, prefix: bytes, kind: type[R]) -> dict[bytes, R]:
        """In the order of the keys."""
        return {key: codec.unpack(key, self.dump[key], kind) for key in sorted(self._keys(prefix))}

    def _keys(self, *prefixes: bytes) -> set[bytes]:
        return {key for key in self.dump if key.startswith(prefixes)}

    def _windows(self) -> Iterator[tuple[int, bytes, int, list[Member]]]:
        """The workspace, the chat, the webhook and the messages of each open window."""
        for key, record in self.chats.items():
            workspace, chat = key_fields.owner(key), key_fields.subject(key)
            for each in record.collecting:
                if each.window is None:
                    continue
                prefix = keyspace.part(workspace, chat, each.webhook, 0)[:-4]
                parts = self._all(prefix, Part).values()
                members = [*(m for part in parts for m in part.members), *each.window.tail]
                assert len(members) == each.window.count
                yield workspace, chat, each.webhook, members

    def _heads_of(self, webhook: int, *states: str) -> list[Delivery]:
        heads = self.heads.items()
        return [head for (owner, _), head in heads if owner == webhook and head.state in states]

    def _weight(self, webhook: int, heads: Iterable[Delivery]) -> int:
        return sum(
            512
            + len(self.bodies[webhook, head.number])
            + (4 * head.messages if head.messages > 1 else 0)
            + sum(self.attempts[webhook, head.number].values())
            + len(head.extra)
            + len(head.chat_name.encode())
            for head in heads
        )


def _owned(records: dict[bytes, R]) -> dict[int, R]:
    return {key_fields.owner(key): record for key, record in records.items()}


def _of(records: dict[bytes, R], number: int) -> list[R]:
    return [record for key, record in records.items() if key_fields.owner(key) == number]
