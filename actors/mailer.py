"""The outbox: sends e-mails to the SMTP server, and retries until the server accepts them.

The transaction that disables a webhook also writes the mail to the outbox (tables/outbox.py). The
mail is deleted after the server has accepted it. A crash between the two may send it a second time,
with the same Message-ID. The mail says what happened and what to do; it quotes no message.

Each mail has an actor of its own, so that a mail which can't be composed, or a server that hangs
over one mail, holds up none of the others. A workspace has one mail of a kind, so it has one actor
and one connection at most.
"""

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import aiosmtplib
import structlog

from hookbundle.actors.mails.text import Letterhead, Translations, compose
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, StoreFull, in_words
from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.supervisor import Quarantine, RestartIntensity
from hookbundle.storage.database.mail_records import Mail
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.mails import MailAccepted, MailFailed
from hookbundle.storage.transitions.table import Transition

RETRY_STEPS_MS = (60_000, 300_000, 900_000, 3_600_000)
TIMEOUT_S = 30.0
STORE_AGAIN_S = 1.0
CONNECTIONS_MAX = 4  # to the mail server
ACTIVE_MAX = 1_000

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
    """The actors of the mails that are due. `config` may be changed at any time."""

    def __init__(
        self,
        reads: Reads,
        store: StoreQueue,
        clock: Clock,
        config: SmtpConfig,
        epoch: str,
        translations: Translations,
        intensity: RestartIntensity,
        on_quarantine: Callable[[int, Exception], None],
    ) -> None:
        self.config = config
        self._reads = reads
        self._store = store
        self._clock = clock
        self._epoch = epoch
        self._translations = translations
        self._slots = asyncio.Semaphore(CONNECTIONS_MAX)
        self._mailers: Directory[int, Send] = Directory(
            name="mail",
            activate=self._mailer,
            active_max=ACTIVE_MAX,
            intensity=intensity,
            now_ms=clock.now_ms,
            on_dead_letter=_not_handled,
            on_quarantine=on_quarantine,
        )

    @property
    def letterhead(self) -> Letterhead:
        config = self.config
        return Letterhead(config.sender, config.console_url, self._epoch, self._translations)

    def send(self, number: int) -> None:
        """The mail's actor has a `Send` to handle, this one or an earlier one."""
        mailer = self._mailers.active(number)
        if mailer is None or mailer.actor_inbox.empty():
            self._mailers.tell(number, Send())

    def passivate_idle(self, older_than_ms: int) -> None:
        self._mailers.passivate_idle(older_than_ms)

    def quarantined(self) -> list[Quarantine[int]]:
        return self._mailers.quarantined()

    async def stop(self) -> None:
        """Attempts under way have ended, and their results are stored."""
        await self._mailers.stop_all()

    def _mailer(self, number: int) -> "MailerActor":
        return MailerActor(number, self._reads, self._store, self._clock, self, self._slots)


class MailerActor(LoopActor):
    def __init__(
        self,
        number: int,
        reads: Reads,
        store: StoreQueue,
        clock: Clock,
        outbox: Outbox,
        slots: asyncio.Semaphore,
    ) -> None:
        super().__init__()
        self._number = number
        self._reads = reads
        self._store = store
        self._clock = clock
        self._outbox = outbox
        self._slots = slots

    async def on_receive(self, message: Send) -> None:
        async with self._slots:
            mail = self._reads.mail(self._number)
            if mail is None or mail.next_ms > self._clock.now_ms():
                return
            await self._store.confirmed()
            failure = await self._deliver(mail)
        now_ms = self._clock.now_ms()
        if failure is None:
            if not self._outbox.config.console_url:
                log.warning("mail without a link", mail=mail.number, set="console.url")
            await self._record(MailAccepted(mail.number, mail.total, now_ms))
            return
        log.warning("mail not sent", mail=mail.number, tries=mail.tries + 1, error=failure)
        wait_ms = RETRY_STEPS_MS[min(mail.tries, len(RETRY_STEPS_MS) - 1)]
        await self._record(MailFailed(mail.number, failure, now_ms + wait_ms, now_ms))

    async def _record(self, transition: Transition) -> None:
        """The result is stored, however long the disk is full: else the mail would be sent again.

        Raises: HookbundleError.
        """
        while True:
            try:
                return await self._store.done(transition)
            except StoreFull as exc:
                log.error("outcome not stored yet", mail=self._number, error=str(exc))
                await asyncio.sleep(STORE_AGAIN_S)

    async def _deliver(self, mail: Mail) -> str | None:
        """None if the server has accepted the mail, else why not."""
        config = self._outbox.config
        if not config.host:
            return "no SMTP server is configured; set smtp.host"
        try:
            await aiosmtplib.send(
                compose(mail, self._outbox.letterhead),
                recipients=[mail.to],  # else aiosmtplib takes the recipients from the headers
                hostname=config.host,
                port=config.port,
                use_tls=config.security == "tls",
                start_tls=config.security == "starttls",
                username=config.username or None,
                password=config.password or None,
                timeout=TIMEOUT_S,
                tls_context=tls_context(config) if config.security != "none" else None,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
            return _failure(mail, exc)
        return None


def _failure(mail: Mail, error: Exception) -> str:
    """Why it was not sent, for log and feed, where no address stands; servers quote it."""
    address = re.compile(re.escape(mail.to), re.IGNORECASE)
    return address.sub("(the owner)", f"{type(error).__name__}: {error}")


def _not_handled(number: int, message: Send, error: HookbundleError) -> None:
    log.warning("mail not tried", mail=number, error=in_words(error))


def tls_context(config: SmtpConfig) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=config.ca_file or None)
