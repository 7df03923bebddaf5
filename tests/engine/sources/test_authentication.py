"""Proofs of sources, with the vectors that vendors publish among them."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.authentication import (
    Authentic,
    Authenticity,
    NotAuthentic,
    Reason,
    authenticate,
)
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.tests.engine.sources import samples

SECRET_OF = {
    "waha": "hmac_key",
    "meta": "app_secret",
    "chatwoot": "secret",
    "twilio": "auth_token",
    "green-api": "webhook_token",
    "periskope": "signing_key",
}
VECTORS = [
    (kind, vector, verdict["expect"])
    for kind in KINDS
    if (path := samples.FOLDER / kind / "auth-vectors.json").exists()
    for vector, verdict in zip(
        samples.read(path),
        samples.read(path.with_name("auth-vectors.expected.json")),
        strict=True,
    )
]
SIGNED_IN = (
    "authorization",
    "x-chatwoot-signature",
    "x-chatwoot-timestamp",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-periskope-signature",
    "x-twilio-signature",
    "x-webhook-hmac",
)
STRANGE = ["", "00", "é", "sha256=", "\udcff", "=", "Bearer", "Bearer ..", "x" * 100_000, "a.b.c"]


def verdict_of(
    kind: str, said: dict[str, Any], headers: dict[str, str], body: bytes = b"{}", **more: Any
) -> Authenticity:
    request = SourceRequest(body=body, arrived_ms=1_764_241_500_000, headers=headers, **more)
    return authenticate(KINDS[kind].check, source_settings.parse(kind, said), request)


@pytest.mark.parametrize(
    ("kind", "vector", "expected"),
    VECTORS,
    ids=[f"{kind}-{one['name']}" for kind, one, _ in VECTORS],
)
def test_a_vector_is_judged_as_expected(
    kind: str, vector: dict[str, Any], expected: str | dict[str, Any]
) -> None:
    secret = vector["secret"]
    said = secret if isinstance(secret, dict) else {SECRET_OF[kind]: secret}
    if "public_url" in vector:
        said = {**said, "public_url": vector["public_url"]}
    settings_ = source_settings.parse(kind, said)
    request = SourceRequest(
        method=vector["method"],
        headers=vector["headers"],
        url=vector.get("url", ""),
        body=vector["body"].encode(),
        arrived_ms=vector.get("now", 0) * 1_000,
    )

    if isinstance(expected, dict):
        handshake = KINDS[kind].handshake
        assert handshake is not None
        answer = handshake(settings_, request)
        assert (answer.status, answer.text) == (expected["status"], expected.get("body", ""))
    else:
        found = authenticate(KINDS[kind].check, settings_, request)
        assert isinstance(found, Authentic if expected == "accept" else NotAuthentic)


@pytest.mark.parametrize(("kind", "name"), [*SECRET_OF.items(), ("evolution", "jwt_key")])
def test_a_secret_that_is_set_makes_its_header_required(kind: str, name: str) -> None:
    assert verdict_of(kind, {}, {}) == Authentic(proven=False)

    found = verdict_of(kind, {name: "key"}, {})

    assert isinstance(found, NotAuthentic)
    assert found.reason in (Reason.SIGNATURE_MISSING, Reason.HEADER_MISSING)


@pytest.mark.parametrize(("kind", "name"), [*SECRET_OF.items(), ("evolution", "jwt_key")])
@pytest.mark.parametrize("value", STRANGE, ids=range(len(STRANGE)))
def test_a_strange_header_is_wrong_and_no_error(kind: str, name: str, value: str) -> None:
    headers = dict.fromkeys(SIGNED_IN, value)

    assert isinstance(verdict_of(kind, {name: "key"}, headers, url=value), NotAuthentic)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_header_that_the_owner_sets_is_required_of_every_kind(kind: str) -> None:
    required = {"name": "X-Own", "value": ["new", "old"]}
    fields = {"fields": samples.GENERIC_FIELDS} if kind == "generic" else {}
    said = {"header": required, **fields}

    assert verdict_of(kind, said, {}) == NotAuthentic(Reason.HEADER_MISSING)
    assert verdict_of(kind, said, {"x-own": "other"}) == NotAuthentic(Reason.HEADER_WRONG)
    assert verdict_of(kind, said, {"x-own": "new"}) == Authentic(proven=True)
    assert verdict_of(kind, said, {"x-own": "old"}) == Authentic(proven=True)


@pytest.mark.parametrize("key", ["new", "old"])
def test_while_a_secret_is_rotated_both_count(key: str) -> None:
    signature = hmac.digest(key.encode(), b"{}", hashlib.sha512).hex()

    found = verdict_of("waha", {"hmac_key": ["new", "old"]}, {"x-webhook-hmac": signature})

    assert found == Authentic(proven=True)


def test_an_own_proof_does_not_make_up_for_the_header() -> None:
    signature = hmac.digest(b"key", b"{}", hashlib.sha512).hex()
    said = {"hmac_key": "key", "header": {"name": "x-own", "value": "secret"}}

    found = verdict_of("waha", said, {"x-webhook-hmac": signature})

    assert found == NotAuthentic(Reason.HEADER_MISSING)


@pytest.mark.parametrize("public_url", ["https://hooks.example", "https://hooks.example/"])
def test_an_origin_is_enough_to_check_twilio_behind_a_proxy(public_url: str) -> None:
    signed = b"https://hooks.example/v1/sources/tok?rc=3" + b"A" + b"1" + b"B"
    signature = hmac.digest(b"key", signed, hashlib.sha1)

    found = verdict_of(
        "twilio",
        {"auth_token": "key", "public_url": public_url},
        {"x-twilio-signature": base64.b64encode(signature).decode()},
        body=b"B=&A=1",
        url="http://127.0.0.1:8470/v1/sources/tok?rc=3",
    )

    assert found == Authentic(proven=True)


def test_a_challenge_with_line_breaks_is_not_repeated() -> None:
    handshake = KINDS["meta"].handshake
    assert handshake is not None
    url = "/?hub.mode=subscribe&hub.verify_token=v&hub.challenge=a%0Ab"
    settings_ = source_settings.parse("meta", {"verify_token": "v"})

    answer = handshake(settings_, SourceRequest(method="GET", url=url, body=b"", arrived_ms=0))

    assert (answer.status, answer.text) == (400, "")


def test_without_a_verify_token_no_handshake_succeeds() -> None:
    handshake = KINDS["meta"].handshake
    assert handshake is not None
    url = "/?hub.mode=subscribe&hub.verify_token=&hub.challenge=1"

    answer = handshake(
        source_settings.parse("meta", {}),
        SourceRequest(method="GET", url=url, body=b"", arrived_ms=0),
    )

    assert answer.status == 403
