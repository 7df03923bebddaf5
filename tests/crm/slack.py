"""Slack: an incoming webhook.

From https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks: 200 with the
body `ok`; 400 `invalid_payload` and `no_text`, 403 `action_prohibited` and `invalid_token`, 404
`no_service` and `channel_not_found`, 410 `channel_is_archived`. From .../docs/rate-limits: one
message a second, short bursts are taken; then 429 with Retry-After in seconds. From
.../changelog/2018-truncating-really-long-messages: a text is cut after 40,000 characters. From
.../docs/formatting: `&`, `<` and `>` are to be written as `&amp;`, `&lt;`, `&gt;`.
Not documented: that the secret of the URL is all there is to authorize (no header is read); how
short a burst is: here there is none.
"""

import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.tests.crm.stand_in import Rate, Refusal, StandIn, answered, document_of, length_of

TEXT_CHARS_MAX = 40_000
MARKUP = re.compile(r"<[^>]*>|&(?!(?:amp|lt|gt);)|>")  # what Slack would not show as it is
WRITTEN = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the channel. `text`: as people read it. `cut`: by Slack, after 40,000."""

    text: str
    cut: bool
    markup: tuple[str, ...]


class Slack(StandIn):
    """One channel. `is_archived`, `is_prohibited`: what an administrator can do to it."""

    def __init__(self, service: str = "T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX") -> None:
        super().__init__()
        self.path = f"/services/{service}"
        self.is_archived = False
        self.is_prohibited = False
        self.taken: list[Shown] = []
        self.rate = Rate(most=1, span_s=1.0)

    @property
    def url(self) -> str:
        return self.origin + self.path

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> web.Response:
        if path != self.path:
            raise Refusal(404, "no_service")
        if method != "POST":
            raise Refusal(405, "method_not_allowed")
        wait_s = self.rate.wait_s(self.now())
        if wait_s > 0:
            raise Refusal(429, "rate_limited", {"Retry-After": str(max(1, round(wait_s)))})
        if self.is_prohibited:
            raise Refusal(403, "action_prohibited")
        if self.is_archived:
            raise Refusal(410, "channel_is_archived")
        document = document_of(body, Refusal(400, "invalid_payload"))
        self.taken.append(_shown(document.get("text")))
        return answered(200, "ok")


def _shown(text: Any) -> Shown:
    if text in (None, ""):
        raise Refusal(400, "no_text")
    if not isinstance(text, str):
        raise Refusal(400, "invalid_payload")
    kept = text.encode("utf-16-le")[: 2 * TEXT_CHARS_MAX].decode("utf-16-le", "ignore")
    read = kept
    for written, meant in WRITTEN:
        read = read.replace(written, meant)
    return Shown(read, length_of(text) > TEXT_CHARS_MAX, tuple(MARKUP.findall(kept)))
