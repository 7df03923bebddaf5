"""Heads of chats: a transition does the same with one and without, whatever came between."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import QuotaReached
from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.database.chat_records import ChatRecord, Head, Heads
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions import table
from hookbundle.storage.transitions.accepting import Accepted, AcceptMessages
from hookbundle.storage.transitions.timed.forgetting import Forget
from hookbundle.storage.transitions.timed.retiming import Retimed, RetimeWindows
from hookbundle.tests.storage.database.heads.failing import dump, undone
from hookbundle.tests.storage.deleting import delete_chat, erase
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook, leave


@dataclass
class Chat:
    """A chat in a database of its own, with a head or without."""

    db: ScratchDatabase
    head: Head | None

    def accept(self, *ids: str) -> Accepted:
        return self.db.do(self.accepting(*ids), Accepted)

    def accepting(self, *ids: str) -> AcceptMessages:
        return msgspec.structs.replace(self.db.accepting(*ids), head=self.head)


@pytest.fixture
def twins(tmp_path: Path) -> Iterator[tuple[Chat, Chat]]:
    """Two equal databases. In the first the chat has a head."""
    db = ScratchDatabase(tmp_path / "one")
    db.workspace()
    add_webhook(db, "acme", "crm")
    db.close()
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    dbs = [ScratchDatabase(tmp_path / name) for name in ("one", "two")]
    dbs[0].heads = Heads()
    yield Chat(dbs[0], Head()), Chat(dbs[1], None)
    for each in dbs:
        each.close()


def end_by_time(chat: Chat) -> None:
    chat.db.now_ms += HOUR_MS
    for row in chat.db.dues(DueKind.WINDOW):
        chat.db.seal(ws=row.number, due_ms=row.at_ms)


def send_now(chat: Chat) -> None:
    chat.db.seal()


def retime(chat: Chat) -> None:
    chat.db.change("acme", aggregation_ms=6 * HOUR_MS)
    number = chat.db.view().webhook.number
    chat.db.do(RetimeWindows(number, 200, chat.db.now_ms, PRODUCT), Retimed)


def delete_the_chat(chat: Chat) -> None:
    delete_chat(chat.db)


def erase_the_chat(chat: Chat) -> None:
    chat.db.seal()
    delete_chat(chat.db)
    erase(chat.db)


def delete_a_webhook(chat: Chat) -> None:
    leave(chat.db, "acme", "crm")


def forget_the_chat(chat: Chat) -> None:
    chat.db.seal()
    chat.db.now_ms += limits.REMEMBERED_MS
    chat.db.done(Forget(tuple(chat.db.dues(DueKind.FORGET)), chat.db.now_ms))


def accept_without_the_head(chat: Chat) -> None:
    chat.db.accept("by another", "m2")


BETWEEN = (
    end_by_time,
    send_now,
    retime,
    delete_the_chat,
    erase_the_chat,
    delete_a_webhook,
    forget_the_chat,
    accept_without_the_head,
)


@pytest.mark.parametrize("knows_heads", [True, False])
@pytest.mark.parametrize("between", BETWEEN)
def test_whoever_changes_a_chat_between_two_messages_the_head_is_not_stale(
    twins: tuple[Chat, Chat], between: Callable[[Chat], None], knows_heads: bool
) -> None:
    for chat in twins:
        heads = chat.db.heads
        for message_id in ("m1", "m2", "m3"):
            chat.accept(message_id)

        chat.db.heads = heads if knows_heads else None
        between(chat)
        chat.db.heads = heads
        chat.accept("m4")
        chat.accept("m5", "m4")

    assert twins[0].head is not None
    assert twins[0].head.record is not None
    assert dump(twins[0].db.env) == dump(twins[1].db.env)


@pytest.mark.parametrize("flushed", [False, True])
def test_a_transaction_that_failed_leaves_nothing_in_the_head(
    twins: tuple[Chat, Chat], flushed: bool
) -> None:
    for chat in twins:
        for message_id in ("m1", "m2"):
            chat.accept(message_id)
        lost, after = chat.accepting("lost"), chat.accepting("m3")

        with undone(chat.db.env) as txn:
            unit = Unit(txn, chat.db.env.identity, heads=chat.db.heads)
            table.apply(unit, lost)
            if flushed:
                unit.flush()
        chat.db.do(after, Accepted)
        chat.accept("m4")

    assert dump(twins[0].db.env) == dump(twins[1].db.env)


def test_the_same_transition_applied_once_more_after_a_failure_finds_the_database(
    twins: tuple[Chat, Chat],
) -> None:
    for chat in twins:
        for message_id in ("m1", "m2"):
            chat.accept(message_id)
        again = chat.accepting("m3")

        with undone(chat.db.env) as txn:
            table.apply(Unit(txn, chat.db.env.identity, heads=chat.db.heads), again)
        accepted = chat.db.do(again, Accepted)

        assert (accepted.accepted, accepted.duplicate) == (1, 0)
    assert dump(twins[0].db.env) == dump(twins[1].db.env)


def test_a_refused_message_leaves_nothing_in_the_head(twins: tuple[Chat, Chat]) -> None:
    for chat in twins:
        leave(chat.db, "acme", "crm")
        chat.accept("m1")
        chat.accept("m2")
        chat.db.disable()
        chat.db.quota = Quota(messages_max=1)

        with pytest.raises(QuotaReached):
            chat.db.do(chat.accepting("m3", "m4"), Accepted)
        chat.db.quota = Quota()
        chat.accept("m3")

    assert dump(twins[0].db.env) == dump(twins[1].db.env)


def test_two_messages_in_one_transaction_are_both_in_the_record(twins: tuple[Chat, Chat]) -> None:
    for chat in twins:
        chat.accept("m1")
        chat.accept("m2")

        chat.db.group(chat.accepting("m3"), chat.accepting("m4"), chat.accepting("m3"))
        chat.accept("m5")

    assert dump(twins[0].db.env) == dump(twins[1].db.env)


def test_a_message_that_finds_its_chats_head_reads_no_record(
    twins: tuple[Chat, Chat], monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, read, unpack = twins[0], list[bytes](), codec.unpack
    chat.accept("m1")
    chat.accept("m2")
    key = keyspace.owned(keyspace.CHATS, 1, b"c")

    def reading(key: bytes, value: bytes, kind: type[msgspec.Struct]) -> msgspec.Struct:
        read.append(key)
        return unpack(key, value, kind)

    monkeypatch.setattr(codec, "unpack", reading)
    chat.accept("m3")
    chat.db.seal()

    assert read
    assert key not in read


def test_a_chat_without_an_open_window_keeps_no_memory(twins: tuple[Chat, Chat]) -> None:
    chat = twins[0]
    for message_id in ("m1", "m2", "m3"):
        chat.accept(message_id)

    chat.db.seal()

    assert chat.head is not None
    assert (chat.head.record, chat.head.stored) == (None, b"")


def test_the_heads_have_a_bound_and_the_one_used_longest_ago_goes_first() -> None:
    heads = Heads(bytes_max=11_000)
    held = [Head() for _ in range(5)]

    for number, head in enumerate(held):
        heads.keep(head, b"%d" % number, bytes(1_000), ChatRecord())
    heads.take(held[2], bytes(1_000))
    heads.keep(held[2], b"2", bytes(1_000), ChatRecord())
    heads.keep(held[0], b"0", bytes(1_000), ChatRecord())

    assert [head.record is not None for head in held] == [True, False, True, False, True]
    assert heads.bytes <= 11_000


def test_a_head_that_nobody_holds_any_more_costs_no_memory() -> None:
    heads, left, other = Heads(), Head(), Head()
    heads.keep(left, b"left", bytes(1_000), ChatRecord())

    heads.let_go(left)
    heads.keep(other, b"other", bytes(1_000), ChatRecord())

    assert (left.record, left.stored, len(heads)) == (None, b"", 1)
