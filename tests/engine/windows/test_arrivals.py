"""Arrivals in four bytes: to the second, with a size that is near the true one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.messages import payload
from hookbundle.engine.windows.arrivals import DAY_MS, day_of, packed, unpacked
from hookbundle.tests.storage.scratch import incoming

TIMES = st.integers(0, 30_000 * DAY_MS)
SIZES = st.lists(st.integers(0, limits.BUNDLE_BODY_BYTES_MAX // 2), max_size=5)


@given(TIMES, SIZES)
def test_an_arrival_is_read_back_to_the_second(at_ms: int, sizes: list[int]) -> None:
    found = unpacked(day_of(at_ms), packed(at_ms, sizes))

    assert [each.at_ms for each in found] == [at_ms // 1_000 * 1_000] * len(sizes)
    assert all(abs(each.weight - 2 * size) < 250 for each, size in zip(found, sizes, strict=True))


@pytest.mark.parametrize("text", ["ok", "See you at five", "שלום מה שלומך" * 9, "x" * 9_000])
def test_the_weight_is_about_that_in_a_bundle(text: str) -> None:
    message = incoming("3EB0C767D26A1B2E5F0A", text=text).message

    (found,) = unpacked(0, packed(0, [len(message)]))

    assert found.weight == pytest.approx(payload.weight(message), rel=0.1)


def test_what_is_no_whole_number_of_arrivals_is_refused() -> None:
    with pytest.raises(ValueError, match="no arrivals"):
        unpacked(0, b"12345")
