"""Which outcome a response leads to."""

import pytest

from hookbundle.engine.delivery.outcomes import (
    Delivered,
    Failed,
    Outcome,
    Rejected,
    SuccessRule,
    judge,
)

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
    status: int, success: SuccessRule, expected: Outcome
) -> None:
    assert judge(status, None, success, NOW_S) == expected


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
    assert judge(status, asked, "200", NOW_S) == Failed(f"status {status}", status, expected_ms)


def test_a_rejection_names_its_status() -> None:
    assert Rejected(404).error == "status 404"
