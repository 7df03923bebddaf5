"""Rules for an answer: each has to be met by JSON that can be read, whatever bytes came."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hookbundle.engine import limits
from hookbundle.engine.delivery.answers.rules import unmet
from hookbundle.engine.delivery.outcomes import (
    Delivered,
    Failed,
    Outcome,
    Rejected,
    Response,
    Unknown,
    judged,
    reason_of,
)
from hookbundle.engine.delivery.success import Success, success_of

OK_IS_TRUE = {"pointer": "/ok", "equals": True}
NO_ERRORS = {"pointer": "/errors", "absent": True}
MOST = limits.ANSWER_READ_BYTES_MAX


def rules(*documents: object) -> Success:
    return success_of("200", msgspec.json.encode(documents))


def answer(
    body: bytes, status: int = 200, *, is_complete: bool = True, stored: int = 4096
) -> Response:
    return Response(
        status=status,
        headers=(),
        body=body[:stored],
        truncated=len(body) > stored,
        duration_ms=1,
        read=body,
        is_complete=is_complete,
    )


def verdict(body: bytes, *documents: object) -> Outcome:
    return judged(answer(body), rules(*documents), 0)


@pytest.mark.parametrize(
    ("rule", "body", "error"),
    [
        (OK_IS_TRUE, b'{"ok": true}', ""),
        (OK_IS_TRUE, b'\xef\xbb\xbf{"ok": true}', ""),
        (OK_IS_TRUE, b'{"ok": false, "ok": true}', ""),
        (OK_IS_TRUE, b'{"ok": true, "text": "\\ud83d", "n": 1e999}', ""),
        (OK_IS_TRUE, b'{"ok": 1}', "/ok is 1, not true"),
        (OK_IS_TRUE, b'{"ok": "true"}', '/ok is "true", not true'),
        (OK_IS_TRUE, b'{"ok": null}', "/ok is null, not true"),
        (OK_IS_TRUE, b'{"ok": {}}', "/ok is an object, not true"),
        (OK_IS_TRUE, b"{}", "/ok is missing"),
        (OK_IS_TRUE, b"[true]", "/ok is missing"),
        ({"pointer": "/n", "equals": 1}, b'{"n": 1.0}', ""),
        ({"pointer": "/n", "equals": 1}, b'{"n": true}', "/n is true, not 1"),
        ({"pointer": "/n", "equals": 0}, b'{"n": false}', "/n is false, not 0"),
        ({"pointer": "/n", "equals": None}, b'{"n": null}', ""),
        ({"pointer": "/n", "equals": None}, b"{}", "/n is missing"),
        (NO_ERRORS, b"{}", ""),
        (NO_ERRORS, b'{"errors": null}', "/errors is there: null"),
        (NO_ERRORS, b'{"errors": ["a"]}', "/errors is there: an array"),
        ({"pointer": "/a~1b/~0/1", "exists": True}, b'{"a/b": {"~": [0, null]}}', ""),
        ({"pointer": "/a/01", "exists": True}, b'{"a": [0, 1]}', "/a/01 is missing"),
        ({"pointer": "/a/-", "exists": True}, b'{"a": [0, 1]}', "/a/- is missing"),
        ({"pointer": "", "equals": "ok"}, b'"ok"', ""),
        ({"pointer": "", "equals": "ok"}, b'"no"', '"" is "no", not "ok"'),
        (
            {"pointer": "/a", "equals": "b"},
            '{"a": "x\u202ey"}'.encode(),
            '/a is "x\\u202ey", not "b"',
        ),
    ],
)
def test_a_rule_is_met_or_its_error_says_what_was_found(
    rule: object, body: bytes, error: str
) -> None:
    outcome = verdict(body, rule)

    assert outcome == (Failed(f"answer: {error}", 200) if error else Delivered(200))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "it is empty"),
        (b"ok", "it is not JSON"),
        (b'{"ok": true', "it is not JSON"),
        (b'{"ok": true, "n": NaN}', "it is not JSON"),
        (b'{"ok": true, "n": -Infinity}', "it is not JSON"),
        (b'{"ok": true, "name": "M\xfcller"}', "it is not JSON"),
        ('{"ok": true}'.encode("utf-16"), "it is not JSON"),
        (b'{"ok": true, "n": ' + b"9" * 9_000 + b"}", "it is not JSON"),
        (b"[" * MOST, "it is not JSON"),
        (b'{"a":' * 3_000, "it is not JSON"),
    ],
)
def test_what_can_not_be_read_has_failed_even_where_an_unmet_rule_rejects(
    body: bytes, error: str
) -> None:
    assert verdict(body, {**OK_IS_TRUE, "else": "rejected"}) == Failed(f"answer: {error}", 200)


def test_an_answer_that_did_not_end_is_not_judged() -> None:
    wanted = rules(OK_IS_TRUE)
    cut, long = b'{"ok": true}', b'{"ok": true}' + b" " * MOST

    assert judged(answer(cut, is_complete=False), wanted, 0) == Failed(
        "answer: it did not come whole", 200
    )
    assert judged(answer(long[:MOST], is_complete=False), wanted, 0) == Failed(
        "answer: it is longer than 16 KiB", 200
    )
    late = judged(answer(cut, is_complete=False), wanted, 0, stood_still=True)
    assert isinstance(late, Unknown)


def test_all_that_was_read_is_judged_not_only_what_is_stored() -> None:
    body = b'{"text": "' + b"x" * 10_000 + b'", "ok": true}'

    assert judged(answer(body), rules(OK_IS_TRUE), 0) == Delivered(200)


def test_all_rules_have_to_be_met_and_the_first_that_is_not_decides() -> None:
    both = (NO_ERRORS, {**OK_IS_TRUE, "else": "rejected"})

    assert verdict(b'{"ok": true}', *both) == Delivered(200)
    assert verdict(b'{"ok": false}', *both) == Rejected(200, "answer: /ok is false, not true")
    assert verdict(b'{"ok": false, "errors": 1}', *both) == Failed(
        "answer: /errors is there: 1", 200
    )


@pytest.mark.parametrize("status", [201, 302, 404, 500])
def test_rules_are_not_looked_at_where_the_status_is_no_success(status: int) -> None:
    response = answer(b'{"ok": false}', status)

    assert judged(response, rules(OK_IS_TRUE), 0) == judged(response, success_of("200"), 0)


def test_the_value_that_was_found_is_bounded_and_hides_secrets() -> None:
    wanted = rules(OK_IS_TRUE)
    body = msgspec.json.encode({"ok": "token-abcdef " + "x" * 9_000})

    outcome = judged(
        answer(body), wanted, 0, hidden=lambda text: text.replace("token-abcdef", "...")
    )

    assert isinstance(outcome, Failed)
    assert outcome.error.startswith('answer: /ok is "... xxx')
    assert len(outcome.error) < 200


def test_the_metrics_tell_an_answer_from_a_status() -> None:
    unmet_rule = answer(b"{}")

    assert reason_of(unmet_rule, judged(unmet_rule, rules(OK_IS_TRUE), 0)) == "answer"
    assert reason_of(unmet_rule, Delivered(200)) == "2xx"


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_bytes_come_there_is_a_verdict(body: bytes) -> None:
    found = unmet(rules(OK_IS_TRUE).rules, body, is_complete=True)

    assert found is None or found.words(str).isprintable()
