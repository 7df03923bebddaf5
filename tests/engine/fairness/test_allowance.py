"""So many uses within any hour: who is refused, and for how long."""

import pytest

from hookbundle.engine.error_codes import Term
from hookbundle.engine.errors import TooManyRequests
from hookbundle.engine.fairness import allowance
from hookbundle.engine.fairness.allowance import Allowance

HOUR_MS = 3_600_000


def of_three() -> Allowance[str]:
    return Allowance("tests", Term.CONNECTIONS, 3, HOUR_MS)


def test_within_any_hour_there_are_so_many_and_no_more() -> None:
    uses = of_three()
    for now_ms in (0, 1_000, HOUR_MS - 1):
        uses.use("a", now_ms)

    with pytest.raises(TooManyRequests):
        uses.use("a", HOUR_MS - 1)
    uses.use("a", HOUR_MS)  # the first one is an hour old
    with pytest.raises(TooManyRequests):
        uses.use("a", HOUR_MS)

    assert (uses.refused_owner, uses.used) == (2, 3)


@pytest.mark.parametrize(
    ("now_ms", "wait_s", "words"),
    [
        (0, 3_600, "in 60 min"),
        (1, 3_600, "in 60 min"),
        (1_000, 3_599, "in 60 min"),
        (HOUR_MS - 61_000, 61, "in 2 min"),
        (HOUR_MS - 1, 1, "in 1 min"),
    ],
)
def test_the_wait_it_names_is_the_one_that_is_left(now_ms: int, wait_s: int, words: str) -> None:
    uses = of_three()
    for _ in range(3):
        uses.use("a", 0)

    with pytest.raises(TooManyRequests, match=words) as refused:
        uses.use("a", now_ms)
    uses.use("a", now_ms + 1_000 * refused.value.retry_after_s)

    assert refused.value.retry_after_s == wait_s


def test_another_owner_has_uses_of_its_own() -> None:
    uses = of_three()
    for _ in range(3):
        uses.use("a", 0)

    uses.use("b", 0)

    assert uses.used == 4


def test_owners_of_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowance, "OWNERS_SWEPT_AT", 10)
    uses = of_three()
    for n in range(10):
        uses.use(f"w{n}", 0)

    uses.use("late", HOUR_MS)

    assert uses.used == 1
