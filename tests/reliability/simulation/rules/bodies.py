"""What the model says of bodies: as they are sealed, as they are sent, and those never made."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from hookbundle.storage.reads.feed import FeedEvent
from hookbundle.tests.reliability.simulation.repeating import demand, number_of
from hookbundle.tests.reliability.simulation.tenants import SEED, Parcel, Tenant

NO_RECORD = "no_record"
OF_RECEIVERS = (
    "not rendered",
    "skipped",
    "crash while rendering",
    "format changed while rendering",
    "taken by its status",
    "refused by its answer",
)


@dataclass(slots=True)
class BodyTexts:
    """Of all messages: `sent`: id -> the text; `owner_of`: id -> the workspace."""

    sent: dict[str, str] = field(default_factory=dict)
    owner_of: dict[str, str] = field(default_factory=dict)


def first_sent(tenant: Tenant, parcel: Parcel) -> None:
    """An attempt begins. With the first one it is settled for ever what is sent."""
    if parcel.attempted:
        return
    parcel.attempted, parcel.form = True, tenant.form
    fails = parcel.form.skips or len(parcel.members) > parcel.form.most
    demand(not fails, f"I2: {parcel.id} is sent, and {parcel.form} can't be made of it")
    if tenant.job:
        tenant.job.unrendered.discard(parcel.number)


def check_sent(texts: BodyTexts, tenant: Tenant, parcel: Parcel, body: bytes) -> None:
    """What leaves is of the format of the first attempt, and the same at each."""
    if parcel.sent:
        demand(parcel.sent == body, f"I4: {parcel.id} has another body than before")
        return
    parcel.sent = body
    if parcel.form is SEED:
        check_sealed(texts, tenant, parcel, body)
        return
    found, wanted = parcel.form.reads(body), tuple(texts.sent[id_] for id_ in parcel.ids)
    demand(found == wanted, f"I3: {parcel.id} has {found} in {body!r}, not {wanted}")
    demand({texts.owner_of[id_] for id_ in parcel.ids} == {tenant.home.name}, f"I13: {found}")


def check_sealed(texts: BodyTexts, tenant: Tenant, parcel: Parcel, body: bytes) -> None:
    if parcel.body:
        demand(parcel.body == body, f"I4: {parcel.id} has another body than before")
        return
    parcel.body = body
    content: dict[str, Any] = msgspec.json.decode(body)
    messages = content["messages"] if parcel.bundle else [content["message"]]
    found = tuple(message["message_id"] for message in messages)
    demand(found == parcel.ids, f"I3: {parcel.id} has {found}, not {parcel.ids}")
    demand(content["chat"]["chat_id"] == parcel.chat, f"I2: {parcel.id} is of another chat")
    for message in messages:
        text = texts.sent.get(message["message_id"])
        demand(message["text"] == text, f"I2: {message} has another text than was sent")
        demand(texts.owner_of[message["message_id"]] == tenant.home.name, f"I13: {message}")


def not_rendered(tenant: Tenant, fact: FeedEvent) -> list[str]:
    """It is a dead letter, of which the receiver knows nothing: no error counts."""
    parcel, data = _next(tenant, fact), fact.data
    demand(len(parcel.members) > tenant.form.most, f"I1: {parcel.id} can be rendered: {data}")
    demand(data["messages"] == len(parcel.members), f"I10: {data}, of {parcel.members}")
    del tenant.queued[parcel.number]
    tenant.dead_letters[parcel.number] = parcel
    parcel.unrendered = True
    return ["not rendered"]


def discarded(tenant: Tenant, fact: FeedEvent) -> list[str]:
    """Of one that its format skips; the model does by itself what a person asks for."""
    if fact.data["reason"] != NO_RECORD:
        return []
    parcel = _next(tenant, fact)
    demand(tenant.form.skips, f"I1: {parcel.id} was skipped, with {tenant.form}")
    del tenant.queued[parcel.number]
    return ["skipped"]


def _next(tenant: Tenant, fact: FeedEvent) -> Parcel:
    """The delivery that the fact is of: the one whose turn it is, and was never sent."""
    id_ = fact.data["delivery"]
    demand(tenant.may_send() and not tenant.flight, f"I8: {id_} was not to be rendered")
    parcel, _ = tenant.next()
    demand(parcel.number == number_of(tenant, id_), f"I7: {id_} before {parcel.id}")
    demand(not parcel.attempted, f"I4: {id_} was sent, and is rendered anew")
    return parcel


HEARD_OF_FORMATS = {"delivery.not_rendered": not_rendered, "delivery.discarded": discarded}
