"""Chats found by id, phone or a part of the name."""

import pytest

from hookbundle.storage.reads.chats import finding
from hookbundle.storage.reads.chats.finding import ChatSearch
from hookbundle.storage.transitions.erasing import ChatDeleted, DeleteChat
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

CHAT = '{"chat_id":"%s","full_name":"%s","phone":"%s"}'


def accept(db: ScratchDatabase, chat: str, name: str, phone: str = "", *, number: int = 0) -> None:
    json = (CHAT % (chat, name, phone)).encode()
    db.accept(incoming(f"{chat}-{number}", chat=json), chat=chat)


def search(db: ScratchDatabase, text: str, limit: int = 10, position: bytes = b"") -> ChatSearch:
    found = ChatSearch(db.env, "acme", text, limit, position)
    while found.read_on():
        pass
    return found


def ids(found: ChatSearch) -> list[str]:
    return [each.chat_id for each in found.found]


@pytest.fixture
def people(db: ScratchDatabase) -> ScratchDatabase:
    """Two with deliveries, one of whom is collecting as well; one who only collects."""
    db.workspace()
    accept(db, "972540000001@c.us", "Maria Rossi", "+972 54-000-0001")
    db.seal("972540000001@c.us")
    accept(db, "long-id-of-a-group", "Sales ROSSI")
    db.seal("long-id-of-a-group")
    accept(db, "long-id-of-a-group", "Sales Rossi", number=1)
    accept(db, "c3", "سامي حداد", "+972540000003")
    return db


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("972540000001@c.us", ["972540000001@c.us"]),
        ("+972540000001", ["972540000001@c.us"]),
        ("972 (54) 0000001", ["972540000001@c.us"]),
        ("+972 54 000-0003", ["c3"]),  # which only collects
        ("00972540000003", ["c3"]),
        ("0000003 c", []),
        ("rossi", ["972540000001@c.us", "long-id-of-a-group"]),
        ("سامي", ["c3"]),
        ("c3", ["c3"]),
        ("group", ["long-id-of-a-group"]),
        ("nobody", []),
        ("x" * 300, []),
    ],
)
def test_a_chat_is_found_by_what_somebody_has_of_it(
    people: ScratchDatabase, text: str, wanted: list[str]
) -> None:
    found = search(people, text)

    assert (ids(found), found.position) == (wanted, None)


def test_a_phone_of_a_delivery_hides_no_chat_that_only_collects(db: ScratchDatabase) -> None:
    """Nor one whose deliveries had another phone, which collects for this one now."""
    db.workspace()
    accept(db, "sent", "Maria", "+972 54-000-0001")
    db.seal("sent")
    accept(db, "collects", "Mario", "972540000001")
    accept(db, "changed", "Marta", "+972 54-000-0009")
    db.seal("changed")
    accept(db, "changed", "Marta", "+972 54-000-0001", number=1)
    accept(db, "other", "Marco", "+972 54-000-00012")

    for text in ("+972540000001", "00972 54-000-0001"):
        assert sorted(ids(search(db, text))) == ["changed", "collects", "sent"], text


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_of_a_phone_miss_nothing_and_repeat_nothing(db: ScratchDatabase, limit: int) -> None:
    db.workspace()
    chats = [f"c{number}" for number in range(9)]
    for number, chat in enumerate(chats):
        accept(db, chat, "Maria", "+972 54-000-0001")
        if number % 3 == 0:
            db.seal(chat)
        if number % 3 == 0 and number % 2:
            accept(db, chat, "Maria", "+972 54-000-0001", number=1)
    found, position = list[str](), b""
    while True:
        page = search(db, "+972540000001", limit, position)
        found += ids(page)
        if page.position is None:
            break
        position = page.position

    assert sorted(found) == chats


def test_it_is_said_which_chats_collect(people: ScratchDatabase) -> None:
    found = {each.chat_id: each.is_collecting for each in search(people, "").found}

    assert found == {"972540000001@c.us": False, "long-id-of-a-group": True, "c3": True}


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_chats_miss_nothing_and_repeat_nothing(db: ScratchDatabase, limit: int) -> None:
    db.workspace()
    for number in range(7):
        chat = "c" * (number + 1)
        accept(db, chat, f"Customer {number}")
        if number % 2:
            db.seal(chat)
    found, position = list[str](), b""
    while True:
        page = search(db, "customer", limit, position)
        found += ids(page)
        if page.position is None:
            break
        position = page.position

    assert sorted(found) == ["c" * (number + 1) for number in range(7)]


def test_a_walk_that_looks_at_too_many_says_where_it_goes_on(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "CHATS_MOST", 2)
    db.workspace()
    for number in range(5):
        accept(db, f"c{number}", "Rossi" if number == 4 else "Other")
        db.seal(f"c{number}")

    first = search(db, "rossi")
    assert (ids(first), first.position is None) == ([], False)
    second = search(db, "rossi", position=first.position or b"")
    third = search(db, "rossi", position=second.position or b"")

    assert ids(third) == ["c4"]


def test_the_latest_name_counts(db: ScratchDatabase) -> None:
    db.workspace()
    for number, name in enumerate(("Old Name", "New Name")):
        accept(db, "c", name, number=number)
        db.seal("c")

    assert (ids(search(db, "new name")), ids(search(db, "old name"))) == (["c"], [])


def test_a_deleted_chat_is_not_found_though_its_records_are_erased_later(
    people: ScratchDatabase,
) -> None:
    deletion = DeleteChat(
        workspace_id="acme", chat_id="972540000001@c.us", now_ms=people.now_ms, caller="test"
    )
    people.do(deletion, ChatDeleted)

    assert ids(search(people, "maria")) == []
    assert ids(search(people, "972540000001@c.us")) == []
