"""A receiver: takes each request once, if its signature is right, and prints what it says."""

import base64
import contextlib
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = base64.b64decode(os.environ["SIGNING_SECRET"].removeprefix("whsec_"))
BODY_BYTES_MAX = 8 * 1024 * 1024
TOLERANCE_S = 5 * 60
seen = set()  # in a real receiver: a table with a unique column, written with what you store


def is_authentic(headers, body):
    sent_at = headers.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > TOLERANCE_S:
        return False
    signed = f"{headers.get('webhook-id', '')}.{sent_at}.".encode() + body
    right = b"v1," + base64.b64encode(hmac.digest(KEY, signed, hashlib.sha256))
    given = headers.get("webhook-signature", "").encode().split(b" ")
    return any(hmac.compare_digest(right, each) for each in given)


class Receiver(BaseHTTPRequestHandler):
    timeout = 30

    def do_POST(self):
        length = self.headers.get("content-length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_authentic(self.headers, body):
            return self.answer(401)
        id = self.headers["webhook-id"]
        if id not in seen:
            take(id, json.loads(body))
            seen.add(id)
        return self.answer(200)

    def answer(self, status):
        self.close_connection = status != 200
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        """One line for each request would only repeat what `take` prints."""


def take(id, document):
    """Your own work stands here. `!r` keeps control characters off the terminal."""
    messages = document.get("messages") or [document["message"]]
    print(f"{id}: chat {document['chat']['full_name']!r}, messages: {len(messages)}", flush=True)
    for message in messages:
        print(f"  {message['sender']['full_name']!r}: {message['text']!r}", flush=True)


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver) as server:
        print(f"receiving at http://127.0.0.1:{server.server_port}/", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
