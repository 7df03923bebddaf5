"""The outbox: takes e-mails to the SMTP server, and tries until it has them.

A mail was written into the outbox by the transaction that disabled the webhook. It is deleted when
the server has taken it; between the two a crash may lead to a second copy, which carries the same
Message-ID. It says what happened and what to do, and nothing of anybody's messages.

Each mail on its way has an actor of its own: one that can't be written, or a server that hangs over
one, holds up none of the others.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

import aiosmtplib
import structlog

from hookbundle.actors.store_queue import StoreDoor
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, StoreFull, in_words
from hookbundle.engine.messages.timestamps import utc
from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.supervisor import Quarantine, RestartIntensity
from hookbundle.storage.database.records import Mail
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.housekeeping import MailAccepted, MailFailed
from hookbundle.storage.transitions.table import Transition

AGAIN_MS = (60_000, 300_000, 900_000, 3_600_000)
TIMEOUT_S = 30.0
STORE_AGAIN_S = 1.0
AT_ONCE = 4  # connections to the mail server
RESIDENTS_MAX = 1_000

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
    """The mail is due."""


class Outbox:
    """The mails on their way. `config` may be changed at any time."""

    def __init__(
        self,
        reads: Reads,
        store: StoreDoor,
        clock: Clock,
        config: SmtpConfig,
        epoch: str,
        intensity: RestartIntensity,
        on_quarantine: Callable[[int, Exception], None],
    ) -> None:
        self.config = config
        self._reads = reads
        self._store = store
        self._clock = clock
        self._epoch = epoch
        self._places = asyncio.Semaphore(AT_ONCE)
        self._mailers: Directory[int, Send] = Directory(
            name="mail",
            activate=self._mailer,
            residents_max=RESIDENTS_MAX,
            intensity=intensity,
            now_ms=clock.now_ms,
            on_dead_letter=_not_handled,
            on_quarantine=on_quarantine,
        )

    def send(self, number: int) -> None:
        """The mail of that number is tried, unless it is going to be anyway."""
        mailer = self._mailers.resident(number)
        if mailer is None or mailer.actor_inbox.empty():
            self._mailers.tell(number, Send())

    def let_go_idle(self, older_than_ms: int) -> None:
        self._mailers.let_go_idle(older_than_ms)

    def quarantined(self) -> list[Quarantine[int]]:
        return self._mailers.quarantined()

    async def stop(self) -> None:
        """Mails that are being sent have been, and what came of it is stored."""
        await self._mailers.stop_all()

    def _mailer(self, number: int) -> "MailerActor":
        return MailerActor(
            number, self._reads, self._store, self._clock, self, self._epoch, self._places
        )


class MailerActor(LoopActor):
    def __init__(
        self,
        number: int,
        reads: Reads,
        store: StoreDoor,
        clock: Clock,
        outbox: Outbox,
        epoch: str,
        places: asyncio.Semaphore,
    ) -> None:
        super().__init__()
        self._number = number
        self._reads = reads
        self._store = store
        self._clock = clock
        self._outbox = outbox
        self._epoch = epoch
        self._places = places

    async def on_receive(self, message: Send) -> None:
        async with self._places:
            mail = self._reads.mail(self._number)
            if mail is None or mail.next_ms > self._clock.now_ms():
                return
            failure = await self._deliver(mail)
        now_ms = self._clock.now_ms()
        if failure is None:
            await self._record(MailAccepted(mail.number, now_ms))
            return
        log.warning("mail not sent", mail=mail.number, tries=mail.tries + 1, error=failure)
        wait_ms = AGAIN_MS[min(mail.tries, len(AGAIN_MS) - 1)]
        await self._record(MailFailed(mail.number, failure, now_ms + wait_ms, now_ms))

    async def _record(self, outcome: Transition) -> None:
        """The outcome is stored, however long the disk is full: else the mail would go out again.

        Raises: HookbundleError.
        """
        while True:
            try:
                return await self._store.done(outcome)
            except StoreFull as exc:
                log.error("outcome not stored yet", mail=self._number, error=str(exc))
                await asyncio.sleep(STORE_AGAIN_S)

    async def _deliver(self, mail: Mail) -> str | None:
        """Why the server has not taken it; None if it has."""
        config = self._outbox.config
        if not config.host:
            return "no SMTP server is configured; set smtp.host"
        try:
            await aiosmtplib.send(
                compose(mail, config, self._epoch),
                recipients=[mail.to],  # whatever else a reader of headers might see in them
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
    # Python decodes what looks like an encoded word, and writes what comes out, line ends and all.
    message["Subject"] = f"The webhook of {name.replace('=?', '= ?')} was disabled"
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


def _not_handled(number: int, message: Send, error: HookbundleError) -> None:
    log.warning("mail not tried", mail=number, error=in_words(error))


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _tls_context(config: SmtpConfig) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=config.ca_file or None)
