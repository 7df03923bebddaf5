"""Commands that send once more: resend, its end, replay, its cancellation."""

from hookbundle.engine.errors import Conflict
from hookbundle.storage.database.delivery_records import ReplayFilter
from hookbundle.storage.transitions.repeating.replaying import (
    CancelReplay,
    Replaying,
    StartReplay,
)
from hookbundle.storage.transitions.repeating.resending import ResendDelivery, Resent
from hookbundle.tests.reliability.simulation.repeating import DAY_MS
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.tenants import Parcel, Tenant

BOTH = ("dead_letter", "delivered")
CUT = "crash while a replay is put"


class Repeats:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned

    def resend(self, name: str, which: int) -> None:
        """The model hears of it by the fact."""
        tenant, parcel = self._delivered(name, which)
        if tenant is None or parcel is None:
            return
        resend = ResendDelivery(
            workspace_id=tenant.home.name,
            delivery_id=parcel.id,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        if isinstance(self.scene.do(resend, Resent, or_else=Conflict), Resent):
            self.planned.saw("resent")

    def give_up(self, name: str, which: int) -> None:
        """A resend that waits is discarded."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not tenant.resends:
            return
        parcel = list(tenant.resends.values())[which % len(tenant.resends)]
        flies = tenant.flight is not None and tenant.flight.parcel is parcel
        self.scene.discard(tenant, parcel.number, flies=flies)

    def replay(self, name: str, states: tuple[str, ...], chat: str = "") -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        now_ms = self.world.now_ms()
        tenant.asked = states, chat
        start = StartReplay(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            wanted=ReplayFilter(states=states, chat=chat, since_ms=now_ms - DAY_MS),
            deliveries=1,
            messages=1,
            now_ms=now_ms,
            caller="t",
        )
        if isinstance(self.scene.do(start, Replaying, or_else=Conflict), Replaying):
            self.planned.saw("replayed")

    def cancel(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        number = self.scene.view_of(tenant).state.replay
        if not number:
            return
        cancel = CancelReplay(
            workspace_id=tenant.home.name, number=number, now_ms=self.world.now_ms(), caller="t"
        )
        if isinstance(self.scene.do(cancel, Replaying, or_else=Conflict), Replaying):
            self.planned.saw("replay cancelled")

    def _delivered(self, name: str, which: int) -> tuple[Tenant | None, Parcel | None]:
        tenant = self.model.tenants.get(name)
        if tenant is None or not tenant.delivered:
            return None, None
        found = list(tenant.delivered.values())[-10:]
        return tenant, found[which % len(found)]
