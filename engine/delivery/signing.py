"""Signatures, by which a receiver knows that hookbundle sent a request, and how old it is.

Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks): HMAC-SHA256, keyed with
the decoded secret, over `id.timestamp.body`, the body being the exact bytes sent. `webhook-id` is
the same on every attempt of a delivery, `webhook-timestamp` is the time of this attempt.
While a secret is being rotated, a request carries one signature for each secret, newest first.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

from hookbundle.engine.errors import ConfigError

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32  # of a new secret
SECRET_BYTES_MIN = 24
SECRET_BYTES_MAX = 64
TOLERANCE_S = 300
SECRETS_REMEMBERED = 4_096

HEADER_ID = "webhook-id"
HEADER_TIMESTAMP = "webhook-timestamp"
HEADER_SIGNATURE = "webhook-signature"

# The dot separates the signed parts, so with a dot in an id two requests could sign alike.
DELIVERY_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
TIMESTAMP = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Authentic:
    """Signed with `secrets[secret_index]`, `age_s` ago."""

    secret_index: int
    age_s: int


@dataclass(frozen=True, slots=True)
class HeaderMissing:
    name: str


@dataclass(frozen=True, slots=True)
class TimestampMalformed:
    value: str


@dataclass(frozen=True, slots=True)
class OutsideTolerance:
    """Too old, or from the future (a negative age): a replay, or a clock that is wrong."""

    age_s: int


@dataclass(frozen=True, slots=True)
class SignatureMismatch:
    """None of the `v1` signatures found was made with one of the secrets over these bytes."""

    signatures: int


Verdict: TypeAlias = (
    Authentic | HeaderMissing | TimestampMalformed | OutsideTolerance | SignatureMismatch
)

VerdictCode: TypeAlias = Literal[
    "authentic",
    "header_missing",
    "timestamp_malformed",
    "outside_tolerance",
    "signature_mismatch",
]


def new_secret(random_bytes: bytes) -> str:
    """The secret as text (`whsec_...`), made of the caller's 24 to 64 random bytes.

    Raises: ValueError for another number of bytes.
    """
    if not SECRET_BYTES_MIN <= len(random_bytes) <= SECRET_BYTES_MAX:
        raise ValueError(
            f"a secret must have {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes;"
            f" got {len(random_bytes)}"
        )
    return SECRET_PREFIX + base64.b64encode(random_bytes).decode("ascii")


@lru_cache(maxsize=SECRETS_REMEMBERED)
def secret_key(secret: str) -> bytes:
    """The HMAC key that the secret encodes.

    Raises: ConfigError if it is not a `whsec_` secret; the message never shows the secret.
    """
    if not secret.startswith(SECRET_PREFIX):
        raise ConfigError(f"a signing secret must start with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        # `from None`: the decoder's message may quote a part of the secret.
        raise ConfigError(f"a signing secret must be {SECRET_PREFIX} and base64") from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ConfigError(
            f"a signing secret must hold {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes;"
            f" got {len(key)}"
        )
    return key


def sign(delivery_id: str, timestamp_s: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt; `secrets` are ordered newest first.

    Raises: ConfigError if a secret is malformed.
    """
    assert DELIVERY_ID.fullmatch(delivery_id), f"{delivery_id!r} can't be signed"
    assert secrets, "a request is signed with at least one secret"
    timestamp = str(timestamp_s)
    signatures = ["v1," + _signature(secret, delivery_id, timestamp, body) for secret in secrets]
    return {
        HEADER_ID: delivery_id,
        HEADER_TIMESTAMP: timestamp,
        HEADER_SIGNATURE: " ".join(signatures),
    }


def verify(
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now_s: int,
    tolerance_s: int = TOLERANCE_S,
) -> Verdict:
    """The verdict of a receiver on a request; header names may be in any case.

    Raises: ConfigError if a secret is malformed.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    for name in (HEADER_ID, HEADER_TIMESTAMP, HEADER_SIGNATURE):
        if not found.get(name):
            return HeaderMissing(name)
    timestamp = found[HEADER_TIMESTAMP]
    if not TIMESTAMP.fullmatch(timestamp):
        return TimestampMalformed(timestamp)
    given = [
        value.encode()
        for version, _, value in (part.partition(",") for part in found[HEADER_SIGNATURE].split())
        if version == "v1"
    ]
    index = _matching_secret(found[HEADER_ID], timestamp, body, secrets, given)
    if index is None:
        return SignatureMismatch(len(given))
    # Age comes last: without a valid signature the timestamp may be anything.
    age_s = now_s - int(timestamp)
    return Authentic(index, age_s) if abs(age_s) <= tolerance_s else OutsideTolerance(age_s)


def code_of(verdict: Verdict) -> VerdictCode:
    match verdict:
        case Authentic():
            return "authentic"
        case HeaderMissing():
            return "header_missing"
        case TimestampMalformed():
            return "timestamp_malformed"
        case OutsideTolerance():
            return "outside_tolerance"
        case SignatureMismatch():
            return "signature_mismatch"


def in_words(verdict: Verdict) -> str:
    """The verdict as one line for people."""
    match verdict:
        case Authentic():
            which = f"secret {verdict.secret_index + 1}"
            return f"authentic: signed with {which}, {verdict.age_s} s ago"
        case HeaderMissing():
            return f"not authentic: the header {verdict.name} is missing"
        case TimestampMalformed():
            return f"not authentic: '{verdict.value}' is not a timestamp"
        case OutsideTolerance():
            return f"the signature is valid, but {verdict.age_s} s old: a replay?"
        case SignatureMismatch():
            count = verdict.signatures
            return f"not authentic: none of {count} signatures matches this body and secret"


def _matching_secret(
    delivery_id: str, timestamp: str, body: bytes, secrets: Sequence[str], given: list[bytes]
) -> int | None:
    for index, secret in enumerate(secrets):
        expected = _signature(secret, delivery_id, timestamp, body).encode()
        if any(hmac.compare_digest(expected, signature) for signature in given):
            return index
    return None


def _signature(secret: str, delivery_id: str, timestamp: str, body: bytes) -> str:
    keyed = _keyed(secret).copy()
    keyed.update(f"{delivery_id}.{timestamp}.".encode() + body)
    return base64.b64encode(keyed.digest()).decode("ascii")


@lru_cache(maxsize=SECRETS_REMEMBERED)
def _keyed(secret: str) -> hmac.HMAC:
    """To be copied: to take in the key costs as much as to sign a short body."""
    return hmac.new(secret_key(secret), digestmod=hashlib.sha256)
