"""Commands for chats and deliveries: flush, retry, discard, delete, and test requests."""

from hookbundle.actors.chat import ChatKey, Flush
from hookbundle.engine.error_codes import Term
from hookbundle.engine.errors import Conflict
from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http.replies.sealing import SealReply
from hookbundle.server.http.resources.webhooks.testing import TestRequests
from hookbundle.storage.transitions.deliveries import (
    Retried,
    RetryDeadLetters,
    RetryDelivery,
)
from hookbundle.storage.transitions.erasing import (
    ChatDeleted,
    DeleteChat,
    DeleteWorkspace,
    WorkspaceDeleted,
)
from hookbundle.storage.transitions.sealing import Sealed
from hookbundle.tests.reliability.simulation.model import demand
from hookbundle.tests.reliability.simulation.scene import Scene
from hookbundle.tests.reliability.simulation.tenants import Parcel, Tenant


class Handling:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned

    def flush(self, name: str, chat: str) -> None:
        """The window of this webhook is sealed, and no other."""
        tenant = self.model.tenants.get(name)
        if tenant is None or self.scene.full:
            return
        of_workspace, number = self._numbers(tenant)
        wanted = len(tenant.windows[chat].messages) if chat in tenant.windows else 0
        tenant.flushing.add(chat)

        async def flushed() -> Sealed:
            reply = SealReply(self.world.loop.create_future())
            self.world.daemon.partition.virtual_actors.chats.tell(
                ChatKey(of_workspace, chat), Flush(reply, number)
            )
            return await reply.sealed

        sealed = self.scene.ask(f"flush {name} {chat}", flushed)
        if isinstance(sealed, Sealed):
            demand(sealed.messages == wanted, f"I3: {sealed}, and {wanted} were collected")
            if wanted:
                self.planned.saw("flushed")
        self.scene.check_after_a_moment()
        tenant.flushing.clear()

    def _numbers(self, tenant: Tenant) -> tuple[int, int]:
        """Of its workspace, and its own."""
        view = self.world.daemon.partition.reads.workspace(tenant.home.name)
        return view.settings.number, view.named(tenant.webhook_id).webhook.number

    def retry(self, name: str, which: int) -> None:
        tenant, parcel = self._parcel(name, which)
        if tenant is None or parcel is None:
            return
        queued, may_send = parcel.number in tenant.queued, tenant.may_send()
        refused = queued and not may_send
        if not refused and not self.scene.full:
            tenant.not_before_ms = tenant.not_after_ms = 0
            if not queued:
                tenant.requeue(parcel)
            self.planned.saw("retried")
        now_ms = self.world.now_ms()
        transition = RetryDelivery(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            number=parcel.number,
            now_ms=now_ms,
            caller="t",
        )
        self.scene.do(transition, Conflict if refused else Retried)

    def retry_dead_letters(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        if tenant.dead_letters and not self.scene.full:
            tenant.not_before_ms = tenant.not_after_ms = 0
            for parcel in list(tenant.dead_letters.values()):
                tenant.requeue(parcel)
            self.planned.saw("retried")
        now_ms = self.world.now_ms()
        transition = RetryDeadLetters(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            now_ms=now_ms,
            caller="t",
        )
        self.scene.do(transition, Retried)

    def discard(self, name: str, which: int) -> None:
        tenant, parcel = self._parcel(name, which)
        if tenant is None or parcel is None:
            return
        flies = tenant.flight is not None and tenant.flight.parcel is parcel
        if not flies and not self.scene.full:
            tenant.queued.pop(parcel.number, None)
            tenant.dead_letters.pop(parcel.number, None)
            self.planned.saw("discarded")
        self.scene.discard(tenant, parcel.number, flies=flies)

    def delete_chat(self, name: str, chat: str) -> None:
        """Of all webhooks of the workspace."""
        home = self.model.homes.get(name.partition(".")[0])
        if home is None or not self.scene.healthy:
            return
        wanted = 0
        for tenant in home.tenants:
            window = tenant.windows.pop(chat, None)
            wanted += len(window.messages) if window else 0
            tenant.arrived.pop(chat, None)
            for parcels in (tenant.queued, tenant.dead_letters, tenant.resends, tenant.delivered):
                for number in [number for number, each in parcels.items() if each.chat == chat]:
                    del parcels[number]
                    self.planned.saw("chat deleted with deliveries")
            if tenant.flight and tenant.flight.parcel.chat == chat:
                tenant.flight.erased = True
        home.seen = {key: at_ms for key, at_ms in home.seen.items() if key[0] != chat}
        home.phones = {lid: phone for lid, phone in home.phones.items() if phone != chat}
        now_ms = self.world.now_ms()
        transition = DeleteChat(workspace_id=home.name, chat_id=chat, now_ms=now_ms, caller="t")
        deleted = self.scene.do(transition, ChatDeleted)
        demand(deleted.messages == wanted, f"I1: {deleted}, and {wanted} were collected")

    def delete_workspace(self, name: str) -> None:
        home = self.model.homes.get(name.partition(".")[0])
        if home is None or not self.scene.healthy:
            return
        tenants = list(home.tenants)
        wanted = WorkspaceDeleted(
            windows=sum(len(each.windows) for each in tenants),
            deliveries=sum(len(each.queued) + len(each.dead_letters) for each in tenants),
            messages=sum(each.held() for each in tenants),
        )
        if wanted.deliveries:
            self.planned.saw("workspace deleted with deliveries")
        for tenant in tenants:
            self.model.forget(tenant)
        del self.model.homes[home.name]
        now_ms = self.world.now_ms()
        transition = DeleteWorkspace(
            workspace_id=home.name, precondition=None, now_ms=now_ms, caller="t"
        )
        deleted = self.scene.do(transition, WorkspaceDeleted)
        demand(deleted == wanted, f"I1: {deleted}, not {wanted}")

    def test(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.healthy:
            return
        workspace_id, webhook_id = tenant.home.name, tenant.webhook_id
        daemon = self.world.daemon
        tests = TestRequests(
            daemon.partition.reads,
            daemon.partition.store_queue,
            daemon.client,
            daemon.clock,
            bytes,
            FairLimit("t", Term.CONNECTIONS, 8),
            daemon.traffic.rendering,
        )
        self.model.testing = True
        self.scene.ask(f"test {name}", lambda: tests.send_to(workspace_id, webhook_id))
        self.scene.check_after_a_moment()
        self.model.testing = False
        self.planned.saw("test request")

    def _parcel(self, name: str, which: int) -> tuple[Tenant | None, Parcel | None]:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return None, None
        waiting = [*tenant.queued.values(), *tenant.dead_letters.values()]
        return tenant, waiting[which % len(waiting)] if waiting else None
