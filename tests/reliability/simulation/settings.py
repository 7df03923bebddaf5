"""Creates and changes workspaces, and enables and disables webhooks."""

from typing import Any

from hookbundle.engine.errors import Conflict
from hookbundle.engine.windows.parsing import written
from hookbundle.storage.transitions.settings import (
    Changes,
    ChangeWorkspace,
    WorkspaceChanged,
)
from hookbundle.storage.transitions.switching import DisableWebhook, EnableWebhook, Switched
from hookbundle.storage.transitions.webhooks.changing import WebhookChanges
from hookbundle.storage.transitions.webhooks.lifetime import (
    ChangeWebhook,
    DeleteWebhook,
    WebhookChanged,
    WebhookDeleted,
)
from hookbundle.storage.transitions.webhooks.merging import MergeBegun, MergeWebhook
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated
from hookbundle.tests.reliability.simulation.model import demand
from hookbundle.tests.reliability.simulation.rules.forms import FORMS, Form
from hookbundle.tests.reliability.simulation.rules.takes import TAKES, Takes
from hookbundle.tests.reliability.simulation.rules.taking import retime
from hookbundle.tests.reliability.simulation.rules.written import (
    FILTERS,
    WINDOWS,
    Filter,
    Windows,
    of_length,
)
from hookbundle.tests.reliability.simulation.scene import SECRET, Scene
from hookbundle.tests.reliability.simulation.tenants import SEED, Home, Tenant
from hookbundle.tests.reliability.simulation.virtual_time import HOUR_MS

LENGTHS_MS = {"now": 0, "short": 90_000, "long": 6 * HOUR_MS}
SEVERAL = {  # webhooks of one workspace: their windows and filters, by names of written.py
    "setup": ("hour", "all"),
    "setup.crm": ("quiet, first", "c"),
    "setup.dwh": ("rules", "no red"),
}
FORM_OF = {"now": "slack", "setup.crm": "text"}
TAKES_OF = {"short": "ok without errors", "setup.dwh": "2xx"}
NAMES = (*LENGTHS_MS, *SEVERAL)
FEW, BUDGET = 3, 20  # messages of a bundle of `setup`, and requests a day of `setup.crm`


class Settings:
    """`plain`: each webhook is made without a format, and takes status 200 for a success."""

    def __init__(self, scene: Scene, *, plain: bool = True) -> None:
        self.scene = scene
        self.plain = plain
        self.world = scene.world
        self.model = scene.model
        self.planned = scene.planned
        self._made = 0

    def make(self, name: str) -> None:
        """Makes the webhook, and with `outbound` its workspace."""
        workspace_id = name.partition(".")[0]
        if name in self.model.tenants or not self.scene.takes_settings:
            return
        if workspace_id != name:
            self.make(workspace_id)
        window, kept = SEVERAL.get(name, ("", "all"))
        windows = WINDOWS[window] if window else of_length(LENGTHS_MS[name])
        home = self.model.homes.setdefault(workspace_id, Home(workspace_id))
        tenant = self.new_tenant(name, home, windows, FILTERS[kept])
        if not self.plain:
            tenant.form = FORMS[FORM_OF.get(name, "seed")]
            tenant.takes = TAKES[TAKES_OF.get(name, "200")]
        changes = {**self._of_form(tenant.form), **tenant.takes.written}
        if name == "setup":
            tenant.most = changes["messages_max"] = FEW
        elif name == "setup.crm":
            tenant.day.budget = changes["budget"] = BUDGET
        self.create(tenant, **changes)

    def new_tenant(self, name: str, home: Home, windows: Windows, kept: Filter) -> Tenant:
        self._made += 1
        url = f"https://receiver.example/{name}/{self._made}"
        tenant = Tenant(name, home, url, windows, kept)
        self.model.tenants[name] = tenant
        home.tenants.append(tenant)
        return tenant

    def create(self, tenant: Tenant, **changes: Any) -> None:
        owner = {} if "." in tenant.name else {"owner_email": f"owner@{tenant.home.name}"}
        changes = {**changes, **self._of_windows(tenant.windows_by), **owner}
        self.change(tenant, url=tenant.url, filter=tenant.filter.written, **changes)

    def make_all(self) -> None:
        for name in NAMES:
            self.make(name)

    def drop(self, name: str) -> None:
        """The webhook, which is not the only one, is deleted."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.healthy or len(tenant.home.tenants) == 1:
            return
        wanted = WebhookDeleted(
            windows=len(tenant.windows),
            deliveries=len(tenant.queued) + len(tenant.dead_letters),
            messages=tenant.held() + sum(len(each.ids) for each in tenant.dead_letters.values()),
        )
        self.model.forget(tenant)
        if wanted.messages:
            self.planned.saw("webhook deleted with messages")
        delete = DeleteWebhook(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            precondition=None,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        deleted = self.scene.do(delete, WebhookDeleted)
        demand(deleted == wanted, f"I1: {deleted}, not {wanted}")

    def enable_all(self) -> None:
        for name in list(self.model.tenants):
            self.set_budget(name, 0)
            self.set_form(name, SEED)
            self.enable(name)

    def set_length(self, name: str, length_ms: int) -> None:
        self.set_windows(name, of_length(length_ms))

    def set_windows(self, name: str, windows: Windows) -> None:
        """Open windows follow the new setting."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or tenant.windows_by == windows:
            return
        tenant.windows_by = windows
        self.model.seen += retime(tenant, self.world.now_ms())
        self.change(tenant, **self._of_windows(windows))

    def set_zone(self, workspace_id: str, zone: str) -> None:
        """Windows that end by the workspace's clock follow it, and so does the day of budgets."""
        home = self.model.homes.get(workspace_id)
        if home is None or not self.scene.takes_settings or home.zone == zone:
            return
        home.zone, now_ms = zone, self.world.now_ms()
        for tenant in home.tenants:
            tenant.put_ms = now_ms
            if tenant.windows_by.uses_workspace_zone:
                self.model.seen += retime(tenant, now_ms)
        self.planned.saw("zone changed")
        self._submit(home.name, Changes(time_zone=zone))

    def set_filter(self, name: str, kept: Filter) -> None:
        """What is in windows already stays there."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or tenant.filter == kept:
            return
        tenant.filter = kept
        self.change(tenant, filter=kept.written)

    def set_form(self, name: str, form: Form) -> None:
        """What could not be rendered is queued again, and that over which its receiver fails."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or tenant.form == form:
            return
        tenant.form = form
        for parcel in list(tenant.dead_letters.values()):
            if parcel.unrendered or parcel.fails:
                tenant.requeue(parcel)
        self.change(tenant, **self._of_form(form))

    def set_takes(self, name: str, takes: Takes) -> None:
        """An attempt under way is judged as it was when it began."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or tenant.takes == takes:
            return
        tenant.takes = takes
        self.change(tenant, **takes.written)

    def set_budget(self, name: str, budget: int) -> None:
        """What was used of the day stays used."""
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings or tenant.day.budget == budget:
            return
        tenant.put_ms = now_ms = self.world.now_ms()
        tenant.day.begin(tenant.home.zone, now_ms)
        tenant.day.budget = budget
        self.change(tenant, budget=budget)

    def merge(self, name: str) -> None:
        """What waits and was never attempted becomes one a chat."""
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        merge = MergeWebhook(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(merge, MergeBegun, or_else=Conflict)

    def move_receiver(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None or not self.scene.takes_settings:
            return
        self._made += 1
        tenant.url = f"https://receiver.example/{name}/{self._made}"
        tenant.start_over(moved=True)
        self.change(tenant, url=tenant.url)

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
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            discard=discard,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(transition, Switched)

    def disable(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        if not self.scene.full and tenant.enabled:
            tenant.enabled, tenant.disabled_ms = False, self.world.now_ms()
        transition = DisableWebhook(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(transition, Switched)

    def rotate(self, name: str) -> None:
        tenant = self.model.tenants.get(name)
        if tenant is None:
            return
        now_ms = self.world.now_ms()
        transition = RotateSecret(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            new_secret=SECRET,
            keep_until_ms=now_ms + HOUR_MS,
            now_ms=now_ms,
            caller="t",
        )
        self.scene.do(transition, SecretRotated, or_else=Conflict)

    def change(self, tenant: Tenant, **changes: Any) -> None:
        if tenant.webhook_id == "outbound":
            self._submit(tenant.home.name, Changes(**changes))
            return
        transition = ChangeWebhook(
            workspace_id=tenant.home.name,
            webhook_id=tenant.webhook_id,
            changes=WebhookChanges(**changes),
            precondition=None,
            may_create=True,
            new_secret=SECRET,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(transition, WebhookChanged)

    def _submit(self, workspace_id: str, changes: Changes) -> None:
        transition = ChangeWorkspace(
            workspace_id=workspace_id,
            changes=changes,
            precondition=None,
            may_create=True,
            new_secret=SECRET,
            now_ms=self.world.now_ms(),
            caller="t",
        )
        self.scene.do(transition, WorkspaceChanged)

    def _of_form(self, form: Form) -> dict[str, Any]:
        return {"format": form.parsed.format, "format_options": form.parsed.options}

    def _of_windows(self, windows: Windows) -> dict[str, Any]:
        if windows.value is None:
            return {"aggregation_ms": windows.length_ms}
        return {"window": written(windows.value)}
