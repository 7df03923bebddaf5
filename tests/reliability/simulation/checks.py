"""What must hold whenever nothing is left to do: the house held against the model, and itself."""

from hookbundle.storage.database import keyspace
from hookbundle.storage.maintenance.check import check
from hookbundle.storage.reads.lookup import Reads
from hookbundle.storage.tables import queue
from hookbundle.tests.folding import Fold, stored
from hookbundle.tests.reliability.simulation.model import LATE_MS, Model, demand
from hookbundle.tests.reliability.simulation.world import Committed, Happening, World

EVERY = 1_000_000
TOLD_MAX = 30  # mails and waits on their way; the windows of a moment are done with by now
QUIET_MS = 3_700_000  # by then the timer has looked, and everybody idle was let go


def check_order(model: Model, now_ms: int) -> None:
    """Nothing that should have happened by now has not (I6, I9)."""
    for tenant in model.tenants.values():
        demand(not any(tenant.closed.values()), f"I9: not sealed of {tenant.name}: {tenant.closed}")
        demand(not any(tenant.singles.values()), f"I1: {tenant.name} lost {tenant.singles}")
        for chat, window in tenant.windows.items():
            late_ms = now_ms - max(window.due_ms, model.excused_ms)
            demand(late_ms <= LATE_MS, f"I9: {chat} of {tenant.name} not sealed for {late_ms} ms")
        flight = tenant.flight
        if flight is None and tenant.may_send():
            head = tenant.pending[min(tenant.pending)]
            late_ms = now_ms - max(tenant.not_after_ms, head.sealed_ms, model.excused_ms)
            demand(late_ms <= LATE_MS, f"I6: {tenant.name} does not send, for {late_ms} ms")
        demand(
            flight is None or (flight.request is not None and not flight.request.answered),
            f"I6: nothing becomes of {flight}",
        )


def check_state(model: Model, reads: Reads) -> None:
    """Every message is where the model has it, and every count is the model's (I1, I3, I10)."""
    views = {view.settings.id: view for view in reads.workspaces(EVERY)}
    demand(views.keys() == model.tenants.keys(), f"I1: workspaces {sorted(views)}")
    for name, tenant in model.tenants.items():
        number, state = views[name].settings.number, views[name].state
        counted = state.enabled, state.consecutive_errors
        wanted = tenant.enabled, tenant.errors
        demand(counted == wanted, f"I10: {name} is {counted}, should be {wanted}")
        windows = {
            chat: (window.count, window.due_ms) for chat, window in reads.open_windows(name, EVERY)
        }
        collected = {
            chat: (len(window.messages), window.due_ms) for chat, window in tenant.windows.items()
        }
        demand(windows == collected, f"I3: {name} has windows {windows}, not {collected}")
        for prefix, parcels in (
            (keyspace.PENDING, tenant.pending),
            (keyspace.PARKED, tenant.parked),
        ):
            found = reads.deliveries(name, prefix, EVERY)
            ids = [queue.delivery_id(number, delivery) for delivery in found]
            expected = [parcels[each].id for each in sorted(parcels)]
            demand(ids == expected, f"I1: {name} has {prefix!r} {ids}, not {expected}")
            for delivery in found:
                model.check_body(tenant, parcels[delivery.number], delivery.body)


def check_database(world: World) -> None:
    """The product's own check finds nothing wrong."""
    with world.daemon.disk.read() as txn:
        found = list(check(txn))
    demand(not found, f"the database is not sound: {found}")


def check_bounds(model: Model, world: World, quiet_ms: int) -> None:
    """Nothing waits in memory, and nobody who is idle stays for long (I14)."""
    daemon = world.daemon
    demand(not daemon.door.waiting, "I14: transitions wait at the Store's door")
    told = daemon.timer_state.told
    demand(len(told) <= TOLD_MAX, f"I14: the timer remembers {told}")
    in_flight = sum(tenant.flight is not None for tenant in model.tenants.values())
    erased = sum(tenant.flight is not None for tenant in model.deleted)
    demand(daemon.traffic.in_flight == in_flight + erased, "I8: attempts nobody knows of")
    if quiet_ms > QUIET_MS and not in_flight + erased:
        residents = daemon.residents.chats.residents
        demand(not residents, f"I14: {residents} chats stay though nothing happens")


class FeedChecked:
    """I12: the feed is gapless, and what it tells comes to what is stored."""

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
        demand(self._fold.workspaces == found.workspaces, "I12: the feed tells of something else")
