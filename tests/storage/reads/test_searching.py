"""A search finds what passes its filters, newest first, and looks at no more than it must."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.engine.errors import NotFound
from hookbundle.storage.database import keyspace
from hookbundle.storage.reads import damaged
from hookbundle.storage.reads.searching import candidates
from hookbundle.storage.reads.searching.wanted import Statuses
from hookbundle.storage.tables import history
from hookbundle.tests.storage.deleting import delete_chat, erase
from hookbundle.tests.storage.reads.searching import deliver, found, search
from hookbundle.tests.storage.scratch import NO, ScratchDatabase, failed
from hookbundle.tests.storage.transitions.acting import dead_letters, discard, retry_dead_letters

QUEUED, SENDING, DELIVERED = DeliveryState.QUEUED, DeliveryState.IN_FLIGHT, DeliveryState.DELIVERED
DEAD, DISCARDED = DeliveryState.DEAD_LETTER, DeliveryState.DISCARDED


@pytest.fixture
def every_state(db: ScratchDatabase) -> ScratchDatabase:
    """1 is delivered, 2 a dead letter, 3 discarded, 4 sending, 5 queued."""
    db.workspace(aggregation_ms=0)
    deliver(db, "a")
    db.accept("m2", chat="b")
    for _ in range(3):
        db.attempt(NO)
    db.accept("m3", chat="a")
    discard(db, 3)
    db.accept("m4", chat="b")
    db.wait()
    db.begun()
    db.accept("m5", chat="c")
    return db


# ---- filters


@pytest.mark.parametrize(
    ("states", "numbers"),
    [
        (set(DeliveryState), [5, 4, 3, 2, 1]),
        ({QUEUED}, [5]),
        ({SENDING}, [4]),
        ({QUEUED, SENDING}, [5, 4]),
        ({DEAD}, [2]),
        ({DELIVERED, DISCARDED}, [3, 1]),
        ({DEAD, DELIVERED}, [2, 1]),
        ({QUEUED, SENDING, DEAD}, [5, 4, 2]),
    ],
)
def test_deliveries_are_found_by_their_state(
    every_state: ScratchDatabase, states: set[DeliveryState], numbers: list[int]
) -> None:
    wanted = frozenset(states)

    assert found(every_state, states=wanted) == numbers
    assert found(every_state, states=wanted, page=1) == numbers
    assert found(every_state, states=wanted, rows_most=1) == numbers


def test_an_attempt_of_a_daemon_that_died_is_not_under_way(every_state: ScratchDatabase) -> None:
    later = every_state.now_ms + 1

    assert found(every_state, states=frozenset({SENDING}), alive_since_ms=later) == []
    assert found(every_state, states=frozenset({QUEUED}), alive_since_ms=later) == [5, 4]


@pytest.mark.parametrize(
    ("filters", "numbers"),
    [
        ({"chat": "a"}, [3, 1]),
        ({"chat": "b", "states": frozenset({DEAD})}, [2]),
        ({"chat": "nobody"}, []),
        ({"chat": "ä" * 300}, []),
        ({"statuses": Statuses(404, 404)}, [2]),
        ({"statuses": Statuses(200, 299)}, [1]),
        ({"statuses": Statuses(0, 0)}, []),
        ({"webhooks": ("outbound",)}, [5, 4, 3, 2, 1]),
    ],
)
def test_deliveries_are_found_by_chat_and_by_the_last_answer(
    every_state: ScratchDatabase, filters: dict[str, Any], numbers: list[int]
) -> None:
    assert found(every_state, **filters) == numbers
    assert found(every_state, **filters, rows_most=1) == numbers


def test_a_call_without_an_answer_is_found_and_no_call_is_not(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept("m1", "m2")
    db.attempt(failed())

    assert found(db, statuses=Statuses(0, 0)) == [1]


def test_an_unknown_webhook_or_workspace_is_not_found(db: ScratchDatabase) -> None:
    db.workspace()

    with pytest.raises(NotFound, match="no webhook 'second'"):
        found(db, webhooks=("outbound", "second"))
    with pytest.raises(NotFound, match="no workspace"):
        found(db, ws="other")


def test_a_search_stays_in_its_workspace(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    other = db.workspace("other", aggregation_ms=0)
    deliver(db, "a", phone="+97250")
    deliver(db, "a", phone="+97250", ws=other)

    for filters in ({}, {"chat": "a"}, {"phones": (b"97250",)}, {"states": frozenset({DELIVERED})}):
        assert found(db, **filters) == [1]
        assert found(db, ws="other", **filters) == [2]


# ---- phones and names


def test_a_phone_finds_every_delivery_of_the_chats_that_had_it(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    deliver(db, "a", phone="+972 54-000")
    deliver(db, "b", phone="+97255000")
    deliver(db, "c", phone="97254000")
    deliver(db, "a", phone="+1 234")

    assert found(db, phones=(b"97254000", b"0097254000")) == [4, 3, 1]
    assert found(db, phones=(b"97254000",), page=1) == [4, 3, 1]
    assert found(db, phones=(b"97254",)) == []


def test_a_phone_of_more_chats_than_are_merged_is_looked_for_in_all(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidates, "CHATS_MOST", 2)
    db.workspace(aggregation_ms=0)
    for chat in ("a", "b", "c", "x", "a"):
        deliver(db, chat, phone="+1" if chat == "x" else "+97254")

    assert found(db, phones=(b"97254",)) == [5, 3, 2, 1]
    assert found(db, phones=(b"97254",), rows_most=1) == [5, 3, 2, 1]


def test_a_name_is_the_latest_one_of_the_chat(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    deliver(db, "a", name="Zoë Straße")
    deliver(db, "b", name="Nobody")
    deliver(db, "b", name="Zoë STRASSE")
    deliver(db, "a", name="Somebody")
    deliver(db, "b", name="zoë strasse 2")

    assert found(db, name="zoë strasse".casefold()) == [5, 3, 2]
    assert found(db, name="straße".casefold(), page=1) == [5, 3, 2]
    assert found(db, name="somebody") == [4, 1]


# ---- times


def test_deliveries_are_found_by_when_they_were_sealed(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    times = []
    for _ in range(40):
        db.now_ms += 59_000
        deliver(db)
        times.append(db.now_ms)

    for first, end in ((0, 40), (10, 20), (39, 40), (0, 1), (20, 20)):
        until_ms = times[end] if end < 40 else times[-1] + 1
        wanted = list(range(end, first, -1))
        assert found(db, since_ms=times[first], until_ms=until_ms) == wanted
        assert found(db, since_ms=times[first], until_ms=until_ms, chat="c", page=3) == wanted


def test_a_time_is_found_without_a_walk(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for _ in range(200):
        db.now_ms += 59_000
        deliver(db)
    since_ms, until_ms = db.now_ms - 110 * 60_000, db.now_ms - 100 * 60_000

    page = search(db, since_ms=since_ms, until_ms=until_ms).read(100)

    assert (len(page.found), page.position) == (10, None)
    assert page.seen <= 12


def test_what_waited_for_the_store_is_found_by_its_own_time(db: ScratchDatabase) -> None:
    """The second delivery has the time of a moment before that of the first."""
    db.workspace(aggregation_ms=0)
    db.now_ms += 10_000
    db.accept("m1")
    db.now_ms -= 5_000
    db.accept("m2")
    db.now_ms += 60_000
    db.accept("m3")

    assert found(db, until_ms=db.now_ms - 55_000) == [2]
    assert found(db, since_ms=db.now_ms - 55_000, until_ms=db.now_ms) == [1]


# ---- what is never shown


def test_a_deleted_chat_is_not_found_and_its_new_deliveries_are(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for chat in ("a", "b", "a"):
        deliver(db, chat, name="Zoë", phone="+97254")
    db.accept("m4", chat="a")
    delete_chat(db, "a")
    deliver(db, "a", name="Anna", phone="+97254")

    def seen() -> list[list[int]]:
        return [
            found(db),
            found(db, chat="a"),
            found(db, phones=(b"97254",)),
            found(db, name="zoë"),
            found(db, states=frozenset({QUEUED})),
        ]

    before = seen()
    erase(db)

    assert before == seen() == [[5, 2], [5], [5, 2], [2], []]


def test_a_damaged_record_hides_no_other(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(damaged, "_named", set())  # another test may have named the same key
    db.workspace(aggregation_ms=0)
    for _ in range(3):
        deliver(db)
    with db.env.write() as txn:
        txn.put(history.key_of(1, 2), b"\x00damaged")

    with capture_logs() as lines:
        numbers = found(db)
        by_chat = found(db, chat="c", since_ms=1)

    assert (numbers, by_chat) == ([3, 1], [3, 1])
    assert "damaged record is left out" in lines[0]["event"]


# ---- bounds


def test_a_page_ends_after_so_many_records_and_says_how_far_it_looked(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    for _ in range(10):
        deliver(db)

    page = search(db, rows_most=4, name="nobody").read(100)

    seventh = db.delivery(8)
    assert (page.found, page.seen) == ([], 4)
    assert page.position == (8).to_bytes(8, "big")
    assert seventh
    assert page.reached_ms == seventh.sealed_ms


def test_what_a_command_has_discarded_is_passed_over(db: ScratchDatabase) -> None:
    db.workspace(aggregation_ms=0)
    db.accept(*(f"m{number}" for number in range(50)))
    db.begun()
    db.enable(discard=True)
    db.accept("m51")

    page = search(db, states=frozenset({QUEUED, SENDING})).read(100)

    assert [each.delivery.number for each in page.found] == [51, 1]
    assert (page.seen, page.position) == (2, None)
    assert len(found(db, states=frozenset({DISCARDED}))) == 49


def test_what_a_command_has_queued_again_is_queued_at_once(db: ScratchDatabase) -> None:
    db.policy = BackoffPolicy(errors_max=1_000)
    dead_letters(db, *(f"m{number}" for number in range(5)))
    assert found(db, states=frozenset({DEAD})) == [5, 4, 3, 2, 1]
    retry_dead_letters(db)
    db.accept("m6")

    dead = search(db, states=frozenset({DEAD})).read(100)
    queued = search(db, states=frozenset({QUEUED})).read(100)

    assert (dead.found, dead.seen) == ([], 0)
    assert [each.delivery.number for each in queued.found] == [6, 5, 4, 3, 2, 1]
    assert {each.delivery.rejections for each in queued.found} == {0}
    assert keyspace.DEAD_LETTERS in {key[:1] for key in db.dump()}
