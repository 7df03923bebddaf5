"""Windows sealed into deliveries: the order of messages, and whose details a bundle has."""

import msgspec
import pytest

from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.tables import postponed
from hookbundle.storage.transitions.sealing import DueSealed, SealDue, Sealed
from hookbundle.tests.storage.held import ids_in
from hookbundle.tests.storage.scratch import HOUR_MS, PRODUCT, START_MS, ScratchDatabase, incoming


def at(second: int) -> int:
    return START_MS + second * 1_000


@pytest.fixture
def open_house(db: ScratchDatabase) -> ScratchDatabase:
    db.workspace()
    return db


def sealed_body(db: ScratchDatabase) -> dict[str, object]:
    db.seal()
    body: dict[str, object] = msgspec.json.decode(db.queued()[0].body)
    return body


def test_messages_are_ordered_by_time_then_by_arrival(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept(incoming("late", at(30)), incoming("tie 1", at(20)))
    db.accept(incoming("early", at(10)), incoming("tie 2", at(20)))

    db.seal()

    assert ids_in(db.queued()[0]) == ["early", "tie 1", "tie 2", "late"]


def test_messages_in_many_parts_keep_their_order(open_house: ScratchDatabase) -> None:
    db = open_house
    ids = [f"m{number:03}" for number in range(300)]
    for message_id in ids:
        db.accept(incoming(message_id, text="x" * 500))

    db.seal()

    assert ids_in(db.queued()[0]) == ids
    assert not [key for key in db.dump() if key.startswith(keyspace.PARTS)]


def test_a_chat_is_new_if_any_message_says_so(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept(incoming("m1", at(1)), incoming("m2", at(2), is_new_chat=True))
    db.accept(incoming("m3", at(3)))

    body = sealed_body(db)

    assert msgspec.convert(body["chat"], dict[str, object])["is_new_chat"] is True


def test_account_and_chat_are_those_of_the_newest_message(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept(incoming("newest", at(30), account=b'{"phone":"+3"}', chat=b'{"chat_id":"3"}'))
    db.accept(incoming("older", at(20), account=b'{"phone":"+2"}', chat=b'{"chat_id":"2"}'))

    body = sealed_body(db)

    assert (body["whatsapp_account"], body["chat"]) == ({"phone": "+3"}, {"chat_id": "3"})


def test_of_two_newest_messages_the_later_arrival_counts(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept(incoming("m1", at(1), account=b'{"phone":"+1"}'))
    db.accept(incoming("m2", at(1), account=b'{"phone":"+2"}'))

    assert sealed_body(db)["whatsapp_account"] == {"phone": "+2"}


def test_the_link_is_the_first_message_s(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept(incoming("m2", at(2), permalink="https://app.example/2"))
    db.accept(incoming("m1", at(1), permalink="https://app.example/1"))
    db.accept(incoming("m1b", at(1), permalink="https://app.example/1b"))

    assert "href='https://app.example/1'" in str(sealed_body(db)["aggregation"])


def test_without_a_permalink_of_the_first_message_the_chat_is_linked(
    open_house: ScratchDatabase,
) -> None:
    db = open_house
    db.accept(incoming("m1", at(1)))
    db.accept(incoming("m2", at(2), permalink="https://app.example/2"))

    assert "href='https://app.example/c'" in str(sealed_body(db)["aggregation"])


def test_a_sealed_window_is_counted_out_and_its_chat_waits_to_be_forgotten(
    open_house: ScratchDatabase,
) -> None:
    db = open_house
    db.accept("m1", "m2")

    sealed = db.seal()

    state, meta = db.view().state, db.reads.meta()
    assert sealed == Sealed(2, wake=(1,), windows=1)
    assert (state.windows, state.buffered_messages, meta.windows) == (0, 0, 0)
    assert (state.queued, state.queued_messages, meta.queued) == (1, 2, 1)
    assert db.dues() == [Due(START_MS + 48 * HOUR_MS, DueKind.FORGET, 1, b"c")]


def test_only_the_first_delivery_wakes_the_webhook(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept("m1")
    db.accept("m2", chat="d")

    wakes = [db.seal("c").wake, db.seal("d").wake]

    assert wakes == [(1,), ()]
    assert db.reads.ready(0, 10) == [1]


def test_a_row_that_the_chat_knows_nothing_of_is_deleted(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept("m1")
    stale = [Due(START_MS + 5, DueKind.WINDOW, 1, chat) for chat in (b"c", b"unknown")]
    with db.unit() as unit:
        for row in stale:
            unit.put_due(row)

    sealed = [db.seal(row.subject.decode(), due_ms=row.at_ms) for row in stale]

    assert sealed == [Sealed(0, wake=())] * 2
    assert db.dues() == [Due(START_MS + HOUR_MS, DueKind.WINDOW, 1, b"c")]


def test_a_window_is_sealed_once_however_often_it_is_told(open_house: ScratchDatabase) -> None:
    db = open_house
    due_ms = db.accept("m1").due_ms

    sealed = [db.seal(due_ms=due_ms).messages for _ in range(3)]

    assert sealed == [1, 0, 0]
    assert len(db.queued()) == 1


def test_a_preview_is_the_bundle_as_it_will_be_sent(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept(*(incoming(f"m{number}", text="x" * 700) for number in range(5)))

    preview = db.reads.preview("acme", "c", "Timelines").body
    db.seal()

    assert db.queued()[0].body == preview


def test_the_fact_names_delivery_and_reason(open_house: ScratchDatabase) -> None:
    db = open_house
    db.accept("m1", "m2")
    db.seal()

    (fact,) = db.events("delivery.sealed")

    assert fact["data"]["messages"] == 2
    assert fact["data"]["reason"] == "flush"
    assert fact["data"]["delivery"].startswith(f"dlv_{db.env.identity.epoch}")


def test_a_window_of_a_workspace_that_is_gone_is_refused(db: ScratchDatabase) -> None:
    with pytest.raises(NotFound):
        db.seal(ws=9)


def test_so_many_windows_are_sealed_in_one_transition_as_it_may_and_the_others_stay_due(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postponed, "STEP_WEIGHT", 250)
    db.workspace()
    for chat in "abcdef":
        db.accept("m1", "m2", chat=chat)
    db.now_ms += HOUR_MS
    rows = tuple(db.dues(DueKind.WINDOW))

    sealed = [db.do(SealDue(rows, db.now_ms, PRODUCT), DueSealed).messages for _ in range(3)]

    assert sealed == [8, 4, 0]
    assert db.dues(DueKind.WINDOW) == []
    assert [delivery.chat_id for delivery in db.queued()] == list("abcdef")
