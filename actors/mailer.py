"""The mailer: takes e-mails from the outbox to the SMTP server, and tries until it has them.

A mail was written into the outbox by the transaction that disabled the webhook. It is deleted when
the server has taken it; between the two a crash may lead to a second copy, which carries the same
Message-ID. It says what happened and what to do, and nothing of anybody's messages.
"""

import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

import aiosmtplib
import structlog

from hookbundle.actors.store import StoreDoor
from hookbundle.engine.clock import Clock
from hookbundle.engine.loop_actor import LoopActor
from hookbundle.engine.timestamps import utc
from hookbundle.storage.chores import MailAccepted, MailFailed
from hookbundle.storage.reads import Reads
from hookbundle.storage.records import Mail

AGAIN_MS = (60_000, 300_000, 900_000, 3_600_000)
TIMEOUT_S = 30.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpConfig:
    """`security`: `tls` from the first byte, `starttls` (refused if not offered), or `none`."""

    host: str = ""
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str = ""
    password: str = ""
    sender: str = "hookbundle@localhost"
    ca_file: str = ""
    console_url: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """The mail of that number in the outbox is due."""

    number: int


class MailerActor(LoopActor):
    def __init__(
        self,
        reads: Reads,
        store: StoreDoor,
        clock: Clock,
        config: SmtpConfig,
        epoch: str,
    ) -> None:
        super().__init__()
        self._reads = reads
        self._store = store
        self._clock = clock
        self._config = config
        self._epoch = epoch

    async def on_receive(self, message: Send) -> None:
        mail = self._reads.mail(message.number)
        if mail is None or mail.next_ms > self._clock.now_ms():
            return
        failure = await self._deliver(mail)
        now_ms = self._clock.now_ms()
        if failure is None:
            await self._store.done(MailAccepted(mail.number, now_ms))
            return
        log.warning("mail not sent", to=mail.to, tries=mail.tries + 1, error=failure)
        wait_ms = AGAIN_MS[min(mail.tries, len(AGAIN_MS) - 1)]
        await self._store.done(MailFailed(mail.number, failure, now_ms + wait_ms, now_ms))

    async def _deliver(self, mail: Mail) -> str | None:
        """Why the server has not taken it; None if it has."""
        config = self._config
        if not config.host:
            return "no SMTP server is configured; set smtp.host"
        try:
            await aiosmtplib.send(
                compose(mail, config, self._epoch),
                hostname=config.host,
                port=config.port,
                use_tls=config.security == "tls",
                start_tls=config.security == "starttls",
                username=config.username or None,
                password=config.password or None,
                timeout=TIMEOUT_S,
                tls_context=_tls_context(config) if config.security != "none" else None,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
            return f"{type(exc).__name__}: {exc}"
        return None


def compose(mail: Mail, config: SmtpConfig, epoch: str) -> EmailMessage:
    """The mail as it is sent: plain text, one recipient, the same Message-ID on every try."""
    name = _one_line(mail.workspace_name or mail.workspace_id)
    message = EmailMessage()
    message["From"] = config.sender
    message["To"] = mail.to
    message["Subject"] = f"The webhook of {name} was disabled"
    message["Date"] = format_datetime(utc(mail.created_ms))
    message["Message-ID"] = f"<disabled-{epoch}-{mail.number}@hookbundle>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: don't answer with a vacation note
    where = f"\nConsole:          {config.console_url}" if config.console_url else ""
    message.set_content(
        f"""The outbound webhook of {name} was disabled, because its receiver answered
with more than 10 errors in a row.

Workspace:        {mail.workspace_id}
Webhook URL:      {mail.url.partition("?")[0]}
Last error:       {_one_line(mail.last_error)}
Disabled at:      {utc(mail.created_ms):%Y-%m-%d %H:%M:%S} UTC
Held until then:  {mail.held_messages} messages, {mail.held_deliveries} requests{where}

Nothing is lost: messages are still accepted and held, in order. Once the receiver works again,
enable the webhook, and everything is sent from where it stopped:

    hookbundle workspace test {mail.workspace_id}
    hookbundle workspace enable {mail.workspace_id}

To drop what is held instead, add --discard to the second command.
"""
    )
    return message


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _tls_context(config: SmtpConfig) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=config.ca_file or None)
