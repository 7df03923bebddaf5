"""Prints the headers by which a system proves a request, for `curl -H @-`.

Usage: python3 sign.py KIND SECRET_FILE BODY_FILE [ADDRESS]

It stands in for a system that is not there yet, with nothing but the standard library.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from pathlib import Path
from urllib.parse import parse_qsl


def headers(kind, secret, body, address):
    if kind == "waha":
        return {"X-Webhook-Hmac": signed(secret, body, "sha512").hex()}
    if kind == "evolution":
        return {"Authorization": f"Bearer {token(secret)}"}
    if kind == "meta":
        return {"X-Hub-Signature-256": f"sha256={signed(secret, body, 'sha256').hex()}"}
    if kind == "chatwoot":
        now = str(int(time.time()))
        proof = signed(secret, f"{now}.".encode() + body, "sha256").hex()
        return {"X-Chatwoot-Timestamp": now, "X-Chatwoot-Signature": f"sha256={proof}"}
    if kind == "twilio":
        fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
        text = address + "".join(name + value for name, value in fields)
        return {"X-Twilio-Signature": in_base64(signed(secret, text.encode(), "sha1"))}
    if kind == "periskope":
        return {"X-Periskope-Signature": signed(secret, body, "sha256").hex()}
    if kind == "green-api":
        return {"Authorization": secret}
    return {"X-Hook-Secret": secret}


def signed(secret, text, hash):
    return hmac.digest(secret.encode(), text, getattr(hashlib, hash))


def in_base64(proof):
    return base64.b64encode(proof).decode()


def token(secret):
    """A JWT as Evolution makes it: good for ten minutes."""
    now = int(time.time())
    parts = [{"alg": "HS256", "typ": "JWT"}, {"iat": now, "exp": now + 600}]
    text = ".".join(for_url(json.dumps(part).encode()) for part in parts)
    return f"{text}.{for_url(signed(secret, text.encode(), 'sha256'))}"


def for_url(part):
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


if __name__ == "__main__":
    kind, secret_file, body_file, address = [*sys.argv[1:], ""][:4]
    secret = Path(secret_file).read_text().strip()
    for name, value in headers(kind, secret, Path(body_file).read_bytes(), address).items():
        print(f"{name}: {value}")
