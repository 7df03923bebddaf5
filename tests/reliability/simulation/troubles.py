"""Faults: crashes, restarts, full disks, clock steps, failing receivers, damaged records."""

from collections.abc import Callable

from hookbundle.storage.database.environment import Environment
from hookbundle.storage.tables import history
from hookbundle.storage.transitions.deliveries import Retried, RetryDeadLetters
from hookbundle.tests.reliability.simulation.handling import Handling
from hookbundle.tests.reliability.simulation.model import demand
from hookbundle.tests.reliability.simulation.scene import NEVER_MS, Scene
from hookbundle.tests.reliability.simulation.tenants import Tenant
from hookbundle.tests.reliability.simulation.virtual_time import DAY_MS, MINUTE_MS

WAKES = 7  # one more than the failures that put a webhook in quarantine
ANSWERED_MS = 16_000
QUARANTINE_MS = 5 * MINUTE_MS
WALL_OFF_MS_MAX = 10 * MINUTE_MS


class Troubles:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned

    def crash(self, downtime_ms: int) -> None:
        """The power fails now, and comes back after the downtime."""
        self.scene.lose_power()
        self.world.downtime(downtime_ms)
        self.scene.start()

    def crash_at_a_commit(self, when: str, meanwhile_ms: int) -> None:
        """The power fails before or after the next commit, if there is one in that time."""
        disk = self.world.daemon.disk
        disk.cut = when
        self.scene.advance(meanwhile_ms)
        self.end_of_cut(when)

    def end_of_cut(self, when: str) -> None:
        """No cut is planned any more; if it happened, it is counted."""
        disk = self.world.daemon.disk
        if not disk.cut:
            self.planned.saw(f"crash {when} a commit")
        disk.cut = ""

    def crash_while_moving(
        self, when: str, command: Callable[[], None], seen: str = "crash while deliveries are moved"
    ) -> None:
        """The power fails before or after a commit with a step of a move or a replay."""
        disk = self.world.daemon.disk
        disk.cut, disk.only_moving = when, True
        command()
        disk = self.world.daemon.disk  # another one after a crash
        if not disk.cut:
            self.planned.saw(seen)
        disk.cut, disk.only_moving = "", False

    def restart(self, downtime_ms: int) -> None:
        self.scene.stop()
        self.world.downtime(downtime_ms)
        self.scene.start()

    def fill_disk(self, for_ms: int) -> None:
        """No commit succeeds for a while."""
        self.scene.relieve()
        self.world.daemon.disk.full = True
        self.planned.saw("disk full")
        self.scene.advance(for_ms)

    def tighten_disk(self, for_ms: int) -> None:
        """For a while the disk has space only for outcomes of accepted messages."""
        self.scene.relieve()
        self.world.daemon.disk.tight = True
        self.planned.saw("disk tight")
        self.scene.advance(max(for_ms, 1_500))

    def step_wall_clock(self, by_ms: int) -> None:
        """The machine's wall clock is set."""
        if abs(self.world.wall_off_ms + by_ms) <= WALL_OFF_MS_MAX:
            self.world.step_wall(by_ms)
            self.planned.saw("wall clock stepped")
            self.scene.check_after_a_moment()

    def mood(self, name: str, mood: str) -> None:
        self.world.write(f"> receiver {name} is {mood}")
        self.world.receivers.moods[name] = mood

    def mail_mood(self, mood: str) -> None:
        self.world.write(f"> mail server is {mood}")
        self.world.mail_server.mood = mood

    def lose_a_mails_answer(self, name: str, make_busy: Callable[[str, str], None]) -> None:
        """The owner of a webhook that is disabled by errors gets his mail twice."""
        make_busy(name, "broken")
        self.mail_mood("losing")
        self.scene.advance(DAY_MS)
        self.mail_mood("well")
        self.mood(name, "well")

    def damage(self, name: str) -> None:
        """The record of the delivery in flight is damaged: the webhook goes into quarantine.

        Then the record is repaired, and after the quarantine the webhook works again.
        """
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or not tenant.may_send():
            return
        if tenant.flight or tenant.dead_letters or tenant.resends or tenant.job:
            return
        self.mood(name, "slow")
        Handling(self.scene).retry(name, 0)
        if tenant.flight is None or self.world.lost_power:
            return
        parcel, disk = tenant.flight.parcel, self.world.daemon.disk
        number = self.scene.view_of(tenant).webhook.number
        key = history.key_of(number, parcel.number)
        with Environment.write(disk) as txn:
            whole = bytes(txn.get(key) or b"")
            txn.put(key, whole[:-1] + bytes([whole[-1] ^ 1]))
        self.model.excused_ms = NEVER_MS
        self.world.write(f"> damage {name}")
        self.world.advance(ANSWERED_MS)
        for _ in range(WAKES):
            self._wake(tenant)
        quarantined = self.world.daemon.partition.virtual_actors.quarantined()
        with Environment.write(disk) as txn:
            txn.put(key, whole)
        tenant.flight = None
        self.model.unknown.add(parcel.id)
        demand(f"webhook {number}" in quarantined, f"I13: {name} fails, but is not in quarantine")
        self.mood(name, "well")
        self.world.advance(QUARANTINE_MS + MINUTE_MS)
        self.scene.check_after_a_moment()

    def _wake(self, tenant: Tenant) -> None:
        daemon = self.world.daemon
        now_ms = self.world.now_ms()
        transition = RetryDeadLetters(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            now_ms=now_ms,
            caller="t",
        )

        async def retry() -> None:
            retried = await daemon.partition.store_queue.do(transition, Retried)
            for webhook in retried.wake:
                daemon.partition.virtual_actors.wake(webhook)

        self.world.ask(retry)
