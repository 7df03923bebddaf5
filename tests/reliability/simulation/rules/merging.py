"""Merges in the model: which deliveries may become one, and what it then holds."""

from hookbundle.engine.messages.timestamps import parse_ms
from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.reliability.simulation.repeating import demand
from hookbundle.tests.reliability.simulation.tenants import Parcel, Tenant


def merging(tenant: Tenant, fact: FeedEvent) -> None:
    tenant.merging = True


def merged(tenant: Tenant, fact: FeedEvent) -> None:
    """A merge is over. A step of it that is done is not said to be a step."""
    demand(tenant.merging, f"I2: a merge is over that never began: {fact.data}")
    tenant.merging, tenant.put_ms = False, parse_ms(fact.time)


def delivery_merged(tenant: Tenant, fact: FeedEvent) -> None:
    """The new one stands where the oldest stood, with the messages in the order of a bundle."""
    by_id = {parcel.id: parcel for parcel in tenant.queued.values()}
    data = fact.data
    demand(tenant.merging, f"I2: merged without a merge: {data}")
    demand(set(data["merged"]) <= by_id.keys(), f"I2: merged, and not queued: {data}")
    old = [by_id[id_] for id_ in data["merged"]]
    numbers = [each.number for each in old]
    demand(numbers == sorted(numbers) and len(old) > 1, f"I7: merged out of order: {data}")
    demand(not any(each.attempted for each in old), f"I4: merged what was sent: {data}")
    demand({each.chat for each in old} == {fact.chat}, f"I13: merged of several chats: {data}")
    between = [
        each.id
        for number, each in tenant.queued.items()
        if each.chat == fact.chat and numbers[0] < number < numbers[-1] and each not in old
    ]
    demand(not between, f"I7: merged past {between}: {data}")
    members = sorted((member for each in old for member in each.members), key=_sent)
    demand(len(members) <= tenant.most, f"I3: a merge of {len(members)} messages: {data}")
    demand(data["messages"] == len(members), f"I3: {data} should hold {len(members)} messages")
    for number in numbers:
        del tenant.queued[number]
    at_ms = old[0].sealed_ms
    into = Parcel(data["delivery"], numbers[0], fact.chat, tuple(members), True, at_ms)
    tenant.queued[into.number] = into


def _sent(member: tuple[int, str]) -> int:
    return member[0]


HEARD_OF_MERGES = {
    "webhook.merging": merging,
    "webhook.merged": merged,
    "delivery.merged": delivery_merged,
}
