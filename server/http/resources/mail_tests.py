"""The API that tries the mail server, and says what it said to each step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import structlog
from aiohttp import web

from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.mails.trial import StepName, try_server
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code, Term
from hookbundle.engine.errors import Conflict, InvalidInput
from hookbundle.engine.fairness.allowance import Allowance
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.server.http.authentication import caller_of
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.wanted_settings import EMAIL

TRIES_PER_HOUR = 30
HOUR_MS = 3_600_000

log = structlog.get_logger(__name__)


class MailTestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`to`: who gets a test e-mail. Without it the server is tried, and nothing is sent."""

    to: str = ""


class MailStepOut(msgspec.Struct, frozen=True):
    """`said`: by the server, or why it could not be asked, in one line without the password."""

    step: StepName
    ok: bool
    said: str


class MailTestOut(msgspec.Struct, frozen=True):
    """`ok`: every step succeeded. The last one listed is the one that failed, if one did."""

    ok: bool
    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    sender: str
    steps: list[MailStepOut]


def hourly_tries() -> Allowance[str]:
    return Allowance("mail_tests_hourly", Term.HOURLY_MAIL_TESTS, TRIES_PER_HOUR, HOUR_MS)


@dataclass(frozen=True, slots=True)
class MailTests:
    """For operators: no workspace is in the path, so no workspace's token is good for it."""

    config: Callable[[], SmtpConfig]
    clock: Clock
    hourly: Allowance[str] = field(default_factory=hourly_tries)

    def routes(self) -> list[Route]:
        return [
            Route(
                method="POST",
                path="/v1/mail/test",
                handler=self.test,
                name="test_mail",
                summary="Try the mail server, with an e-mail or without, step by step",
                body=MailTestIn,
                answer=MailTestOut,
                refusals=(409, 422, 429),
            )
        ]

    async def test(self, request: web.Request) -> web.Response:
        """`POST /v1/mail/test`. What the mail server refuses is an answer, no error."""
        wanted = await body_of(request, MailTestIn)
        return json_response(await self.tried(wanted.to, caller_of(request)))

    async def tried(self, to: str, caller: str) -> MailTestOut:
        """What came of it. Raises: InvalidInput, Conflict without a server, TooManyRequests."""
        if to and not EMAIL.fullmatch(to):
            raise InvalidInput((fault("to", FaultCode.NO_ADDRESS),))
        config = self.config()
        if not config.host:
            raise Conflict.of(Code.SMTP_NOT_SET)
        self.hourly.use("", self.clock.now_ms())
        steps = await try_server(config, to)
        ok = all(step.ok for step in steps)
        log.info("mail server tried", ok=ok, step=steps[-1].name, caller=caller)
        return MailTestOut(
            ok,
            config.host,
            config.port,
            config.security,
            config.sender,
            [MailStepOut(step.name, step.ok, step.said) for step in steps],
        )
