"""What nodes ask each other: believed only as it was sent, by one with the key, and once."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from hookbundle.engine.replication import envelopes, held_parts
from hookbundle.engine.replication.envelopes import (
    SENDERS_MAX,
    WINDOW,
    Envelope,
    EnvelopeKind,
    Fresh,
    opened,
    parts_of,
    seal,
)
from hookbundle.engine.replication.held_parts import (
    COMPLETE_WITHIN_S,
    SHARE_BYTES_MAX,
    HeldParts,
    NoRoom,
    Whole,
)

KEY, REPLY = bytes(range(32)), "_INBOX.x.1"
ASK = Envelope(kind=EnvelopeKind.ASK, sender="a/a1", to="b/b1", number=7, body=b"hello")
MIB = bytes(1 << 20)


def numbered(number: int, sender: str = "a/a1", part: int = 1, parts: int = 1) -> Envelope:
    return replace(ASK, number=number, sender=sender, part=part, parts=parts)


def add_all(held: HeldParts, parts: Iterable[Envelope]) -> None:
    for part in parts:
        held.add(part, REPLY, 0.0)


# ---- proofs


def test_a_part_is_read_as_it_was_sealed() -> None:
    assert opened(seal(ASK, REPLY, KEY), ASK.body, REPLY, KEY) == ASK


@pytest.mark.parametrize(
    "changed",
    [
        {"Hb-Kind": "answer"},
        {"Hb-From": "c/c1"},
        {"Hb-To": "b/b2"},
        {"Hb-N": "8"},
        {"Hb-Part": "1/2"},
        {"Hb-Mac": ""},
        {"Hb-Mac": "é"},
        {"Hb-Mac": "0" * 64},
    ],
)
def test_nothing_of_a_part_can_be_changed(changed: dict[str, str]) -> None:
    assert opened(seal(ASK, REPLY, KEY) | changed, ASK.body, REPLY, KEY) is None


def test_neither_its_body_nor_where_the_answer_goes_nor_who_has_no_key() -> None:
    headers = seal(ASK, REPLY, KEY)

    assert opened(headers, b"hallo", REPLY, KEY) is None
    assert opened(headers, ASK.body, "_INBOX.y.1", KEY) is None
    assert opened(headers, ASK.body, REPLY, bytes(32)) is None
    assert opened({}, b"", "", KEY) is None


def test_bytes_can_not_move_between_the_body_and_the_rest() -> None:
    headers = seal(replace(ASK, body=b"\nx"), "", KEY)

    assert opened(headers, b"x", "\n", KEY) is None


def test_digits_can_not_move_from_one_header_to_the_next() -> None:
    headers = seal(replace(ASK, number=1, part=12, parts=13), REPLY, KEY)

    assert opened(headers, ASK.body, REPLY, KEY) is not None
    assert opened(headers | {"Hb-N": "11", "Hb-Part": "2/13"}, ASK.body, REPLY, KEY) is None


@pytest.mark.parametrize(
    "strange",
    [
        {"Hb-Kind": "order"},
        {"Hb-N": "-1"},
        {"Hb-N": "9" * 5_000},
        {"Hb-Part": "0/1"},
        {"Hb-Part": "2/1"},
        {"Hb-Part": "1/9999"},
        {"Hb-From": "a"},
        {"Hb-To": "*/b1"},
    ],
)
def test_what_a_node_would_never_say_is_not_read_even_with_the_key(
    strange: dict[str, str],
) -> None:

    headers = seal(ASK, REPLY, KEY) | strange
    headers["Hb-Mac"] = envelopes._mac(headers, REPLY, ASK.body, KEY)

    assert opened(headers, ASK.body, REPLY, KEY) is None


# ---- repetitions


def test_what_came_before_is_not_new_in_whatever_order_it_comes() -> None:
    fresh = Fresh()

    came = [fresh.is_new(numbered(number)) for number in (1, 3, 2, 3, 1, 2, 4)]

    assert came == [True, True, True, False, False, False, True]


def test_parts_of_one_request_are_each_new_once() -> None:
    fresh = Fresh()
    parts = [numbered(1, part=part, parts=3) for part in (1, 2, 3)]

    assert [fresh.is_new(part) for part in parts * 2] == [True] * 3 + [False] * 3


def test_what_is_older_than_can_be_known_is_taken_for_a_repetition() -> None:
    fresh = Fresh()
    numbers = range(1, 5 * WINDOW)
    assert all(fresh.is_new(numbered(number)) for number in numbers)

    assert not any(fresh.is_new(numbered(number)) for number in numbers)
    assert fresh.is_new(numbered(6 * WINDOW))
    assert not fresh.is_new(numbered(5 * WINDOW))
    assert fresh.is_new(numbered(5 * WINDOW + 1))


def test_senders_are_known_apart() -> None:
    fresh = Fresh()

    assert all(fresh.is_new(numbered(1, f"a/{n}")) for n in range(SENDERS_MAX))
    assert not any(fresh.is_new(numbered(1, f"a/{n}")) for n in range(SENDERS_MAX))
    assert fresh.is_new(numbered(2, "a/7"))


def test_lives_of_nodes_come_and_go_and_what_is_over_says_nothing_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(envelopes, "OVER_MAX", 3 * SENDERS_MAX)
    fresh = Fresh()
    lives = [f"a/{n}" for n in range(5 * SENDERS_MAX)]
    for life in lives:
        assert fresh.is_new(numbered(1, life))
        assert fresh.is_new(numbered(lives.index(life) + 1, "b/stays"))

    assert fresh.is_new(numbered(2, lives[-1]))
    assert not any(
        fresh.is_new(numbered(9, life)) for life in lives[-3 * SENDERS_MAX : -SENDERS_MAX]
    )
    assert len(fresh._of) <= SENDERS_MAX
    assert len(fresh._over) <= 3 * SENDERS_MAX


# ---- parts


def test_a_request_is_whole_when_all_its_parts_have_come_in_any_order() -> None:
    parts = parts_of(replace(ASK, body=b"abcdefg"), 3)
    held = HeldParts()

    assert [part.body for part in parts] == [b"abc", b"def", b"g"]
    assert held.add(parts[2], REPLY, 0.0) is None
    assert held.add(parts[0], REPLY, 0.1) is None
    assert held.add(parts[1], "_INBOX.other", 0.2) == Whole(REPLY, b"abcdefg")
    assert held.held_bytes == 0


def test_an_empty_request_is_one_part() -> None:
    (part,) = parts_of(replace(ASK, body=b""), 3)

    assert HeldParts().add(part, REPLY, 0.0) == Whole(REPLY, b"")


def test_a_request_of_one_part_finds_room_where_parts_have_used_it_up() -> None:
    held = HeldParts()
    part = replace(ASK, part=1, parts=2, body=bytes(held_parts.SHARE_BYTES_MAX - 1_000))
    held.add(part, REPLY, 0.0)
    whole = replace(ASK, number=ASK.number + 1, body=bytes(10_000))

    assert held.add(whole, REPLY, 0.0) == Whole(REPLY, whole.body)


def test_more_than_nodes_send_each_other_is_not_cut() -> None:
    with pytest.raises(ValueError, match="2000 bytes are more"):
        parts_of(replace(ASK, body=bytes(2_000)), 1)


def test_a_node_has_a_share_and_its_flood_keeps_no_other_from_being_heard() -> None:
    held = HeldParts()
    flood = replace(numbered(1, parts=2), body=MIB)
    with pytest.raises(NoRoom):
        add_all(held, (replace(flood, number=number) for number in range(100)))
    assert held.held_bytes <= SHARE_BYTES_MAX

    other = replace(flood, sender="c/c1")
    assert held.add(other, REPLY, 0.0) is None
    assert held.add(replace(other, part=2), REPLY, 0.0) == Whole(REPLY, MIB + MIB)


def test_a_request_that_finds_no_room_is_dropped_with_all_its_parts() -> None:
    held = HeldParts()
    first = replace(numbered(1, parts=3), body=bytes(SHARE_BYTES_MAX - 1_000))
    held.add(first, REPLY, 0.0)

    with pytest.raises(NoRoom):
        held.add(replace(first, part=2, body=bytes(2_000)), REPLY, 0.0)

    assert held.held_bytes == 0
    assert held.add(replace(numbered(2, parts=2), body=bytes(2_000)), REPLY, 0.0) is None


def test_nodes_together_hold_no_more_than_all_may() -> None:
    held = HeldParts()
    part = replace(numbered(1, parts=2), body=MIB)

    with pytest.raises(NoRoom):
        add_all(held, (replace(part, sender=f"n{n % 5}/x", number=n) for n in range(100)))

    assert held.held_bytes < 100 << 20


def test_empty_parts_without_end_are_bounded_as_well() -> None:
    held = HeldParts()

    empty = replace(ASK, parts=2, body=b"")
    with pytest.raises(NoRoom):
        add_all(held, (replace(empty, number=n) for n in range(SHARE_BYTES_MAX)))


def test_what_is_not_complete_in_time_is_dropped() -> None:
    held = HeldParts()
    held.add(replace(numbered(1, parts=2), body=MIB), REPLY, 0.0)

    held.add(replace(numbered(2, parts=2), body=b"x"), REPLY, COMPLETE_WITHIN_S + 0.1)

    assert held.held_bytes < 1_000
    late = replace(numbered(1, part=2, parts=2), body=b"y")
    assert held.add(late, REPLY, COMPLETE_WITHIN_S + 0.2) is None
