"""Chats are found by their phone for as long as they have a delivery."""

import pytest

from hookbundle.storage.database import keyspace
from hookbundle.storage.tables import contacts
from hookbundle.tests.storage.deleting import assert_sound, delete_chat, erase
from hookbundle.tests.storage.scratch import OK, ScratchDatabase, incoming


def chats_of(db: ScratchDatabase, digits: bytes) -> list[bytes]:
    prefix = keyspace.of_chat(keyspace.PHONE_CHATS, 1, digits)
    return [key[len(prefix) :] for key in db.dump() if key.startswith(prefix)]


def send(db: ScratchDatabase, phone: str, chat: str = "c") -> None:
    details = b'{"chat_id":"%b","full_name":"D","phone":"%b"}' % (chat.encode(), phone.encode())
    db.accept(incoming(f"{chat} {phone}", db.now_ms, chat=details), chat=chat)


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+972 50-123", b"97250123"),
        ("", b""),
        ("none", b""),
        ("\u0661\u0662", b""),
        ("1" * 33, b""),
        ("1" * 32, b"1" * 32),
    ],
)
def test_a_phone_is_its_digits(written: str, digits: bytes) -> None:
    assert contacts.digits_of(written) == digits


def test_the_chats_of_a_phone_are_found_however_it_was_written(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    send(db, "+972 50", "a")
    send(db, "972-50", "b")
    send(db, "", "c")

    assert chats_of(db, b"97250") == [b"a", b"b"]
    assert_sound(db)


def test_a_chat_has_the_phones_that_it_had(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    send(db, "1")
    send(db, "2")

    assert (chats_of(db, b"1"), chats_of(db, b"2")) == ([b"c"], [b"c"])


def test_somebody_with_another_phone_each_time_gets_sixteen_rows(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)

    for number in range(40):
        send(db, f"{1_000 + number}")

    kept = [key for key in db.dump() if key.startswith(keyspace.PHONE_CHATS)]
    assert len(kept) == contacts.PHONES_MAX
    assert_sound(db)


def test_the_phone_goes_with_the_chat(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    send(db, "1", "a")
    send(db, "1", "ab")
    db.attempt(OK)

    delete_chat(db, "a")
    erase(db)

    assert chats_of(db, b"1") == [b"ab"]
    assert_sound(db)


def test_the_digits_of_one_phone_are_not_the_start_of_another(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    send(db, "12", "a")
    send(db, "1", "2a")

    assert (chats_of(db, b"1"), chats_of(db, b"12")) == ([b"2a"], [b"a"])


def test_a_phone_of_before_the_deletion_is_gone_though_the_chat_began_anew(
    db: ScratchDatabase,
) -> None:
    db.workspace(aggregation_ms=0)
    send(db, "1", "a")
    delete_chat(db, "a")
    send(db, "2", "a")
    erase(db)

    assert (chats_of(db, b"1"), chats_of(db, b"2")) == ([], [b"a"])
    assert_sound(db)
