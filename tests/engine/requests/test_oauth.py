"""Whatever a token endpoint answers, there is a token or a reason."""

import pytest

from hookbundle.engine.requests.oauth import Token, token_of

USABLE = b'{"access_token":"a-token","expires_in":'


@pytest.mark.parametrize("lasts", [b"1" * 400, b'"nan"', b"-1", b"[1]", b"{}", b"null", b'"soon"'])
def test_a_time_that_makes_no_sense_is_as_one_that_is_absent(lasts: bytes) -> None:
    assert token_of(200, USABLE + lasts + b"}", is_whole=True) == Token("a-token", 300.0)


@pytest.mark.parametrize("lasts", [b"1000000000", b'"' + b"1" * 400 + b'"'])
def test_a_token_is_never_kept_longer_than_a_day(lasts: bytes) -> None:
    assert token_of(200, USABLE + lasts + b"}", is_whole=True) == Token("a-token", 86_340.0)


@pytest.mark.parametrize(
    "answer",
    [
        *(b"", b"null", b"[]", b"\xff\xfe", b"[" * 16_000, b'{"a":' * 3_000, b"{}"),
        *(b'{"access_token":1}', b'{"access_token":""}', b'{"access_token":"a b"}'),
        b'{"access_token":"a\\r\\nX-B: 1"}',
        b'{"access_token":"\xc3\xa9"}',
        b'{"access_token":"' + b"a" * 8_193 + b'"}',
        b'{"access_token":"a","expires_in":1e400}',
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_without_a_usable_token_is_a_reason(answer: bytes, status: int) -> None:
    reason = token_of(status, answer, is_whole=True)

    assert isinstance(reason, str)
    assert reason.startswith("the ")
    assert "X-B" not in reason
