"""Signing against the published vector and the upstream verifier of Standard Webhooks."""

import base64
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from hookbundle.engine.delivery.signing import (
    Authentic,
    HeaderMissing,
    OutsideTolerance,
    SignatureMismatch,
    TimestampMalformed,
    new_secret,
    secret_key,
    sign,
    verify,
)
from hookbundle.engine.errors import ConfigError

VECTOR_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
VECTOR_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
VECTOR_S = 1_614_265_330
VECTOR_BODY = b'{"test": 2432232314}'
VECTOR_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

NEW = new_secret(bytes(range(24)))
OLD = new_secret(bytes(range(100, 164)))


def test_the_published_vector_is_met() -> None:
    headers = sign(VECTOR_ID, VECTOR_S, VECTOR_BODY, [VECTOR_SECRET])

    assert headers == {
        "webhook-id": VECTOR_ID,
        "webhook-timestamp": str(VECTOR_S),
        "webhook-signature": VECTOR_SIGNATURE,
    }


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_during_rotation_each_secret_verifies_alone_upstream(secret: str) -> None:
    body = '{"text":"\N{SLIGHTLY SMILING FACE} \\u2028"}'.encode()

    headers = sign("dlv_1", int(time.time()), body, [NEW, OLD])

    assert Webhook(secret).verify(body, headers) == {"text": "\N{SLIGHTLY SMILING FACE} \u2028"}


def test_a_secret_out_of_rotation_no_longer_verifies_upstream() -> None:
    headers = sign("dlv_1", int(time.time()), b"{}", [NEW])

    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(b"{}", headers)


def test_the_newest_secret_signs_first() -> None:
    both = sign("dlv_1", VECTOR_S, b"{}", [NEW, OLD])["webhook-signature"].split(" ")

    assert both == [
        sign("dlv_1", VECTOR_S, b"{}", [secret])["webhook-signature"] for secret in (NEW, OLD)
    ]


def test_our_verifier_accepts_what_upstream_signs_and_names_the_secret() -> None:
    headers = {
        "Webhook-Id": VECTOR_ID,
        "WEBHOOK-TIMESTAMP": str(VECTOR_S),
        "webhook-signature": f"v1a,ignored v1,AAAA {VECTOR_SIGNATURE}",
    }

    assert verify(headers, VECTOR_BODY, [NEW, VECTOR_SECRET], VECTOR_S + 7) == Authentic(1, 7)


@pytest.mark.parametrize(
    ("changes", "body", "now_s", "verdict"),
    [
        ({}, VECTOR_BODY, VECTOR_S + 300, Authentic(0, 300)),
        ({}, VECTOR_BODY, VECTOR_S - 300, Authentic(0, -300)),
        ({}, VECTOR_BODY, VECTOR_S + 301, OutsideTolerance(301)),
        ({}, VECTOR_BODY, VECTOR_S - 301, OutsideTolerance(-301)),
        ({}, VECTOR_BODY + b" ", VECTOR_S, SignatureMismatch(1)),
        ({"webhook-id": "msg_other"}, VECTOR_BODY, VECTOR_S, SignatureMismatch(1)),
        ({"webhook-timestamp": str(VECTOR_S + 1)}, VECTOR_BODY, VECTOR_S, SignatureMismatch(1)),
        ({"webhook-signature": "v1a,x v2,y"}, VECTOR_BODY, VECTOR_S, SignatureMismatch(0)),
        ({"webhook-signature": "v1,\u00e9"}, VECTOR_BODY, VECTOR_S, SignatureMismatch(1)),
        ({"webhook-signature": " "}, VECTOR_BODY, VECTOR_S, HeaderMissing("webhook-signature")),
        ({"webhook-id": ""}, VECTOR_BODY, VECTOR_S, HeaderMissing("webhook-id")),
        ({"webhook-timestamp": "1e9"}, VECTOR_BODY, VECTOR_S, TimestampMalformed("1e9")),
        ({"webhook-timestamp": "-5"}, VECTOR_BODY, VECTOR_S, TimestampMalformed("-5")),
        ({"webhook-timestamp": "9" * 5_000}, b"", 0, TimestampMalformed("9" * 5_000)),
    ],
)
def test_the_verdict_says_what_is_wrong(
    changes: dict[str, str], body: bytes, now_s: int, verdict: object
) -> None:
    headers = sign(VECTOR_ID, VECTOR_S, VECTOR_BODY, [VECTOR_SECRET]) | changes

    assert verify(headers, body, [VECTOR_SECRET], now_s) == verdict


@pytest.mark.parametrize("size", [24, 32, 64])
def test_a_new_secret_gives_its_bytes_back(size: int) -> None:
    secret = new_secret(b"\xff" * size)

    assert secret.startswith("whsec_")
    assert secret_key(secret) == b"\xff" * size


@pytest.mark.parametrize("size", [0, 23, 65])
def test_a_secret_of_another_size_is_not_made(size: int) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        new_secret(bytes(size))


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_not*base64*at*all*but*long*enough",
        "whsec_c2hvcnQ=",
        "whsec_\u00e9MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_a_malformed_secret_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sign("dlv_1", VECTOR_S, b"{}", [secret])

    assert len(secret) < 7 or secret.removeprefix("whsec_") not in str(caught.value)


@pytest.mark.parametrize("delivery_id", ["", "a.b", "a b", "a\r\nx: y", "\u0661"])
def test_an_id_that_could_confuse_the_signed_parts_is_never_signed(delivery_id: str) -> None:
    with pytest.raises(AssertionError):
        sign(delivery_id, VECTOR_S, b"{}", [NEW])
