"""Resends and replays in the model: what a workspace's facts of them must be."""

from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.reliability.simulation.tenants import Job, Parcel, Tenant

DAY_MS = 86_400_000


class Forgotten(AssertionError):
    """The daemon has queued, or taken back, what it must not, or not what it must."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise Forgotten(what)


def number_of(tenant: Tenant, delivery_id: str) -> int:
    """Where it stands: a merged one has another number in its id."""
    found = (parcel.number for parcel in tenant.parcels() if parcel.id == delivery_id)
    return next(found, int(delivery_id[-12:], 16))


def resend_asked(tenant: Tenant, fact: FeedEvent) -> None:
    parcel = tenant.delivered[number_of(tenant, fact.data["delivery"])]
    _resend(tenant, parcel)
    tenant.put_ms = parse_ms(fact.time)


def resend_ended(tenant: Tenant, fact: FeedEvent) -> None:
    """A person gave up one, or all; of a deleted chat nothing is left in the model."""
    if "delivery" in fact.data:
        ended = tenant.resends.pop(number_of(tenant, fact.data["delivery"]), None)
        demand(ended or fact.data["reason"] == "chat deleted", f"I7: none to end: {fact.data}")


def replay_started(tenant: Tenant, fact: FeedEvent) -> None:
    demand(tenant.job is None and tenant.asked, f"I2: a replay without a command: {fact.data}")
    states, chat = tenant.asked or ((), "")
    tenant.asked = None
    since_ms = parse_ms(fact.time) - DAY_MS
    of_state = {"dead_letter": tenant.dead_letters, "delivered": tenant.delivered}
    meant = [
        parcel
        for state in states
        for parcel in of_state[state].values()
        if parcel.sealed_ms >= since_ms and chat in ("", parcel.chat)
    ]
    numbers = sorted(each.number for each in meant if each.number not in tenant.resends)
    tenant.job, tenant.put_ms = Job(numbers), parse_ms(fact.time)


def replay_queued(tenant: Tenant, fact: FeedEvent) -> None:
    """In the order of their numbers, each once, and none is forgotten."""
    job = tenant.job
    demand(job is not None, f"I2: queued without a replay: {fact.data}")
    assert job is not None
    ids = [*fact.data["dead_letters"], *fact.data["resends"]]
    for number in sorted(number_of(tenant, id_) for id_ in ids):
        demand(tenant.next_to_put() == number, f"I7: {number} before {tenant.next_to_put()}")
        if number in tenant.dead_letters:
            job.fails |= {number} if tenant.dead_letters[number].fails else set()
            job.unrendered |= {number} if tenant.dead_letters[number].unrendered else set()
            tenant.requeue(tenant.dead_letters[number])
        else:
            _resend(tenant, tenant.delivered[number])
        job.to_put = [each for each in job.to_put if each > number]
        job.put.add(number)
    tenant.put_ms = parse_ms(fact.time)


def replay_taken_back(tenant: Tenant, fact: FeedEvent) -> None:
    job = tenant.job
    demand(job is not None, f"I2: taken back without a replay: {fact.data}")
    assert job is not None
    flying = tenant.flight.parcel.number if tenant.flight else 0
    for each in fact.data["dead_letters"]:
        number = number_of(tenant, each)
        demand(number in job.put and number != flying, f"I8: {each} is not to be taken back")
        tenant.dead_letters[number] = tenant.queued.pop(number)
        tenant.dead_letters[number].fails = number in job.fails
        tenant.dead_letters[number].unrendered = number in job.unrendered
        job.put.discard(number)
    for each in fact.data["resends"]:
        number = number_of(tenant, each)
        demand(number in job.put and number != flying, f"I8: {each} is not to be taken back")
        del tenant.resends[number]
        job.put.discard(number)


def replay_ended(tenant: Tenant, fact: FeedEvent) -> None:
    """Nothing of it waits, but what was being sent when it was cancelled."""
    job = tenant.job
    if job is None:
        return  # all that was held was discarded
    flying = tenant.flight.parcel.number if tenant.flight else 0
    waiting = [n for n in job.put if n in tenant.queued or n in tenant.resends]
    if fact.data["outcome"] == "done":
        demand(not waiting and tenant.next_to_put() is None, f"I6: {fact.data}, but {waiting}")
    else:
        demand(set(waiting) <= {flying}, f"I6: {fact.data}, but {waiting} wait")
    tenant.job, tenant.put_ms = None, parse_ms(fact.time)


HEARD = {
    "delivery.resend_asked": resend_asked,
    "delivery.resend_ended": resend_ended,
    "replay.started": replay_started,
    "replay.queued": replay_queued,
    "replay.taken_back": replay_taken_back,
    "replay.ended": replay_ended,
}


def _resend(tenant: Tenant, parcel: Parcel) -> None:
    demand(parcel.number not in tenant.resends, f"I8: {parcel.id} is resent twice at once")
    parcel.begin_anew()
    tenant.resends[parcel.number] = parcel
