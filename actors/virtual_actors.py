"""The actors made on demand: chats, webhooks, and the mails of the outbox.

Each kind has a directory, which activates them when mail comes, lets them go when they rest, and
puts one that fails too often in quarantine; the log, the feed and the status say so.
"""

import random

import structlog

from hookbundle.actors import chat
from hookbundle.actors.chat import ChatActor, ChatConfig, ChatKey
from hookbundle.actors.mailer import Outbox, SmtpConfig
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.store_queue import StoreDoor
from hookbundle.actors.webhook import Traffic, Wake, WebhookActor
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.supervisor import RestartIntensity
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.housekeeping import Note

CHATS_MAX = 30_000
WEBHOOKS_MAX = 20_000
IDLE_MS = 60_000
INTENSITY = RestartIntensity(failures_max=5, period_ms=60_000, quarantine_ms=300_000)

log = structlog.get_logger(__name__)


class Residents:
    """Whoever has mail for one of them tells its directory."""

    def __init__(
        self,
        reads: Reads,
        store: StoreDoor,
        client: GuardedClient,
        clock: Clock,
        chance: random.Random,
        traffic: Traffic,
        chat_config: ChatConfig,
        smtp: SmtpConfig,
        epoch: str,
    ) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._chance = chance
        self._traffic = traffic
        self._chat_config = chat_config
        self.webhooks: Directory[int, Wake] = Directory(
            name="workspace",
            activate=self._webhook,
            residents_max=WEBHOOKS_MAX,
            intensity=INTENSITY,
            now_ms=clock.now_ms,
            on_dead_letter=self._wake_lost,
            on_quarantine=self._webhook_quarantined,
        )
        self.chats: Directory[ChatKey, chat.Inbox] = Directory(
            name="chat",
            activate=self._chat,
            residents_max=CHATS_MAX,
            intensity=INTENSITY,
            now_ms=clock.now_ms,
            on_dead_letter=chat.bury,
            on_quarantine=self._chat_quarantined,
        )
        self.outbox = Outbox(reads, store, clock, smtp, epoch, INTENSITY, self._mail_quarantined)

    def wake(self, workspace_number: int) -> None:
        """The webhook looks whether there is something to send, unless it has been told to.

        One that is at it is told as well: it may have looked just before there was something.
        """
        actor = self.webhooks.resident(workspace_number)
        if actor is None or actor.actor_inbox.empty():
            self.webhooks.tell(workspace_number, Wake())

    def let_go_idle(self) -> None:
        self.chats.let_go_idle(IDLE_MS)
        self.webhooks.let_go_idle(IDLE_MS)
        self.outbox.let_go_idle(IDLE_MS)

    def quarantined(self) -> list[str]:
        """Who is in quarantine, in words."""
        return [
            *(f"chat {q.key.chat_id}" for q in self.chats.quarantined()),
            *(f"workspace {q.key}" for q in self.webhooks.quarantined()),
            *(f"mail {q.key}" for q in self.outbox.quarantined()),
        ]

    def _chat(self, key: ChatKey) -> ChatActor:
        return ChatActor(key, self._store, self._clock, self._chat_config, self.wake)

    def _webhook(self, number: int) -> WebhookActor:
        return WebhookActor(
            number, self._store, self._client, self._clock, self._chance, self._traffic
        )

    def _wake_lost(self, number: int, message: Wake, error: HookbundleError) -> None:
        log.warning("webhook not woken", workspace=number, error=str(error))

    def _webhook_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"workspace {number}", error)

    def _chat_quarantined(self, key: ChatKey, error: Exception) -> None:
        self._note_quarantine(f"chat {key.chat_id} of workspace {key.workspace_number}", error)

    def _mail_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"mail {number}", error)

    def _note_quarantine(self, whom: str, error: Exception) -> None:
        log.error("quarantined", whom=whom, exc_info=error)
        note = Note("actor.quarantined", f"{whom}: {in_words(error)}", self._clock.now_ms())
        self._store.submit(note, lambda _: None)
