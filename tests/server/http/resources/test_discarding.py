"""Deliveries discarded over the API: never sent, and their reason on record."""

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, event
from hookbundle.tests.server.http.resources.rejecting import DELIVERIES, in_flight, listed, rejected


@pytest.mark.parametrize("state", ["queued", "dead_letter"])
async def test_a_discarded_delivery_is_not_sent_and_its_reason_is_on_record(
    hasty: System, receiver: HookReceiver, state: str
) -> None:
    if state == "dead_letter":
        await rejected(hasty, receiver, "m1")
    await hasty.switch("acme", "disable")
    await hasty.accept("acme", event("m1"))
    (delivery,) = await listed(hasty, f"?state={state}")

    answer = await hasty.ask("DELETE", f"{DELIVERIES}/{delivery['id']}?reason=left%20us")

    assert answer.document == {
        "id": delivery["id"],
        "chat_id": "10010001",
        "messages": 1,
        "was": state,
    }
    await hasty.facts.until("delivery.discarded", delivery=delivery["id"], reason="left us")
    newest = (await hasty.get("/v1/workspaces/acme/activity"))[0]
    assert (newest["action"], newest["detail"][:8]) == ("discarded", "left us,")
    assert await listed(hasty, f"?state={state}") == []


async def test_a_delivery_that_is_being_sent_is_not_discarded(
    system: System, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(system, receiver)

    refused = await system.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=x")

    assert refused.status == 409
    answer.set()
    await system.facts.until("delivery.delivered", delivery=delivery)


@pytest.mark.parametrize("query", ["", "?reason=", "?reason=%20", "?reason=" + "x" * 2_000])
async def test_a_discard_wants_a_reason(system: System, query: str) -> None:
    await system.switch("acme", "disable")
    await system.accept("acme", event("m1"))
    (delivery,) = await listed(system)

    refused = await system.ask("DELETE", f"{DELIVERIES}/{delivery['id']}{query}")

    assert refused.status == 422
    assert len(await listed(system)) == 1


async def test_the_next_delivery_is_sent_after_its_forerunner_was_discarded(
    system: System, receiver: HookReceiver
) -> None:
    receiver.answers(500, 200)
    await system.accept("acme", event("m1"), event("m2"))
    (failed,) = await system.facts.until("delivery.failed")
    delivery = failed["data"]["delivery"]

    await system.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=x")
    system.clock.move(HOUR_MS)

    (delivered,) = await system.facts.until("delivery.delivered")
    assert delivered["data"]["delivery"] != delivery
