"""Messages accepted: told from duplicates, held to a quota, counted when skipped."""

import pytest

from hookbundle.engine.errors import NotFound, QuotaReached
from hookbundle.engine.messages.message import Skipped
from hookbundle.storage.database import keyspace
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.transitions.accepting import Accepted, Quota
from hookbundle.storage.transitions.housekeeping import Forget
from hookbundle.tests.storage.scratch import HOUR_MS, START_MS, House

DAY_MS = 24 * HOUR_MS


def forget(house: House) -> None:
    """The clock has come to what is to be forgotten by now."""
    rows = tuple(row for row in house.dues(DueKind.FORGET) if row.at_ms <= house.now_ms)
    house.done(Forget(rows, house.now_ms))


def seen_parts(house: House) -> int:
    return sum(key.startswith(keyspace.SEEN_PARTS) for key in house.dump())


# ---- duplicates


def test_a_message_twice_in_a_request_is_stored_once(house: House) -> None:
    house.workspace()

    accepted = house.accept("m1", "m2", "m1")

    assert (accepted.accepted, accepted.duplicate) == (2, 1)
    assert house.view().state.buffered_messages == 2


def test_a_message_sent_again_is_a_duplicate_also_after_its_window_and_a_restart(
    house: House,
) -> None:
    house.workspace()
    house.accept("m1", "m2")
    house.seal()
    house.reopen()

    accepted = house.accept("m2", "m3")

    assert (accepted.accepted, accepted.duplicate) == (1, 1)


def test_the_same_id_in_another_chat_or_workspace_is_another_message(house: House) -> None:
    house.workspace()
    house.workspace("other")
    house.accept("m1")

    accepted = [house.accept("m1", chat="d").accepted, house.accept("m1", ws=2).accepted]

    assert accepted == [1, 1]


@pytest.mark.parametrize("at_once", [1, 63, 64, 65, 5_000])
def test_thousands_of_ids_of_a_chat_are_remembered(house: House, at_once: int) -> None:
    house.workspace()
    ids = [f"m{number}" for number in range(max(200, at_once))]
    for start in range(0, len(ids), at_once):
        house.accept(*ids[start : start + at_once])

    again = house.accept(*ids, "new")

    assert (again.accepted, again.duplicate) == (1, len(ids))


def test_ids_are_remembered_for_48_hours_after_the_chat_s_last_message(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    house.now_ms += 30 * HOUR_MS
    house.accept("m2")
    house.now_ms += 48 * HOUR_MS - 1
    forget(house)

    again = house.accept("m1", "m2")

    assert again.duplicate == 2


def test_a_chat_silent_for_48_hours_is_forgotten_without_a_trace(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept(*(f"m{number}" for number in range(500)))
    house.now_ms += 48 * HOUR_MS
    forget(house)
    left = (house.chat(), seen_parts(house), house.dues())

    again = house.accept("m1")

    assert left == (None, 0, [])
    assert again.accepted == 1


def test_ids_of_a_busy_chat_go_part_by_part_once_48_hours_old(house: House) -> None:
    house.workspace(aggregation_ms=0)
    for day in range(6):
        house.now_ms = START_MS + day * DAY_MS
        house.accept(*(f"d{day}m{number}" for number in range(100)))

    known = [house.accept(f"d{day}m0").duplicate for day in range(6)]

    assert known == [0, 0, 0, 0, 1, 1]
    assert seen_parts(house) == 2


def test_a_duplicate_does_not_prolong_what_is_remembered(house: House) -> None:
    house.workspace(aggregation_ms=0)
    house.accept("m1")
    house.now_ms += 47 * HOUR_MS
    house.accept("m1")
    house.now_ms += HOUR_MS
    forget(house)

    assert house.chat() is None


# ---- the quota of a disabled workspace


def test_a_disabled_workspace_holds_its_quota_and_refuses_the_rest_whole(house: House) -> None:
    house.workspace()
    house.disable()
    house.quota = Quota(messages_max=5)
    house.accept("m1", "m2")
    house.seal()
    house.accept("m3", chat="d")
    before = house.dump()

    with pytest.raises(QuotaReached, match="holds 3 messages of at most 5"):
        house.accept("m4", "m5", "m6")

    assert {key for key in house.dump() if house.dump()[key] != before[key]} <= {keyspace.META}
    assert house.accept("m4", "m5").accepted == 2


def test_duplicates_are_no_matter_of_quota(house: House) -> None:
    house.workspace()
    house.disable()
    house.quota = Quota(messages_max=2)
    house.accept("m1", "m2")

    assert house.accept("m1", "m2").duplicate == 2


@pytest.mark.parametrize("held", [(), ("in time",)])
def test_a_workspace_disabled_for_longer_than_messages_are_held_takes_no_more(
    house: House, held: tuple[str, ...]
) -> None:
    house.workspace()
    house.disable()
    house.now_ms += 7 * DAY_MS
    house.accept(*held)
    house.now_ms += 1

    with pytest.raises(QuotaReached, match="disabled for longer"):
        house.accept("too late")

    house.enable()
    assert house.accept("too late").accepted == 1


def test_an_enabled_workspace_has_no_quota(house: House) -> None:
    house.workspace()
    house.quota = Quota(messages_max=1, held_ms_max=1)
    house.now_ms += DAY_MS

    assert house.accept("m1", "m2", "m3").accepted == 3


def test_a_workspace_without_a_url_holds_its_quota_of_messages_for_as_long_as_it_takes(
    house: House,
) -> None:
    house.workspace(url="")
    house.quota = Quota(messages_max=2, held_ms_max=1)
    house.now_ms += DAY_MS
    house.accept("m1", "m2")

    with pytest.raises(QuotaReached, match="has no webhook URL and holds 2 messages"):
        house.accept("m3")


def test_a_workspace_that_is_gone_is_named(house: House) -> None:
    with pytest.raises(NotFound, match="number 1 was deleted"):
        house.accept("m1")


# ---- skipped


def test_skipped_messages_are_counted_and_told_but_not_stored(house: House) -> None:
    house.workspace()

    accepted = house.accept(skipped=("m1", "m2"))

    assert accepted == Accepted(0, 0, 0, wake=False)
    assert house.chat() is None
    assert house.reads.meta().totals.skipped == 2
    assert [fact["data"]["message"] for fact in house.told("message.skipped")] == ["m1", "m2"]


def test_skips_of_a_chat_in_a_row_are_one_line_of_activity(house: House) -> None:
    house.workspace()
    house.accept(skipped=("m1", "m2"))
    house.accept(skipped=("m3",))
    house.accept(chat="d", skipped=("m4",))

    lines = [(line.chat_id, line.messages) for line in house.reads.activity("acme")[:2]]

    assert lines == [("d", 1), ("c", 3)]


def test_a_line_of_skips_names_every_reason_there_was(house: House) -> None:
    house.workspace()
    house.accept(skipped=("m1",))
    house.accept(skipped=(Skipped("m2", "no_text"),))

    line = house.reads.activity("acme")[0]

    assert (line.messages, line.detail) == (2, "attachment, no_text")
