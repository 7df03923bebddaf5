"""Creates and changes workspaces, and enables and disables webhooks."""

from typing import Any

from hookbundle.engine.errors import Conflict
from hookbundle.storage.transitions.settings import (
    Changes,
    ChangeWorkspace,
    WorkspaceChanged,
)
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated
from hookbundle.tests.reliability.simulation.scene import SECRET, Scene
from hookbundle.tests.reliability.simulation.tenants import Tenant
from hookbundle.tests.reliability.simulation.virtual_time import HOUR_MS

LENGTHS_MS = {"now": 0, "short": 90_000, "long": 6 * HOUR_MS}


class Settings:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned
        self._made = 0

    def make(self, name: str) -> None:
        if name in self.model.tenants or not self.scene.takes_settings:
            return
        self._made += 1
        length_ms = LENGTHS_MS[name]
        tenant = Tenant(name, f"https://receiver.example/{name}/{self._made}", length_ms)
        self.model.tenants[name] = tenant
        owner = f"owner@{name}"
        self._change(tenant, url=tenant.url, aggregation_ms=length_ms, owner_email=owner)

    def make_all(self) -> None:
        for name in LENGTHS_MS:
            self.make(name)

    def enable_all(self) -> None:
        for name in LENGTHS_MS:
            self.enable(name)

    def set_length(self, name: str, length_ms: int) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or tenant.length_ms == length_ms:
            return
        tenant.length_ms = length_ms
        now_ms = self.world.now_ms()
        for chat, window in list(tenant.windows.items()):
            window.due_ms = window.opened_ms + length_ms
            self.planned.saw("retimed")
            if not length_ms or window.due_ms <= now_ms:
                tenant.close(chat)
        self._change(tenant, aggregation_ms=length_ms)

    def move_receiver(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings:
            return
        self._made += 1
        tenant.url = f"https://receiver.example/{name}/{self._made}"
        tenant.start_over(moved=True)
        self._change(tenant, url=tenant.url)

    def enable(self, name: str, *, discard: bool = False) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        if not self.scene.full:
            if discard:
                flying = tenant.flight.parcel.number if tenant.flight else 0
                tenant.dead_letters.clear()
                tenant.queued = {n: p for n, p in tenant.queued.items() if n == flying}
                tenant.resends = {n: p for n, p in tenant.resends.items() if n == flying}
                tenant.job = None
            tenant.start_over()
            tenant.enabled = True
        transition = EnableWebhook(
            workspace_id=name, discard=discard, now_ms=self.world.now_ms(), caller="t"
        )
        self.scene.do(transition, Switched)

    def disable(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        if not self.scene.full and tenant.enabled:
            tenant.enabled, tenant.disabled_ms = False, self.world.now_ms()
        now_ms = self.world.now_ms()
        self.scene.do(DisableWebhook(workspace_id=name, now_ms=now_ms, caller="t"), Switched)

    def rotate(self, name: str) -> None:
        if name not in self.model.tenants:
            return
        now_ms = self.world.now_ms()
        transition = RotateSecret(
            workspace_id=name,
            new_secret=SECRET,
            keep_until_ms=now_ms + HOUR_MS,
            now_ms=now_ms,
            caller="t",
        )
        self.scene.do(transition, SecretRotated, or_else=Conflict)

    def _change(self, tenant: Tenant, **changes: Any) -> None:
        transition = ChangeWorkspace(
            workspace_id=tenant.name,
            changes=Changes(**changes),
            precondition=None,
            may_create=True,
            new_secret=SECRET,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(transition, WorkspaceChanged)
