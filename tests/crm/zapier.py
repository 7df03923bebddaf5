"""Zapier: the catch hook of "Webhooks by Zapier".

From https://help.zapier.com/hc/en-us/articles/8496288690317 (trigger Zaps from webhooks) and
8496326446989 (send webhooks): any JSON is taken and answered 200 with `{"status": "success", ...}`;
fields within objects are reached by names joined with `__`; a list of objects becomes line items:
one list for each field; a body that is a list runs the Zap once for each entry. From
https://docs.zapier.com/platform/build/operating-constraints: 10 MB a body; 30 requests a second and
10,000 within five minutes, past which it is 429.
Not documented: the answer to a body that is no JSON, here a Zap without fields; Retry-After.
"""

from typing import Any

import msgspec
from aiohttp import web

from hookbundle.tests.crm.stand_in import Rate, Refusal, StandIn, answered

PATH = "/hooks/catch/1234567/abcdef/"
BODY_BYTES_MAX = 10 * 1024 * 1024

Fields = dict[str, Any]


class Zapier(StandIn):
    """One Zap. `taken`: the fields of each run, as the steps after the hook see them."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Fields] = []
        self.rate = Rate(most=30, span_s=1.0)
        self.long_rate = Rate(most=10_000, span_s=300.0)

    @property
    def url(self) -> str:
        return self.origin + PATH

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
        if path != PATH:
            raise Refusal(404, {"status": "error", "message": "hook not found"})
        if max(self.rate.wait_s(self.now()), self.long_rate.wait_s(self.now())) > 0:
            raise Refusal(429, {"status": "error", "message": "throttled"})
        if len(body) > BODY_BYTES_MAX:
            raise Refusal(413, {"status": "error", "message": "payload too large"})
        self.taken += runs_of(body)
        return answered(
            200,
            {"attempt": "01", "id": "01", "request_id": "01", "status": "success"},
        )


def runs_of(body: bytes) -> list[Fields]:
    """The fields of each run that the body starts."""
    try:
        read = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return [{}]
    return [fields_of(each) for each in (read if isinstance(read, list) else [read])]


def fields_of(value: Any, before: str = "") -> Fields:
    """`{"chat": {"phone": "1"}, "messages": [{"text": "a"}, {"text": "b"}]}` as
    `{"chat__phone": "1", "messages__text": ["a", "b"]}`."""
    match value:
        case dict():
            joined = f"{before}__" if before else ""
            return {
                name: each
                for key, part in value.items()
                for name, each in fields_of(part, joined + key).items()
            }
        case [dict(), *_]:
            lines = [fields_of(part, before) for part in value]
            names = list(dict.fromkeys(name for line in lines for name in line))
            return {name: [line.get(name, "") for line in lines] for name in names}
        case _:
            return {before: value}
