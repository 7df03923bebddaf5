"""The newest messages that a workspace still has, whatever became of them, each once."""

import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.engine.filters.parsing import parse
from hookbundle.storage.reads.past import messages, open_windows
from hookbundle.storage.reads.past.messages import PastMessage, PastMessages
from hookbundle.storage.transitions.erasing import ChatDeleted, DeleteChat
from hookbundle.tests.storage.reads.paths.asked import whole
from hookbundle.tests.storage.scratch import OK, START_MS, ScratchDatabase, incoming

SECOND_MS = 1_000


def newest(db: ScratchDatabase, most: int = 100) -> tuple[list[PastMessage], int]:
    past = PastMessages(db.env, "acme", most)
    whole(past.read())
    return past.found, past.searched_to_ms


def ids(db: ScratchDatabase, most: int = 100) -> list[str]:
    return [each.message_id for each in newest(db, most)[0]]


def accept(db: ScratchDatabase, *names: str, chat: str = "c") -> None:
    """Each a second after the one before."""
    for name in names:
        db.now_ms += SECOND_MS
        db.accept(name, chat=chat)


def test_messages_of_every_state_are_found_the_newest_first(db: ScratchDatabase) -> None:
    db.workspace()
    accept(db, "m1", "m2")
    db.seal()
    db.attempt(OK)
    accept(db, "m3")
    db.seal()
    accept(db, "m4", "m5")
    accept(db, "n1", chat="n")

    assert ids(db) == ["n1", "m5", "m4", "m3", "m2", "m1"]
    assert ids(db, 3) == ["n1", "m5", "m4"]
    assert ids(db, 5) == ["n1", "m5", "m4", "m3", "m2"]
    assert newest(db)[1] == 0


def test_a_message_in_an_old_delivery_is_not_newer_than_one_that_waits(db: ScratchDatabase) -> None:
    db.workspace()
    accept(db, "old")
    accept(db, "n1", chat="n")
    accept(db, "m2")
    db.seal("n")

    assert ids(db, 2) == ["m2", "n1"]


def test_a_long_window_is_read_from_its_end(db: ScratchDatabase) -> None:
    db.workspace()
    accept(db, *(f"m{number:02}" for number in range(30)))
    window = db.window()
    assert window is not None
    assert window.parts > 1

    assert ids(db, 5) == ["m29", "m28", "m27", "m26", "m25"]
    assert ids(db) == [f"m{number:02}" for number in reversed(range(30))]


def test_what_a_filter_asks_is_found_in_windows_and_in_bodies(db: ScratchDatabase) -> None:
    db.workspace()
    chat = b'{"chat_id":"c","is_group":true,"responsible_email":"ann@acme.com"}'
    one = {"account": b'{"phone":"+972 50"}', "chat": chat, "extra": b'{"labels":["vip"]}'}
    wanted = parse(
        {
            "direction": "received",
            "kind": "group",
            "account": "97250",
            "responsible": "ann@acme.com",
            "labels": "VIP",
            "text_contains": "TEXT OF M1",
            "chat_ids": "c",
        }
    )

    db.accept(incoming("m1", START_MS, **one))
    (collecting,), _ = newest(db)
    db.seal()
    (sealed,), _ = newest(db)
    db.change("acme", aggregation_ms=0)
    db.accept(incoming("m2", START_MS, **one, text="text of m1"))
    single, again = newest(db)[0]

    for found in (collecting, sealed, single, again):
        assert wanted.failed(found.subject) is None
        assert found.is_alone


def test_of_several_in_one_bundle_chat_and_account_are_the_newest_one_s(
    db: ScratchDatabase,
) -> None:
    db.workspace()
    db.accept(incoming("m1", extra=b'{"labels":["old"]}'))
    db.accept(incoming("m2", extra=b'{"labels":["new"]}'))

    for _ in range(2):
        found, _ = newest(db)
        assert [each.is_alone for each in found] == [False, False]
        assert {each.subject.labels for each in found} == {frozenset({"new"})}
        db.seal()


def test_a_deleted_chat_is_not_looked_at(db: ScratchDatabase) -> None:
    db.workspace()
    accept(db, "m1")
    db.seal()
    accept(db, "m2")
    accept(db, "n1", chat="n")
    delete = DeleteChat(workspace_id="acme", chat_id="c", now_ms=db.now_ms, caller="test")
    db.do(delete, ChatDeleted)

    assert ids(db) == ["n1"]


def test_another_workspace_s_messages_are_not_found(db: ScratchDatabase) -> None:
    db.workspace()
    db.workspace("other")
    db.accept("x1", ws=2)
    db.seal(ws=2)
    db.accept("x2", ws=2)

    assert ids(db) == []
    with pytest.raises(NotFound):
        whole(PastMessages(db.env, "none", 1).read())


def test_with_many_windows_those_opened_last_are_looked_at(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_windows, "FEW", 0)
    monkeypatch.setattr(open_windows, "INDEX_ROWS_A_STEP", 2)
    db.workspace()
    db.workspace("other")
    for number in range(5):
        accept(db, f"m{number}", chat=f"c{number}")
        db.accept(f"x{number}", ws=2, chat=f"c{number}")

    assert ids(db) == ["m4", "m3", "m2", "m1", "m0"]
    monkeypatch.setattr(open_windows, "INDEX_ROWS_MOST", 4)
    found, searched_to_ms = newest(db)

    assert [each.message_id for each in found] == ["m4", "m3"]
    assert searched_to_ms == found[-1].arrived_ms


def test_a_look_through_many_chats_goes_in_steps(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_windows, "CHATS_A_STEP", 2)
    db.workspace()
    for number in range(5):
        accept(db, f"m{number}", chat=f"c{number}")

    assert ids(db) == ["m4", "m3", "m2", "m1", "m0"]


@pytest.mark.parametrize("bound", ["DELIVERIES_MOST", "BYTES_MOST"])
def test_a_look_that_is_cut_says_how_far_back_it_went(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(messages, "ROWS_A_STEP", 2)
    db.workspace()
    for number in range(6):
        accept(db, f"m{number}")
        db.seal()
    sealed_ms = db.now_ms

    assert ids(db) == [f"m{number}" for number in reversed(range(6))]
    monkeypatch.setattr(messages, bound, 3 if bound == "DELIVERIES_MOST" else 1)
    found, searched_to_ms = newest(db)

    looked_at = 3 if bound == "DELIVERIES_MOST" else 1
    assert [each.message_id for each in found] == ["m5", "m4", "m3"][:looked_at]
    assert searched_to_ms == sealed_ms - (looked_at - 1) * SECOND_MS
