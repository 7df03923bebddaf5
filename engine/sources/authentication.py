"""Whether a request comes from the system that a source stands for.

Whatever a source can prove is required once its secret is set: a missing header is as wrong as a
bad one. Proofs are over the raw bytes of the body and compared in constant time, whatever length or
letters the header has. While a secret is rotated two are set, and either counts.

No signature but Chatwoot's covers a time, so replays are stopped by the ids of messages alone.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, TypeAlias

import msgspec

from hookbundle.engine.sources import twilio_signing
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import Secret, SourceSettings, secrets_of

TOLERANCE_S = 300  # of Chatwoot's time
# Evolution makes a token once, for 10 minutes, and retries for some 25; a 401 is final there.
JWT_LEEWAY_S = 1_800
JWT_BYTES_MAX = 8_192
DIGITS_MAX = 12  # of a time in seconds


class Reason(StrEnum):
    """Why a request is not authentic. A closed set: metrics and facts count by it."""

    HEADER_MISSING = "header_missing"
    HEADER_WRONG = "header_wrong"
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRONG = "signature_wrong"
    TIME_WRONG = "time_wrong"  # too old, from the future, or none


class Authentic(msgspec.Struct, frozen=True):
    """`proven` is false where no secret is set: then the token in the URL is the only proof."""

    proven: bool


class NotAuthentic(msgspec.Struct, frozen=True):
    reason: Reason


Authenticity: TypeAlias = Authentic | NotAuthentic
Check: TypeAlias = Callable[[SourceSettings, SourceRequest], Authenticity]
"""May answer `Authentic(False)` only if nothing is set that it could check."""


def authenticate(check: Check, settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """The kind's own proof, and the header that the owner has set beside it, if any."""
    own = check(settings, request)
    if isinstance(own, NotAuthentic) or settings.header is None or check is evolution:
        return own
    return static_header(settings, request)


def nothing(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """The kind signs nothing."""
    return Authentic(proven=False)


def static_header(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    if settings.header is None:
        return Authentic(proven=False)
    return _equal(request.headers.get(settings.header.name), settings.header.value)


def waha(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """`X-Webhook-Hmac`: hex HMAC-SHA512 of the body (WAHA's documentation of webhooks).

    The sender does not choose the algorithm: the header that names it is not looked at.
    """
    signed = _signed(hashlib.sha512, settings.hmac_key, request.body)
    return _hex(request, "x-webhook-hmac", "", signed)


def evolution(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """A static header, or `Authorization: Bearer` with a JWT (Evolution's webhook.controller.ts).

    Both may be set, as while one replaces the other; then either counts.
    """
    if settings.jwt_key is None:
        return static_header(settings, request)
    by_token = _jwt(request.headers.get("authorization"), settings.jwt_key, request.arrived_s)
    if settings.header is None or isinstance(by_token, Authentic):
        return by_token
    by_header = static_header(settings, request)
    return by_header if isinstance(by_header, Authentic) else by_token


def meta(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """`X-Hub-Signature-256`: `sha256=` and hex HMAC-SHA256 of the body (Meta's documentation).

    The older `X-Hub-Signature`, a SHA-1, is not enough.
    """
    signed = _signed(hashlib.sha256, settings.app_secret, request.body)
    return _hex(request, "x-hub-signature-256", "sha256=", signed)


def chatwoot(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """`X-Chatwoot-Signature`: over time, dot and body, of the last 5 minutes (Chatwoot, 2026-02).

    Servers before that sign nothing: there the secret has to stay unset.
    """
    if settings.secret is None:
        return Authentic(proven=False)
    time = request.headers.get("x-chatwoot-timestamp", "")
    text = time.encode("utf-8", "backslashreplace") + b"." + request.body
    signed = _signed(hashlib.sha256, settings.secret, text)
    verdict = _hex(request, "x-chatwoot-signature", "sha256=", signed)
    if verdict != Authentic(proven=True):
        return verdict
    is_time = time.isascii() and time.isdigit() and len(time) <= DIGITS_MAX
    if not is_time or abs(request.arrived_s - int(time)) > TOLERANCE_S:
        return NotAuthentic(Reason.TIME_WRONG)
    return verdict


def twilio(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """`X-Twilio-Signature`: over the URL and the form (Twilio's documentation of security).

    Newer rules of webhooks sign the same text with another hash and a key of their own, and say so
    in a header; without such a key that header changes nothing.
    """
    told = request.headers.get("x-twilio-webhooks-signature-settings", "")
    is_newer = settings.shared_key is not None and "algorithm=HMAC_SHA256" in told
    secret = settings.shared_key if is_newer else settings.auth_token or settings.shared_key
    if secret is None:
        return Authentic(proven=False)
    digest = hashlib.sha256 if is_newer or settings.auth_token is None else hashlib.sha1
    texts = twilio_signing.signed_texts(settings.public_url, request)
    wanted = [
        base64.b64encode(hmac.digest(key.encode(), text, digest))
        for key in secrets_of(secret)
        for text in texts
    ]
    return _any_of(request.headers.get("x-twilio-signature"), wanted)


def green_api(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """The instance's `webhookUrlToken`, which comes as the `Authorization` header."""
    if settings.webhook_token is None:
        return Authentic(proven=False)
    return _equal(request.headers.get("authorization"), settings.webhook_token)


def periskope(settings: SourceSettings, request: SourceRequest) -> Authenticity:
    """`x-periskope-signature`: hex HMAC-SHA256 of the body (Periskope's documentation)."""
    signed = _signed(hashlib.sha256, settings.signing_key, request.body)
    return _hex(request, "x-periskope-signature", "", signed)


def _signed(digest: Any, secret: Secret | None, text: bytes) -> list[bytes]:
    """In hex, with each secret; none if none is set."""
    return [binascii.hexlify(hmac.digest(key.encode(), text, digest)) for key in secrets_of(secret)]


def _hex(request: SourceRequest, header: str, prefix: str, signed: Iterable[bytes]) -> Authenticity:
    """Hex is compared without regard to case; the prefix may not be missing."""
    value = request.headers.get(header)
    wanted = [prefix.encode() + each for each in signed]
    if not wanted:
        return Authentic(proven=False)
    return _any_of(value.lower() if value is not None else None, wanted)


def _any_of(value: str | None, wanted: Iterable[bytes]) -> Authenticity:
    if value is None:
        return NotAuthentic(Reason.SIGNATURE_MISSING)
    if is_one_of(value, wanted):
        return Authentic(proven=True)
    return NotAuthentic(Reason.SIGNATURE_WRONG)


def _equal(value: str | None, secret: Secret) -> Authenticity:
    if value is None:
        return NotAuthentic(Reason.HEADER_MISSING)
    if is_one_of(value, [each.encode() for each in secrets_of(secret)]):
        return Authentic(proven=True)
    return NotAuthentic(Reason.HEADER_WRONG)


def is_one_of(value: str, wanted: Iterable[bytes]) -> bool:
    """Compares with all of them, so that the time does not tell which one it is."""
    given = value.encode("utf-8", "backslashreplace")
    found = [hmac.compare_digest(given, each) for each in wanted]
    return any(found)


def _jwt(header: str | None, secret: Secret, now_s: int) -> Authenticity:
    """HS256 and no other algorithm; the signature is looked at before anything that it covers."""
    if header is None:
        return NotAuthentic(Reason.SIGNATURE_MISSING)
    head, _, rest = header.removeprefix("Bearer ").partition(".")
    payload, _, signature = rest.partition(".")
    text = f"{head}.{payload}".encode("utf-8", "backslashreplace")
    if len(header) > JWT_BYTES_MAX:
        return NotAuthentic(Reason.SIGNATURE_WRONG)
    wanted = [
        base64.urlsafe_b64encode(hmac.digest(key.encode(), text, hashlib.sha256)).rstrip(b"=")
        for key in secrets_of(secret)
    ]
    if not is_one_of(signature, wanted) or _part(head).get("alg") != "HS256":
        return NotAuthentic(Reason.SIGNATURE_WRONG)
    expires_s = _part(payload).get("exp")
    if not isinstance(expires_s, (int, float)) or now_s > expires_s + JWT_LEEWAY_S:
        return NotAuthentic(Reason.TIME_WRONG)
    return Authentic(proven=True)


def _part(text: str) -> dict[str, Any]:
    """The object that a part of a JWT is; empty if it is none."""
    try:
        decoded = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):  # of base64, of UTF-8, of JSON
        return {}
    return decoded if isinstance(decoded, dict) else {}
