"""The world (with the daemon) and the model side by side: each action is done in both and compared.

An action first changes the model, which gives the expected result. Then it is done to the daemon, a
moment passes, and everything is checked. An action that is impossible at the moment does nothing,
so any list of actions is a valid life, and so is any shorter list. Actions are in posting.py
(messages), settings.py, handling.py (chats and deliveries) and troubles.py.
"""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

from hookbundle.engine.delivery import signing
from hookbundle.engine.errors import Conflict, HookbundleError, StoreFull
from hookbundle.storage.reads.workspace_view import WebhookView
from hookbundle.storage.transitions.deliveries import DiscardDelivery, Discarded
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.reliability.harness.battery import Planned
from hookbundle.tests.reliability.simulation import checks
from hookbundle.tests.reliability.simulation.model import Model, demand
from hookbundle.tests.reliability.simulation.rules.bodies import OF_RECEIVERS
from hookbundle.tests.reliability.simulation.rules.systems import OF_SOURCES
from hookbundle.tests.reliability.simulation.tenants import Tenant
from hookbundle.tests.reliability.simulation.virtual_time import DAY_MS, HOUR_MS, MINUTE_MS
from hookbundle.tests.reliability.simulation.world import BEGINNING_MS, PowerLost, World

MOMENT_MS = 250  # after which the timer has found what a command made due
NEVER_MS = 1 << 60
REMEMBERED_MS = 47 * HOUR_MS
KNOWN_MAX = 40
FULL_MS_MAX = 10 * MINUTE_MS
HELD_MS_MAX = 21 * MINUTE_MS  # no wall clock is off by more than 10 minutes, either way
SECRET = signing.new_secret(bytes(32))
LINES_SHOWN = 40

REASONS = ("time", "quiet", "max", "at", "first", "size", "flush", "settings", "single")
OF_SEVERAL = (
    "left first",
    "ended without a message",
    "filtered",
    "unrouted",
    "overflowed",
    "merged",
    "budget used up",
    "webhook deleted with messages",
    "zone changed",
)
FAULTS = (
    "crash",
    "crash in flight",
    "crash while deliveries are moved",
    "crash before a commit",
    "crash after a commit",
    "stopped in flight",
    "unknown outcome",
    "unknown sent again",
    "disabled by errors",
    "mail",
    "mail twice",
    "quota reached",
    "disk full",
    "disk tight",
    "wall clock stepped",
    "timers held",
    "duplicate",
    "same key",
    "sealed by size",
    "retimed",
    "flushed",
    "dead letter",
    "receiver fails",
    "stood still",
    "retried",
    "resent",
    "resend failed",
    "replayed",
    "replay cancelled",
    "crash while a replay is put",
    "discarded",
    "chat deleted with deliveries",
    "workspace deleted with deliveries",
    "test request",
    "quarantine",
    "isolated",
    *REASONS,
    *OF_SEVERAL,
    *OF_SOURCES,
    *OF_RECEIVERS,
)


class Scene:
    """`every_time`: checks the whole database after each action, not only once a day."""

    def __init__(
        self,
        rng: Random,
        planned: Planned,
        *,
        every_time: bool = True,
        beginning_ms: int = BEGINNING_MS,
    ) -> None:
        self.world = World(rng, beginning_ms)
        self.model = Model()
        self.planned = planned
        self._feed = checks.FeedChecked()
        self._every_time = every_time
        self._asked_ms = 0
        self.at_last: list[Callable[[], None]] = []
        self.start()

    @property
    def full(self) -> bool:
        return self.world.daemon.disk.full

    @property
    def tight(self) -> bool:
        return self.world.daemon.disk.tight

    @property
    def healthy(self) -> bool:
        """Neither the clock nor the disk keeps the timer and the Store from working."""
        return not self.full and not self.world.daemon.clock.held

    @property
    def takes_settings(self) -> bool:
        return self.healthy and not self.tight

    def view_of(self, tenant: Tenant) -> WebhookView:
        """The webhook as the daemon has it."""
        view = self.world.daemon.partition.reads.workspace(tenant.home.name)
        return view.named(tenant.webhook_id)

    # ---- actions

    def do(self, transition: Transition, kind: type[Any], or_else: type[Any] | None = None) -> Any:
        """The result of the transition, which must be a `kind`; submitted as the API does."""
        daemon = self.world.daemon

        async def done() -> Any:
            outcome: Any = await daemon.partition.store_queue.do(transition, object)
            for webhook in getattr(outcome, "wake", ()):
                daemon.partition.virtual_actors.wake(webhook)
            return outcome

        got = self.ask(str(transition), done)
        if not self.world.lost_power and not (or_else and isinstance(got, or_else)):
            wanted = StoreFull if self.full else kind
            demand(isinstance(got, wanted), f"{transition} gave {got!r}")
        self.check_after_a_moment()
        return got

    def discard(self, tenant: Tenant, number: int, *, flies: bool) -> None:
        """A person gives the delivery up, or its resend; refused while it is being sent."""
        transition = DiscardDelivery(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            number=number,
            reason="a test",
            alive_since_ms=self.alive_since_ms,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.do(transition, Conflict if flies else Discarded)

    def ask(self, words: str, work: Callable[[], Awaitable[Any]]) -> Any:
        """The answer or the error; None if the power failed before."""
        self.world.write(self.world.nameless(f"> {words}"))
        self._asked_ms = self.world.now_ms()
        try:
            got = self.world.ask(work)
        except PowerLost:
            got = None
        except HookbundleError as exc:
            got = exc
        self.world.write(self.world.nameless(f"< {got!r}"))
        return got

    def posted(self, name: str, chat: str) -> list[tuple[int, str]]:
        """The newest messages of the chat that the daemon must recognise as duplicates."""
        tenant = self.model.tenants.get(name)
        since_ms = self.world.now_ms() - REMEMBERED_MS
        seen = tenant.home.seen.items() if tenant else ()
        known = [(0, id_) for (where, id_), at_ms in seen if where == chat and at_ms > since_ms]
        return known[-KNOWN_MAX:]

    def advance(self, by_ms: int) -> None:
        """Time passes, and everything is checked. A full disk gets space after some minutes."""
        if self.full and by_ms > FULL_MS_MAX:
            self.relieve()
        self.world.write(f"> {by_ms} ms pass")
        self.world.advance(by_ms)
        self.check_after_a_moment()

    def check_after_a_moment(self) -> None:
        """A moment passes, the daemon is idle, and everything is as it must be.

        After a power failure a new life is started instead.
        """
        self.world.advance(MOMENT_MS)
        if self.world.lost_power:
            self.lose_power()
            self.start()
            return
        self._hear()
        if self.healthy:
            if self.model.excused_ms == NEVER_MS:
                self.model.excused_ms = self.world.now_ms()
            self._check(thorough=self._every_time)

    def check_all(self) -> None:
        if self.healthy:
            self._check(thorough=True)

    def drain(self, enable_all: Callable[[], None]) -> None:
        """All faults end and all webhooks are enabled: everything is delivered in a day (I6).

        A day, or as soon as the last open window has ended by its rule.
        """
        world, model = self.world, self.model
        self.relieve()
        world.receivers.moods.clear()
        world.mail_server.mood = "well"
        if world.daemon.clock.held:
            self.advance(HELD_MS_MAX)
        demand(not world.daemon.clock.held, "I6: the timers are held for ever")
        world.stalls.end()
        enable_all()
        for each in self.at_last:
            each()
        now_ms = world.now_ms()
        open_ones = [each for tenant in model.tenants.values() for each in tenant.windows.values()]
        last_ms = max((each.due_ms for each in open_ones), default=now_ms)
        self.advance(max(DAY_MS, last_ms - now_ms) + 8 * HOUR_MS)
        for tenant in model.tenants.values():
            left = tenant.windows, tenant.waiting(), tenant.dead_letters, tenant.flight, tenant.job
            demand(not any(left), f"I6: left of {tenant.name}: {left}")
            demand(not tenant.mails_owed, f"I10: the owner of {tenant.name} got no mail")
        self.check_all()

    # ---- lives

    def start(self) -> None:
        self.model.excused_ms = NEVER_MS
        self.world.start()
        self.alive_since_ms = self.world.now_ms()
        if self.world.daemon.clock.held:
            self.planned.saw("timers held")
        self.check_after_a_moment()

    def lose_power(self) -> None:
        """The power fails; the daemon is gone."""
        self.world.crash()
        self.planned.saw("crash")
        self._hear()
        self.model.power_cut()
        self._count()

    def stop(self) -> None:
        """The daemon stops; attempts that take longer than the stop have an unknown outcome."""
        self.model.excused_ms = NEVER_MS
        self.world.stop()
        self._hear()
        if any(tenant.flight for tenant in self.model.tenants.values()):
            self.planned.saw("stopped in flight")
        self.model.power_cut()

    def relieve(self) -> None:
        """The disk has space again; after a minute everything delayed has been stored."""
        disk = self.world.daemon.disk
        if disk.full or disk.tight:
            disk.full = disk.tight = False
            self.model.excused_ms = NEVER_MS
            self.world.write("> room on the disk")
            self.world.advance(MINUTE_MS + 1_000)
            self.check_after_a_moment()

    # ---- the machinery

    def _hear(self) -> None:
        happened, self.world.chronicle = self.world.chronicle, []
        self._feed.hear(happened)
        self.model.hear(happened)
        self._count()

    def _count(self) -> None:
        for fault in self.model.seen:
            self.planned.saw(fault)
        self.model.seen.clear()

    def _check(self, *, thorough: bool) -> None:
        now_ms = self.world.now_ms()
        checks.check_order(self.model, now_ms, renders=self.world.renders, tight=self.tight)
        checks.check_state(self.model, self.world, thorough=thorough)
        quiet_ms = now_ms - max(self.model.last_fact_ms, self._asked_ms)
        checks.check_bounds(self.model, self.world, quiet_ms)
        if thorough:
            checks.check_database(self.world)
            self._feed.check(self.world)
