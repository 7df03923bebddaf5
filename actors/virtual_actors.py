"""The virtual actors: one for each chat, each workspace's webhook and each mail of the outbox.

Each kind has a directory. It activates an actor when a message comes for it, passivates it when it
is idle, and quarantines it when it fails too often, which the log, the feed and the status show.
"""

import random

import structlog

from hookbundle.actors import chat
from hookbundle.actors.chat import ChatActor, ChatConfig, ChatKey
from hookbundle.actors.mailer import Outbox, SmtpConfig
from hookbundle.actors.mails.text import Translations
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.actors.webhook import Traffic, Wake, WebhookActor
from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError, in_words
from hookbundle.engine.runtime.directory import Directory
from hookbundle.engine.runtime.supervisor import RestartIntensity
from hookbundle.storage.daemon_facts import ActorQuarantined
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.transitions.notes import Note

CHATS_MAX = 30_000
WEBHOOKS_MAX = 20_000
IDLE_MS = 60_000
INTENSITY = RestartIntensity(failures_max=5, period_ms=60_000, quarantine_ms=300_000)

log = structlog.get_logger(__name__)


class VirtualActors:
    """The directories: to send an actor a message, tell its directory."""

    def __init__(
        self,
        reads: Reads,
        store: StoreQueue,
        client: GuardedClient,
        clock: Clock,
        rng: random.Random,
        traffic: Traffic,
        chat_config: ChatConfig,
        smtp: SmtpConfig,
        epoch: str,
        translations: Translations,
    ) -> None:
        self._store = store
        self._client = client
        self._clock = clock
        self._rng = rng
        self._traffic = traffic
        self._chat_config = chat_config
        self.webhooks: Directory[int, Wake] = Directory(
            name="webhook",
            activate=self._webhook,
            active_max=WEBHOOKS_MAX,
            intensity=INTENSITY,
            now_ms=clock.now_ms,
            on_dead_letter=self._wake_lost,
            on_quarantine=self._webhook_quarantined,
        )
        self.chats: Directory[ChatKey, chat.Inbox] = Directory(
            name="chat",
            activate=self._chat,
            active_max=CHATS_MAX,
            intensity=INTENSITY,
            now_ms=clock.now_ms,
            on_dead_letter=chat.answer_dead_letter,
            on_quarantine=self._chat_quarantined,
        )
        self.outbox = Outbox(
            reads,
            store,
            clock,
            smtp,
            epoch,
            translations,
            INTENSITY,
            self._mail_quarantined,
        )

    def wake(self, webhook: int) -> None:
        """The webhook's actor has a `Wake` to handle, this one or an earlier one.

        An actor that is sending gets one as well: it may have asked for its next delivery just
        before there was one.
        """
        actor = self.webhooks.active(webhook)
        if actor is None or actor.actor_inbox.empty():
            self.webhooks.tell(webhook, Wake())

    def passivate_idle(self) -> None:
        """Passivates actors that have been idle for `IDLE_MS`. All they need is on disk."""
        self.chats.passivate_idle(IDLE_MS)
        self.webhooks.passivate_idle(IDLE_MS)
        self.outbox.passivate_idle(IDLE_MS)

    def quarantined(self) -> list[str]:
        """The names of the quarantined actors, as `chat c1`, `webhook 1` or `mail 1`."""
        return [
            *(f"chat {q.key.chat_id}" for q in self.chats.quarantined()),
            *(f"webhook {q.key}" for q in self.webhooks.quarantined()),
            *(f"mail {q.key}" for q in self.outbox.quarantined()),
        ]

    def _chat(self, key: ChatKey) -> ChatActor:
        return ChatActor(key, self._store, self._clock, self._chat_config, self.wake)

    def _webhook(self, number: int) -> WebhookActor:
        return WebhookActor(
            number, self._store, self._client, self._clock, self._rng, self._traffic
        )

    def _wake_lost(self, number: int, message: Wake, error: HookbundleError) -> None:
        log.warning("webhook not woken", webhook=number, error=str(error))

    def _webhook_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"webhook {number}", error)

    def _chat_quarantined(self, key: ChatKey, error: Exception) -> None:
        self._note_quarantine(f"chat {key.chat_id} of workspace {key.workspace_number}", error)

    def _mail_quarantined(self, number: int, error: Exception) -> None:
        self._note_quarantine(f"mail {number}", error)

    def _note_quarantine(self, name: str, error: Exception) -> None:
        log.error("quarantined", actor=name, exc_info=error)
        fact = ActorQuarantined(detail=f"{name}: {in_words(error)}")
        self._store.submit(Note(fact, self._clock.now_ms()), lambda _: None)
