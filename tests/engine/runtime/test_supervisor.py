import pytest

from hookbundle.engine.errors import ActorFailed, CorruptRecord, Quarantined
from hookbundle.engine.runtime.supervisor import RestartIntensity, Supervisor

INTENSITY = RestartIntensity(failures_max=2, period_ms=1_000, quarantine_ms=5_000)


@pytest.fixture
def supervisor() -> Supervisor[str]:
    return Supervisor(name="chat", intensity=INTENSITY)


def fail(supervisor: Supervisor[str], key: str, *times_ms: int) -> list[bool]:
    return [supervisor.failed(key, ValueError(f"at {at_ms}"), at_ms) for at_ms in times_ms]


def test_one_failure_too_many_within_the_period_begins_a_quarantine(
    supervisor: Supervisor[str],
) -> None:
    assert fail(supervisor, "a", 0, 500, 999) == [False, False, True]


def test_failures_further_apart_do_not_add_up(supervisor: Supervisor[str]) -> None:
    assert fail(supervisor, "a", *range(0, 10_000, 500)) == [False] * 20


def test_the_failures_of_one_do_not_count_for_another(supervisor: Supervisor[str]) -> None:
    assert fail(supervisor, "a", 0, 1) + fail(supervisor, "b", 2, 3) == [False] * 4


def test_the_refusal_says_who_until_when_and_why(supervisor: Supervisor[str]) -> None:
    fail(supervisor, "a", 0, 1, 2)

    refusal = supervisor.refusal("a", 10)

    assert isinstance(refusal, Quarantined)
    assert "'chat a' is in quarantine until 5002 ms" in str(refusal)
    assert "ValueError" in str(refusal)
    assert "at 2" not in str(refusal)  # it might quote somebody's message


@pytest.mark.parametrize(("now_ms", "is_refused"), [(5_001, True), (5_002, False)])
def test_a_quarantine_ends_by_itself(
    supervisor: Supervisor[str], now_ms: int, is_refused: bool
) -> None:
    fail(supervisor, "a", 0, 1, 2)

    assert (supervisor.refusal("a", now_ms) is not None) == is_refused
    assert bool(supervisor.quarantined(now_ms)) == is_refused


def test_after_a_quarantine_the_count_begins_afresh(supervisor: Supervisor[str]) -> None:
    fail(supervisor, "a", 0, 1, 2)

    assert fail(supervisor, "a", 5_002, 5_003, 5_004) == [False, False, True]


def test_a_released_key_is_let_in_and_counts_afresh(supervisor: Supervisor[str]) -> None:
    fail(supervisor, "a", 0, 1, 2)

    assert supervisor.release("a") is True

    assert supervisor.refusal("a", 3) is None
    assert supervisor.release("a") is False
    assert fail(supervisor, "a", 3, 4) == [False, False]


def test_those_in_quarantine_are_listed_with_the_end_and_the_last_error(
    supervisor: Supervisor[str],
) -> None:
    fail(supervisor, "a", 0, 1, 2)
    fail(supervisor, "b", 100, 101, 102)

    listed = supervisor.quarantined(200)

    assert [(each.key, each.until_ms) for each in listed] == [("a", 5_002), ("b", 5_102)]
    assert str(listed[1].last_error) == "at 102"


def test_keys_that_failed_long_ago_take_no_room(supervisor: Supervisor[str]) -> None:
    for number in range(100):
        fail(supervisor, f"chat {number}", number)

    fail(supervisor, "later", 10_000)

    assert len(supervisor._failures) == 1


def test_the_verdict_keeps_a_hookbundle_error_and_wraps_any_other(
    supervisor: Supervisor[str],
) -> None:
    known, foreign = CorruptRecord("chat/a: bad checksum"), KeyError("x")

    assert supervisor.verdict("a", known) is known
    wrapped = supervisor.verdict("a", foreign)
    assert isinstance(wrapped, ActorFailed)
    assert wrapped.__cause__ is foreign
