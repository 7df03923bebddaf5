"""A try of the mail server: step by step, as the mailer does it, with what the server said to each.

    connect → tls → login → from → to → data

Steps that the settings leave out are left out here. Without an address it ends before `from`, and
nothing is sent. No answer shows the password: a server may repeat what it was given.
"""

import asyncio
import base64
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Literal, TypeAlias

import aiosmtplib

from hookbundle.actors.mailer import TIMEOUT_S, SmtpConfig, tls_context

StepName: TypeAlias = Literal["connect", "tls", "login", "from", "to", "data"]
SAID_CHARS_MAX = 1_000
WHOLE_S = 60.0  # of all steps: somebody waits for the answer
HIDDEN = "********"
SUBJECT = "Test e-mail of hookbundle"
TEXT = """\
This is a test e-mail of hookbundle, sent by its operator with `hookbundle mail test`.

If you can read it, owners are told when one of their webhooks is disabled.
"""


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, whether the server took it, and what it said, in one line."""

    name: StepName
    ok: bool
    said: str


async def try_server(config: SmtpConfig, to: str = "") -> list[Step]:
    """The steps up to the first that failed. `to`: who gets the mail; empty: nobody."""
    trial = _Trial(config)
    try:
        async with asyncio.timeout(WHOLE_S):
            await trial.connect()
            if to:
                await trial.send(to)
    except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
        trial.failed(exc)
    finally:
        trial.client.close()
    return trial.steps


class _Trial:
    def __init__(self, config: SmtpConfig) -> None:
        self.steps: list[Step] = []
        self._config = config
        self._doing: StepName = "connect"
        self._context = tls_context(config) if config.security != "none" else None
        self.client = aiosmtplib.SMTP(
            hostname=config.host,
            port=config.port,
            use_tls=config.security == "tls",
            start_tls=False,  # is a step of its own
            tls_context=self._context,
            timeout=TIMEOUT_S,
        )

    async def connect(self) -> None:
        config = self._config
        greeting = await self.client.connect()
        self._done("connect", _words(greeting))
        if config.security == "starttls":
            self._doing = "tls"
            await self.client.starttls(tls_context=self._context)
        if config.security != "none":
            self._done("tls", self._encryption())
        if config.username:
            self._doing = "login"
            self._done("login", _words(await self.client.login(config.username, config.password)))

    async def send(self, to: str) -> None:
        self._doing = "from"
        self._done("from", _words(await self.client.mail(self._config.sender)))
        self._doing = "to"
        self._done("to", _words(await self.client.rcpt(to)))
        self._doing = "data"
        self._done("data", _words(await self.client.data(self._message(to))))

    def failed(self, exc: Exception) -> None:
        if isinstance(exc, aiosmtplib.SMTPResponseException):
            said = f"{exc.code} {exc.message}"
        else:
            said = str(exc) or "no answer in time"
        self.steps.append(Step(self._doing, ok=False, said=self._shown(said)))

    def _done(self, name: StepName, said: str) -> None:
        self.steps.append(Step(name, ok=True, said=self._shown(said)))

    def _encryption(self) -> str:
        found = self.client.get_transport_info("ssl_object")
        return found.version() or "" if isinstance(found, ssl.SSLObject) else ""

    def _message(self, to: str) -> bytes:
        message = EmailMessage()
        message["From"] = self._config.sender
        message["To"] = to
        message["Subject"] = SUBJECT
        message["Message-ID"] = make_msgid(domain="hookbundle")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(TEXT)
        return bytes(message)

    def _shown(self, said: str) -> str:
        """In one line, without the password in any form in which it was sent."""
        user, password = self._config.username.encode(), self._config.password.encode()
        if password:
            for sent in (b"\0" + user + b"\0" + password, password):  # the longer one first
                said = said.replace(base64.b64encode(sent).decode(), HIDDEN)
            said = said.replace(self._config.password, HIDDEN)
        line = " ".join(said.split())
        return "".join(c if c.isprintable() else "\ufffd" for c in line)[:SAID_CHARS_MAX]


def _words(response: aiosmtplib.SMTPResponse) -> str:
    return f"{response.code} {response.message}"
