"""A workspace's windows in the order in which they fall due, whichever way they are looked for."""

import pytest

from hookbundle.storage.reads.chats import due_order
from hookbundle.storage.reads.chats.due_order import DueOrder
from hookbundle.tests.storage.scratch import HOUR_MS, ScratchDatabase, incoming

MINUTE_MS = 60_000


@pytest.fixture(params=["its own chats", "the due index"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which a page is made."""
    monkeypatch.setattr(due_order, "FEW", 2_000 if request.param == "its own chats" else -1)
    monkeypatch.setattr(due_order, "RECORDS_A_SLICE", 3)
    monkeypatch.setattr(due_order, "ROWS_A_SLICE", 5)


def page(db: ScratchDatabase, limit: int = 10, position: bytes = b"", **asked: object) -> DueOrder:
    found = DueOrder(db.env, "acme", limit, position, **asked)  # type: ignore[arg-type]
    while found.read_on():
        pass
    return found


def fill(db: ScratchDatabase, chats: int = 12) -> list[str]:
    """Windows of two workspaces that fall due in another order than that of their chats' ids."""
    acme, blue = db.workspace(), db.workspace("blue")
    wanted = []
    for number in range(chats):
        chat = f"c{number * 7 % chats:02}"
        db.accept(f"m{number}", ws=acme, chat=chat)
        db.accept(f"o{number}", ws=blue, chat=chat)
        wanted.append(chat)
        db.now_ms += MINUTE_MS * (number % 3)  # some fall due at the same time
    by_due = {
        chat: window.due_ms
        for chat in wanted
        if (window := db.reads.window(acme, chat)) is not None
    }
    return sorted(wanted, key=lambda chat: (by_due[chat], chat))


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("limit", [1, 2, 5, 12, 100])
def test_pages_in_due_order_miss_nothing_and_repeat_nothing(
    db: ScratchDatabase, limit: int
) -> None:
    wanted, found, position = fill(db), list[str](), b""
    for _ in range(len(wanted) + 1):  # a page that repeats its last window would never end
        got = page(db, limit, position)
        found += [window.chat_id for window in got.found]
        assert len(got.found) <= limit
        if got.position is None:
            break
        position = got.position

    assert found == wanted


@pytest.mark.usefixtures("few")
def test_a_window_that_closes_between_two_pages_hides_none(db: ScratchDatabase) -> None:
    wanted = fill(db)
    first = page(db, 4)
    assert first.position is not None

    db.seal(wanted[3])
    db.seal(wanted[5])
    rest = page(db, 100, first.position)

    assert [window.chat_id for window in rest.found] == [wanted[4], *wanted[6:]]


@pytest.mark.usefixtures("few")
def test_windows_are_found_by_name_phone_and_id_in_any_case(db: ScratchDatabase) -> None:
    db.workspace()
    chat = '{"chat_id":"%s","full_name":"%s","phone":"%s"}'
    for number, name in enumerate(("Maria Rossi", "سامي", "ROSSI and sons", "")):
        json = chat % (f"c{number}", name, f"+97254000000{number}")
        db.accept(incoming(f"m{number}", chat=json.encode()), chat=f"c{number}")

    found = {
        words: [window.chat_id for window in page(db, words=words).found]
        for words in ("rossi", "سامي", "0000002", "c3", "nobody")
    }

    assert found == {
        "rossi": ["c0", "c2"],
        "سامي": ["c1"],
        "0000002": ["c2"],
        "c3": ["c3"],
        "nobody": [],
    }
    assert page(db).found[0].name.name == "Maria Rossi"


@pytest.mark.usefixtures("few")
def test_only_what_is_due_by_a_time(db: ScratchDatabase) -> None:
    wanted = fill(db)
    third = db.reads.window(1, wanted[2])
    assert third is not None

    found = page(db, due_by_ms=third.due_ms)

    assert wanted[2] in [window.chat_id for window in found.found]
    assert all(window.due_ms <= third.due_ms for window in found.found)


def test_the_windows_of_others_are_walked_past_and_not_without_end(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(db, 12)
    monkeypatch.setattr(due_order, "FEW", -1)
    monkeypatch.setattr(due_order, "ROWS_A_SLICE", 2)
    monkeypatch.setattr(due_order, "ROWS_MOST", 4)

    short = page(db, 100)

    assert short.position is not None
    assert len(short.found) < 12


def test_a_workspace_with_too_many_chats_for_its_few_windows_is_read_from_the_index(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = fill(db, 12)
    monkeypatch.setattr(due_order, "RECORDS_A_SLICE", 2)
    monkeypatch.setattr(due_order, "CHATS_MOST", 4)

    assert [window.chat_id for window in page(db, 100).found] == wanted


def test_a_page_of_no_window_is_the_last(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1")
    db.now_ms += HOUR_MS
    db.seal(due_ms=db.now_ms)

    assert (page(db).found, page(db).position) == ([], None)
