"""What an answer does to a workspace and its delivery, as the documentation says."""

from hookbundle.engine.delivery.outcomes import ErrorClass
from hookbundle.tests.reliability.simulation.peers import Request
from hookbundle.tests.reliability.simulation.tenants import Flight, Tenant

STEPS_S = (5, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800)
HOUR_MS = 3_600_000
ERRORS_MAX = 10
REJECTIONS_MAX = 3
OWN_FAULTS_MAX = 3
STOOD_STILL_MS = 1_000
SEEN = {
    "dead_lettered": ("dead letter",),
    "unknown": ("stood still",),
    "resend_failed": ("resend failed",),
}


def rare(flight: Flight, request: Request) -> list[str]:
    """What was seen of an answer that means something else than by its status alone."""
    manner = request.manner
    is_taken = flight.takes.verdict(manner.status, manner.answer) == "delivered"
    if is_taken == (manner.status == 200):
        return []
    return ["taken by its status" if is_taken else "refused by its answer"]


def judge(tenant: Tenant, flight: Flight, request: Request, at_ms: int) -> str:
    """The outcome that the answer must have; deliveries, counts and wait are updated."""
    parcel, manner, counts = flight.parcel, request.manner, not flight.reset
    stalled = request.stalled_ms >= STOOD_STILL_MS
    ours = stalled and manner.error is ErrorClass.TIMEOUT_TOTAL
    forgiven = ours and (flight.reset or tenant.own_faults < OWN_FAULTS_MAX)
    if counts:
        tenant.own_faults = min(tenant.own_faults + 1, OWN_FAULTS_MAX) if ours else 0
    if forgiven:
        if counts:
            _wait(tenant, at_ms, tenant.own_faults, 0)
        return "unknown"
    is_resend = parcel.number in tenant.resends
    verdict = flight.takes.verdict(manner.status, manner.answer)
    if verdict == "delivered":
        (tenant.resends if is_resend else tenant.queued).pop(parcel.number)
        tenant.delivered[parcel.number] = parcel
        if counts:
            tenant.errors = 0
            _answer(tenant, flight, delivered=True)
        return "resent" if is_resend else "delivered"
    if counts:
        tenant.errors += 1
        parcel.rejections += verdict == "rejected"
        if flight.instead_of is None:
            parcel.server_errors = parcel.server_errors + 1 if manner.status == 500 else 0
        asked_ms = min(int(manner.retry_after or 0) * 1_000, HOUR_MS)
        _wait(tenant, at_ms, tenant.errors, asked_ms)
    outcome = "failed"
    if parcel.rejections >= REJECTIONS_MAX and is_resend:
        del tenant.resends[parcel.number]
        outcome = "resend_failed"
    elif parcel.rejections >= REJECTIONS_MAX:
        tenant.dead_letters[parcel.number] = tenant.queued.pop(parcel.number)
        outcome = "dead_lettered"
    if counts:
        _answer(tenant, flight, delivered=False)
    if tenant.enabled and tenant.errors > ERRORS_MAX:
        tenant.enabled, tenant.disabled_ms = False, at_ms
    return outcome


def _answer(tenant: Tenant, flight: Flight, *, delivered: bool) -> None:
    """Whether the head makes its receiver fail, if the next one was sent instead of it."""
    head = flight.instead_of
    if head is None or tenant.waiting().get(head.number) is not head:
        return  # it was discarded meanwhile
    if delivered:
        tenant.to_set_aside = head
    else:
        head.compared = True


def _wait(tenant: Tenant, at_ms: int, step: int, asked_ms: int) -> None:
    step_ms = STEPS_S[min(step, len(STEPS_S)) - 1] * 1_000
    tenant.not_before_ms = at_ms + max(step_ms * 9 // 10 - 1, asked_ms)
    tenant.not_after_ms = at_ms + max(step_ms * 11 // 10 + 1, asked_ms)
