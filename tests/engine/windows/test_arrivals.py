"""Arrivals in four bytes: to the second, with a size that is near the true one."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.engine.windows.arrivals import DAY_MS, Arrival, packed, packed_one, unpacked
from hookbundle.tests.storage.scratch import incoming

TIMES = st.integers(0, 30_000 * DAY_MS)
SIZES = st.integers(0, limits.BUNDLE_BODY_BYTES_MAX // 2)


class Message(NamedTuple):
    arrived_ms: int
    message: bytes


def read_back(messages: list[Message]) -> list[Arrival]:
    pieces = packed(messages, opened_ms=5_000)
    return [each for day, arrivals in pieces for each in unpacked(day, arrivals)]


@settings(deadline=None)
@given(st.lists(st.builds(Message, TIMES, st.binary(max_size=99)), max_size=9))
def test_arrivals_are_read_back_to_the_second_in_order_of_time(messages: list[Message]) -> None:
    found = read_back(messages)

    times = sorted((each.arrived_ms or 5_000) // 1_000 * 1_000 for each in messages)
    assert [each.at_ms for each in found] == times


@settings(deadline=None)
@given(TIMES, SIZES)
def test_one_alone_is_packed_as_one_of_several(at_ms: int, size: int) -> None:
    (found,) = unpacked(at_ms // DAY_MS, packed_one(at_ms, size))

    assert found.at_ms == at_ms // 1_000 * 1_000
    assert abs(found.weight - 2 * size) < 250
    assert packed([Message(at_ms or 1, b"x" * 40)], 0)[0][1] == packed_one(at_ms or 1, 40)


def test_each_day_is_a_piece() -> None:
    times = (DAY_MS, DAY_MS - 1, 4 * DAY_MS, DAY_MS + 1, DAY_MS - 2)
    messages = [Message(each, b"") for each in times]

    pieces = packed(messages, 0)

    assert [(day, len(arrivals)) for day, arrivals in pieces] == [(0, 8), (1, 8), (4, 4)]
    assert packed([], 0) == []


@pytest.mark.parametrize(
    "text", ["ok", "See you at five", "\u05e9\u05dc\u05d5\u05dd " * 20, "x" * 9_000]
)
def test_the_weight_is_about_that_in_a_bundle(text: str) -> None:
    message = incoming("3EB0C767D26A1B2E5F0A", text=text).message

    (found,) = read_back([Message(1, message)])

    assert found.weight == pytest.approx(payload.weight(message), rel=0.1)


def test_what_is_no_whole_number_of_arrivals_is_refused() -> None:
    with pytest.raises(ValueError, match="no arrivals"):
        unpacked(0, b"12345")
