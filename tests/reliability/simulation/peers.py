"""The daemon's simulated peers: webhook receivers and a mail server.

Each behaves by its mood, which the actions change.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from random import Random
from typing import Any

import aiosmtplib

from hookbundle.engine.delivery.outcomes import ErrorClass, HttpResult, NoResponse, Response


@dataclass(frozen=True, slots=True)
class Manner:
    """How a receiver answers: after `after_s`, with a status and a text in JSON, or without one and
    with `error`."""

    after_s: float
    status: int = 0
    error: ErrorClass | None = None
    retry_after: str = ""
    answer: bytes = b'{"ok": true}'


MANNERS = {
    "well": Manner(0.02, 200),
    "created": Manner(0.02, 201),
    "elsewhere": Manner(0.05, 302),
    "rejecting": Manner(0.02, 404),
    "gone": Manner(0.02, 410),
    "busy": Manner(0.02, 429, retry_after="1800"),
    "busier": Manner(0.02, 503, retry_after="86400"),
    "broken": Manner(0.1, 500),
    "slow": Manner(12.0, 200),
    "silent": Manner(15.0, error=ErrorClass.TIMEOUT_TOTAL),
    "refusing": Manner(0.001, error=ErrorClass.CONNECT_REFUSED),
    "losing": Manner(0.5, error=ErrorClass.RESET),  # it took the request, but its answer is lost
}
OF_ANSWERS = {  # what they mean depends on what the webhook takes for a success
    "having it": Manner(0.02, 409),
    "saying no": Manner(0.02, 200, answer=b'{"ok": false}'),
    "finding fault": Manner(0.02, 200, answer=b'{"ok": true, "errors": ["the third field"]}'),
    "mute": Manner(0.02, 200, answer=b""),
}
MOODS = (*MANNERS, "moody", "allergic")
ALLERGIC_TO = 4  # a delivery whose number can be divided by it


@dataclass(slots=True)
class Stalls:
    """When this machine stood still; `began_ms` while it does."""

    now_ms: Callable[[], int]
    past: list[tuple[int, int]] = field(default_factory=list)
    began_ms: int | None = None

    def begin(self) -> None:
        self.began_ms = self.now_ms()

    def end(self) -> None:
        if self.began_ms is not None:
            self.past.append((self.began_ms, self.now_ms()))
        self.began_ms = None

    def within_ms(self, since_ms: int) -> int:
        """For how long it stood still since then."""
        now_ms = self.now_ms()
        open_ = [] if self.began_ms is None else [(self.began_ms, now_ms)]
        return sum(max(0, end - max(begin, since_ms)) for begin, end in [*self.past, *open_])

    def sum_s(self) -> float:
        return self.within_ms(0) / 1_000


@dataclass(slots=True)
class Request:
    """A request at a receiver, which answers in that manner; `answered`: it has done so."""

    url: str
    delivery_id: str
    body: bytes
    began_ms: int
    manner: Manner
    mood: str
    answered: bool = False
    stalled_ms: int = 0


@dataclass(frozen=True, slots=True)
class Began:
    request: Request


@dataclass(frozen=True, slots=True)
class Answered:
    request: Request


@dataclass(frozen=True, slots=True)
class MailTaken:
    """The mail server took a mail. Without `confirmed`, the connection broke before its answer."""

    message_id: str
    workspace_id: str
    confirmed: bool


@dataclass(slots=True)
class Receivers:
    """All receivers; each has the mood of its workspace, named by the first part of the path."""

    rng: Random
    tell: Callable[[Began | Answered], None]
    now_ms: Callable[[], int]
    stalled_ms: Callable[[int], int]
    moods: dict[str, str] = field(default_factory=dict)

    def workspace_of(self, url: str) -> str:
        return url.split("/")[3]

    async def take(self, url: str, body: bytes, headers: dict[str, str]) -> HttpResult:
        mood = self.moods.get(self.workspace_of(url), "well")
        if mood == "moody":
            mood = self.rng.choice(sorted(MANNERS))
        if mood == "allergic":
            number = int(headers["webhook-id"][-12:], 16)
            mood = "well" if number % ALLERGIC_TO else "broken"
        manner = MANNERS.get(mood) or OF_ANSWERS[mood]
        request = Request(url, headers["webhook-id"], body, self.now_ms(), manner, mood)
        self.tell(Began(request))
        await asyncio.sleep(manner.after_s)
        request.answered, request.stalled_ms = True, self.stalled_ms(request.began_ms)
        self.tell(Answered(request))
        took_ms = round(manner.after_s * 1_000)
        if manner.error is not None:
            sent = manner.error is not ErrorClass.CONNECT_REFUSED
            return NoResponse(error=manner.error, detail=mood, sent=sent, duration_ms=took_ms)
        asked = (("Retry-After", manner.retry_after),) if manner.retry_after else ()
        return Response(
            status=manner.status,
            headers=asked,
            body=manner.answer,
            truncated=False,
            duration_ms=took_ms,
        )


MAIL_MOODS = ("well", "refusing", "losing", "hanging")


@dataclass(slots=True)
class SimulatedMailServer:
    """Replaces `aiosmtplib.send`, which the mailer calls."""

    tell: Callable[[MailTaken], None]
    mood: str = "well"

    async def send(self, message: EmailMessage, **options: Any) -> None:
        mood = self.mood
        await asyncio.sleep(30.0 if mood == "hanging" else 0.2)
        if mood in ("refusing", "hanging"):
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
        workspace_id = options["recipients"][0].partition("@")[2]
        taken = MailTaken(message["Message-ID"], workspace_id, confirmed=mood == "well")
        self.tell(taken)
        if mood == "losing":
            raise aiosmtplib.SMTPServerDisconnected("Connection lost")
