"""Which outcome a response leads to."""

import pytest

from hookbundle.engine.delivery.outcomes import (
    Delivered,
    ErrorClass,
    Failed,
    NoResponse,
    Outcome,
    Rejected,
    Response,
    Unknown,
    code_of,
    counted,
    judge,
    judged,
)
from hookbundle.engine.delivery.success import SEED, success_of

NOW_S = 1_445_412_480  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(
    ("status", "success", "expected"),
    [
        (200, "200", Delivered(200)),
        (200, "2xx", Delivered(200)),
        (204, "2xx", Delivered(204)),
        (
            201,
            "200",
            Failed("not_success: answered 201; this webhook takes only 200 as success", 201),
        ),
        (
            207,
            "200",
            Failed("not_success: answered 207; this webhook takes only 200 as success", 207),
        ),
        (299, "2xx", Delivered(299)),
        (201, "200,201,409", Delivered(201)),
        (409, "200,201,409", Delivered(409)),
        (410, "200,201,409", Rejected(410)),
        (
            204,
            "200,202",
            Failed("not_success: answered 204; this webhook takes only 200, 202 as success", 204),
        ),
        (500, "200,202", Failed("status 500", 500)),
        (300, "2xx", Failed("status 300", 300)),
        (199, "2xx", Failed("status 199", 199)),
        (302, "200", Failed("status 302", 302)),
        (400, "200", Rejected(400)),
        (404, "2xx", Rejected(404)),
        (410, "200", Rejected(410)),
        (408, "200", Failed("status 408", 408)),
        (425, "200", Failed("status 425", 425)),
        (500, "200", Failed("status 500", 500)),
        (599, "2xx", Failed("status 599", 599)),
    ],
)
def test_a_status_is_a_success_a_rejection_or_an_error(
    status: int, success: str, expected: Outcome
) -> None:
    assert judge(status, None, success_of(success), NOW_S) == expected


@pytest.mark.parametrize(
    ("status", "asked", "expected_ms"),
    [
        (429, "120", 120_000),
        (503, "Wed, 21 Oct 2015 07:29:00 GMT", 60_000),
        (503, "soon", None),
        (503, "", None),
        (500, "120", None),
    ],
)
def test_only_429_and_503_may_ask_for_a_wait(
    status: int, asked: str, expected_ms: int | None
) -> None:
    assert judge(status, asked, SEED, NOW_S) == Failed(f"status {status}", status, expected_ms)


def test_a_rejection_names_its_status() -> None:
    assert Rejected(404).error == "status 404"


def no_response(error: ErrorClass) -> NoResponse:
    return NoResponse(error=error, detail="so it was", sent=False, duration_ms=1)


@pytest.mark.parametrize("stood_still", [False, True])
@pytest.mark.parametrize("error", list(ErrorClass))
def test_what_is_no_error_of_the_receiver(error: ErrorClass, stood_still: bool) -> None:
    outcome = judged(no_response(error), SEED, NOW_S, stood_still=stood_still)

    timed_out = error in ("timeout_connect", "timeout_total")
    ours = error in ("local", "look_ups_full", "proxy") or (timed_out and stood_still)
    assert isinstance(outcome, Unknown if ours else Failed)
    assert code_of(outcome.error) == ("stood_still" if ours and timed_out else error)


@pytest.mark.parametrize("status", [500, 404, 302])
def test_an_answer_counts_however_late_it_came(status: int) -> None:
    late = Response(status=status, headers=(), body=b"", truncated=False, duration_ms=99_000)

    assert not isinstance(judged(late, SEED, NOW_S, stood_still=True), Unknown)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("dns: the host name was not found", "dns"),
        ("status 503", "status"),
        ("not_success: answered 201; this webhook takes only 200 as success", "not_success"),
        ("stopped: the daemon stopped before the outcome was known", "stopped"),
        ("the daemon stopped before the outcome was known", ""),  # of an earlier version
        ("", ""),
    ],
)
def test_a_stored_error_begins_with_its_code(error: str, code: str) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize(("before", "counts"), [(0, False), (2, False), (3, True), (4, True)])
def test_after_three_faults_of_ours_in_a_row_the_next_one_counts(before: int, counts: bool) -> None:
    outcome = counted(Unknown("local: no descriptor left"), before)

    assert isinstance(outcome, Failed) is counts
    assert counted(Delivered(200), before) == Delivered(200)
