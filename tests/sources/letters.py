"""What each of six systems posts for a message: its own form, its ids, its signature.

letter = LETTERS["waha"](7, "15550101234", "hello")
letter.ids       # as the messages are called in the bundles
headers_of("waha", letter.body, url, now_s)
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.posting import body_of

FIRST_S = 1_764_230_400
ORIGIN = "https://hooks.example"  # as it stands in Twilio's console
FORM = "application/x-www-form-urlencoded"
SECRETS: dict[str, dict[str, Any]] = {
    "waha": {"hmac_key": "key of waha"},
    "evolution": {"header": {"name": "authorization", "value": "Bearer of evolution"}},
    "meta": {"app_secret": "secret of meta"},
    "chatwoot": {"secret": "secret of chatwoot"},
    "timelinesai": {},
    "twilio": {"auth_token": "token of twilio", "public_url": ORIGIN},
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A request that a system wants to have taken."""

    ids: tuple[str, ...]
    body: bytes

    @classmethod
    def of(cls, ids: Sequence[str], body: Mapping[str, Any]) -> "Letter":
        return cls(tuple(ids), msgspec.json.encode(body))


def _sample(kind: str, name: str) -> dict[str, Any]:
    body: dict[str, Any] = body_of(kind, name)  # read anew each time
    return body


def waha(number: int, phone: str, text: str, event: str = "message.any") -> Letter:
    body, bare = _sample("waha", "01-webjs-message-in"), f"3EB0{number:016}"
    body["event"] = event
    body["payload"] |= {
        "id": f"false_{phone}@c.us_{bare}",
        "from": f"{phone}@c.us",
        "timestamp": FIRST_S + number,
        "body": text,
    }
    return Letter.of([bare], body)


def evolution(number: int, phone: str, text: str) -> Letter:
    body, bare = _sample("evolution", "01-upsert-conversation"), f"3AD0{number:016}"
    data = body["data"]
    data["key"] |= {"remoteJid": f"{phone}@s.whatsapp.net", "id": bare}
    data["message"]["conversation"] = text
    data["messageTimestamp"] = FIRST_S + number
    return Letter.of([bare], body)


def meta(number: int, phone: str, text: str) -> Letter:
    """Two messages in one body, as Meta batches them."""
    body, ids = _sample("meta", "01-text"), [f"wamid.{number}-{part}" for part in range(2)]
    value = body["entry"][0]["changes"][0]["value"]
    (message,), (contact,) = value["messages"], value["contacts"]
    stamp = str(FIRST_S + number)
    value["contacts"] = [{**contact, "wa_id": phone}]
    value["messages"] = [
        {**message, "id": each, "from": phone, "timestamp": stamp, "text": {"body": text}}
        for each in ids
    ]
    return Letter.of(ids, body)


def chatwoot(number: int, phone: str, text: str) -> Letter:
    body = _sample("chatwoot", "01-incoming")
    body |= {"id": number + 1, "content": text}
    body["conversation"]["id"] = int(phone[-6:])
    return Letter.of([str(number + 1)], body)


def timelinesai(number: int, phone: str, text: str) -> Letter:
    body, uid = _sample("timelinesai", "01-message-new-received"), f"c7ec509d-{number}"
    body["chat"]["chat_id"] = int(phone[-6:])
    body["message"] |= {"message_uid": uid, "text": text}
    return Letter.of([uid], body)


def twilio(number: int, phone: str, text: str) -> Letter:
    sid = f"SM{number:032}"
    sample = (samples.FOLDER / "twilio" / "01-text.txt").read_text(encoding="utf-8")
    form = dict(parse_qsl(sample, keep_blank_values=True))
    form |= {name: sid for name in ("MessageSid", "SmsMessageSid", "SmsSid")}
    form |= {"From": f"whatsapp:+{phone}", "WaId": phone, "Body": text}
    return Letter((sid,), urlencode(form).encode())


LETTERS: dict[str, Callable[[int, str, str], Letter]] = {
    "waha": waha,
    "evolution": evolution,
    "meta": meta,
    "chatwoot": chatwoot,
    "timelinesai": timelinesai,
    "twilio": twilio,
}


def headers_of(kind: str, body: bytes, path: str, now_s: int) -> dict[str, str]:
    """The headers that the system sends with the body; what is signed is what its documents say."""
    key = next(iter(SECRETS[kind].values()), "")
    secret = key.encode() if isinstance(key, str) else b""
    headers = {"Content-Type": "application/json"}
    match kind:
        case "waha":
            headers |= {
                "User-Agent": "WAHA/2026.1.3",
                "X-Webhook-Request-Id": hashlib.md5(body).hexdigest(),
                "X-Webhook-Timestamp": str(now_s * 1_000),
                "X-Webhook-Hmac-Algorithm": "sha512",
                "X-Webhook-Hmac": hmac.new(secret, body, "sha512").hexdigest(),
            }
        case "evolution":
            header = SECRETS[kind]["header"]
            headers[header["name"]] = header["value"]
        case "meta":
            signed = hmac.new(secret, body, "sha256").hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={signed}"
        case "chatwoot":
            signed = hmac.new(secret, f"{now_s}.".encode() + body, "sha256").hexdigest()
            headers |= {
                "X-Chatwoot-Timestamp": str(now_s),
                "X-Chatwoot-Signature": f"sha256={signed}",
                "X-Chatwoot-Delivery": hashlib.md5(body).hexdigest(),
            }
        case "twilio":
            fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
            text = f"{ORIGIN}{path}" + "".join(name + value for name, value in fields)
            signed = base64.b64encode(hmac.digest(secret, text.encode(), "sha1")).decode()
            headers = {"Content-Type": FORM, "X-Twilio-Signature": signed}
    return headers
