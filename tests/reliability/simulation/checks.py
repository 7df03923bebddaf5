"""What must hold whenever the daemon is idle: its state matches the model's and is consistent."""

from hookbundle.storage.database import keyspace
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.tables import queue
from hookbundle.tests.folding import Fold, resends, stored
from hookbundle.tests.reliability.simulation.model import LATE_MS, Model, demand
from hookbundle.tests.reliability.simulation.rules.bodies import check_sealed
from hookbundle.tests.reliability.simulation.tenants import SEED
from hookbundle.tests.reliability.simulation.world import Committed, Happening, World

EVERY = 1_000_000
CLAIMED_MAX = 30  # mails and waits being handled; windows that were due are sealed by now
QUIET_MS = 21_700_000  # by then the timer has polled, and idle actors were passivated


def check_order(model: Model, now_ms: int, *, renders: bool, tight: bool) -> None:
    """Everything that was due has happened (I6, I9).

    `renders`: a body is being rendered, for which webhooks that have or had a format may wait.
    `tight`: intake is closed, and no body of a format is stored.
    """
    for tenant in model.tenants.values():
        demand(not tenant.to_set_aside, f"I7: {tenant.name} still has {tenant.to_set_aside}")
        expected = {chat: each for chat, each in tenant.expected.items() if each}
        demand(not expected, f"I9: not sealed of {tenant.name}: {expected}")
        demand(not tenant.merging, f"I6: {tenant.name} merges without an end")
        for chat, window in tenant.windows.items():
            late_ms = now_ms - max(window.due_ms, model.excused_ms)
            demand(late_ms <= LATE_MS, f"I9: {chat} of {tenant.name} not sealed for {late_ms} ms")
        flight = tenant.flight
        if flight is None and tenant.may_send() and not renders:
            waiting = tenant.waiting()
            head = waiting[min(waiting)]
            if tight and tenant.form is not SEED and not tenant.next()[0].attempted:
                continue
            latest_ms = max(tenant.not_after_ms, tenant.free_ms(), tenant.put_ms, head.sealed_ms)
            late_ms = now_ms - max(latest_ms, model.excused_ms)
            demand(late_ms <= LATE_MS, f"I6: {tenant.name} has not sent for {late_ms} ms")
        demand(
            flight is None or (flight.request is not None and not flight.request.answered),
            f"I6: {flight} has no outcome",
        )


def check_state(model: Model, world: World, *, thorough: bool) -> None:
    """Messages and counts are those of the model (I1, I3, I10).

    Not `thorough`: what waits only of workspaces that something was told of since the last check.
    """
    reads = world.daemon.partition.reads
    listing = Listing(world.daemon.disk, rows_most=EVERY, bytes_most=2**40)
    views = {
        view.settings.id
        if hook.webhook.id == OUTBOUND
        else f"{view.settings.id}.{hook.webhook.id}": (
            view.settings.id,
            hook,
        )
        for view in reads.workspaces(EVERY).found
        for hook in view.webhooks
    }
    demand(views.keys() == model.tenants.keys(), f"I1: webhooks {sorted(views)}")
    for name, tenant in model.tenants.items():
        workspace_id, hook = views[name]
        number, state = hook.webhook.number, hook.state
        counted = state.enabled, state.consecutive_errors, state.overflowed
        wanted = tenant.enabled, tenant.errors, tenant.overflowed
        demand(counted == wanted, f"I10: {name} is {counted}, should be {wanted}")
        if not thorough and workspace_id not in model.changed:
            continue
        windows = {
            window.chat_id: (window.messages, window.due_ms, window.why)
            for window in listing.windows(workspace_id, EVERY, webhook_ids=(hook.webhook.id,)).found
        }
        collected = {
            chat: (len(window.messages), window.due_ms, window.why)
            for chat, window in tenant.windows.items()
        }
        demand(windows == collected, f"I3: {name} has windows {windows}, not {collected}")
        again, resent = tenant.resends, resends(world.daemon.disk, number, state)
        demand(resent == [again[each].id for each in sorted(again)], f"I1: {name} resends {resent}")
        for prefix, parcels in (
            (keyspace.QUEUED, tenant.queued),
            (keyspace.DEAD_LETTERS, tenant.dead_letters),
        ):
            found = reads.deliveries(workspace_id, prefix, EVERY, webhook_id=hook.webhook.id)
            ids = [queue.delivery_id(number, delivery) for delivery in found]
            expected = [parcels[each].id for each in sorted(parcels)]
            demand(ids == expected, f"I1: {name} has {prefix!r} {ids}, not {expected}")
            for parcel in (parcels[delivery.number] for delivery in found):
                if thorough or not parcel.body:
                    body = reads.body(number, parcel.number)
                    check_sealed(model.texts, tenant, parcel, body)
        unrendered = [each for each in tenant.dead_letters.values() if each.unrendered]
        told = state.unrendered, state.unrendered_messages
        counts = len(unrendered), sum(len(each.members) for each in unrendered)
        demand(told == counts, f"I10: {name} has {told} not rendered, should be {counts}")
    model.changed.clear()


def check_database(world: World) -> None:
    """`hookbundle check` finds nothing wrong."""
    with world.daemon.disk.read() as txn:
        found = list(check(txn))
    demand(not found, f"the database is damaged: {found}")


def check_bounds(model: Model, world: World, quiet_ms: int) -> None:
    """No work is left in memory, and idle actors are passivated (I14)."""
    daemon = world.daemon
    demand(not daemon.partition.store_queue.waiting, "I14: the Store's queue is not empty")
    claimed = [key for each in daemon.partition.timer_state.claimed.values() for key in each]
    demand(len(claimed) <= CLAIMED_MAX, f"I14: the timer still claims {claimed}")
    in_flight = sum(tenant.flight is not None for tenant in model.tenants.values())
    erased = sum(tenant.flight is not None for tenant in model.deleted)
    demand(
        daemon.traffic.in_flight == in_flight + erased,
        "I8: unknown attempts in flight",
    )
    if quiet_ms > QUIET_MS and not in_flight + erased:
        active = daemon.partition.virtual_actors.chats.active_count
        demand(not active, f"I14: {active} idle chats are still active")


class FeedChecked:
    """I12: folding the events of the feed gives the stored state."""

    def __init__(self) -> None:
        self._fold = Fold()

    def hear(self, happenings: list[Happening]) -> None:
        for happening in happenings:
            if isinstance(happening, Committed):
                for fact in happening.facts:
                    self._fold.apply({name: getattr(fact, name) for name in fact.__struct_fields__})

    def check(self, world: World) -> None:
        found = stored(world.daemon.disk)
        demand(self._fold.totals == found.totals, f"I12: totals {self._fold.totals}")
        demand(self._fold.workspaces == found.workspaces, "I12: the feed and the database disagree")
