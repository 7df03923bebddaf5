"""Deliveries over the API, on a real daemon with a receiver that says no, or nothing yet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import HOUR_MS, House, event, living, receiving

DELIVERIES = "/v1/workspaces/acme/deliveries"
AT_ONCE = BackoffPolicy(steps_ms=(1,) * 10)


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def house(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[House]:
    async with living(tmp_path) as house:
        await house.make("acme", receiver)
        yield house


@pytest.fixture
async def hasty(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[House]:
    """A house that tries again at once, so that three rejections are soon together."""
    async with living(tmp_path, policy=AT_ONCE) as house:
        await house.make("acme", receiver)
        yield house


async def listed(house: House, query: str = "") -> list[Any]:
    found: list[Any] = (await house.get(f"{DELIVERIES}{query}"))["deliveries"]
    return found


async def rejected(house: House, receiver: HookReceiver, *message_ids: str) -> list[str]:
    """The ids of the deliveries, rejected until they were parked."""
    receiver.answers(404)
    await house.accept("acme", *(event(message_id) for message_id in message_ids))
    parked = await house.facts.until("delivery.parked", len(message_ids))
    return [fact["data"]["delivery"] for fact in parked]


async def in_flight(house: House, receiver: HookReceiver) -> tuple[str, asyncio.Event]:
    """A delivery that is being sent, and what lets its answer out."""
    answer = asyncio.Event()
    receiver.answers(Answer(after=answer), 200)
    await house.accept("acme", event("m1"))
    (post,) = await receiver.until(1)
    return post.id, answer


# ---- shown


async def test_pending_and_parked_deliveries_are_listed_without_their_bodies(
    hasty: House, receiver: HookReceiver
) -> None:
    (parked,) = await rejected(hasty, receiver, "m1")
    await hasty.switch("acme", "disable")
    await hasty.accept("acme", event("m2"))

    first, second = await listed(hasty)

    assert (first["id"], first["state"], first["attempts"]) == (parked, "parked", 3)
    assert (first["rejections"], first["last_error"]) == (3, "status 404")
    assert (second["state"], second["attempts"], second["kind"]) == ("pending", 0, "message")
    assert not {"body"} & (first.keys() | second.keys())
    assert [one["id"] for one in await listed(hasty, "?state=parked")] == [parked]
    assert [one["id"] for one in await listed(hasty, "?state=pending")] == [second["id"]]


async def test_pages_of_deliveries_end_where_the_next_one_begins(house: House) -> None:
    await house.switch("acme", "disable")
    await house.accept("acme", *(event(f"m{n}") for n in range(3)))

    first = await house.get(f"{DELIVERIES}?limit=2")
    second = await house.get(f"{DELIVERIES}?limit=2&cursor={first['cursor']}")

    ids = [one["id"] for one in first["deliveries"] + second["deliveries"]]
    assert (len(ids), len(set(ids)), second["cursor"]) == (3, 3, None)


@pytest.mark.parametrize("query", ["state=gone", "limit=0", "cursor=%2A"])
async def test_a_list_is_not_asked_for_in_words_it_does_not_know(house: House, query: str) -> None:
    assert (await house.ask("GET", f"{DELIVERIES}?{query}")).status == 422


async def test_a_delivery_is_shown_with_the_bytes_that_are_sent(
    house: House, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(house, receiver)

    shown = await house.get(f"{DELIVERIES}/{delivery}")

    assert shown["body"].encode() == receiver.posts[0].body
    assert (shown["state"], shown["in_flight"]) == ("pending", True)
    answer.set()


async def test_a_delivery_is_found_by_its_id_alone(house: House, receiver: HookReceiver) -> None:
    delivery, answer = await in_flight(house, receiver)

    shown = await house.get(f"/v1/deliveries/{delivery}")

    assert (shown["workspace"], shown["id"]) == ("acme", delivery)
    answer.set()


async def test_a_delivery_says_when_it_is_tried_next(house: House, receiver: HookReceiver) -> None:
    receiver.answers(500)
    await house.accept("acme", event("m1"))
    await house.facts.until("delivery.failed")

    (delivery,) = await listed(house)

    assert delivery["next_attempt_at"] == (await house.hook())["next_attempt_at"]
    assert not delivery["in_flight"]


async def test_what_was_delivered_is_not_waiting_any_more(
    house: House, receiver: HookReceiver
) -> None:
    await house.accept("acme", event("m1"))
    (fact,) = await house.facts.until("delivery.delivered")
    delivery = fact["data"]["delivery"]

    for method, path in (
        ("GET", f"/v1/deliveries/{delivery}"),
        ("GET", f"{DELIVERIES}/{delivery}"),
        ("POST", f"{DELIVERIES}/{delivery}/retry"),
        ("DELETE", f"{DELIVERIES}/{delivery}?reason=x"),
    ):
        assert (await house.ask(method, path)).status == 404


async def test_a_delivery_of_another_workspace_is_not_found(
    house: House, receiver: HookReceiver
) -> None:
    await house.make("other", receiver, "other")
    await house.switch("acme", "disable")
    await house.accept("acme", event("m1"))
    (delivery,) = await listed(house)
    theirs = f"/v1/workspaces/other/deliveries/{delivery['id']}"

    assert (await house.ask("GET", theirs)).status == 404
    assert (await house.ask("POST", f"{theirs}/retry")).status == 404
    assert (await house.ask("DELETE", f"{theirs}?reason=x")).status == 404


# ---- retry


async def test_a_parked_delivery_is_sent_again_with_its_id_and_its_bytes(
    hasty: House, receiver: HookReceiver
) -> None:
    (parked,) = await rejected(hasty, receiver, "m1")
    receiver.answers(200)

    retried = await hasty.ask("POST", f"{DELIVERIES}/{parked}/retry")

    posts = await receiver.until(4)
    await hasty.facts.until("delivery.delivered", delivery=parked)
    assert retried.document == {"returned": 1, "messages": 1}
    assert {(post.id, post.body) for post in posts} == {(parked, posts[0].body)}
    assert (await hasty.show())["counts"]["parked"] == 0


async def test_a_pending_delivery_that_backs_off_is_sent_now(
    house: House, receiver: HookReceiver
) -> None:
    receiver.answers(500, 200)
    await house.accept("acme", event("m1"))
    (failed,) = await house.facts.until("delivery.failed")
    delivery = failed["data"]["delivery"]

    retried = await house.ask("POST", f"{DELIVERIES}/{delivery}/retry")

    await house.facts.until("delivery.delivered", delivery=delivery)
    assert (retried.status, retried.document["returned"]) == (200, 0)
    assert (await house.hook())["consecutive_errors"] == 0


async def test_a_retry_of_what_is_being_sent_sends_nothing_twice(
    house: House, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(house, receiver)

    retried = await house.ask("POST", f"{DELIVERIES}/{delivery}/retry")
    answer.set()

    await house.facts.until("delivery.delivered", delivery=delivery)
    assert (retried.status, len(receiver.posts)) == (200, 1)


async def test_a_pending_delivery_of_a_disabled_webhook_is_not_sent(house: House) -> None:
    await house.switch("acme", "disable")
    await house.accept("acme", event("m1"))
    (delivery,) = await listed(house)

    retried = await house.ask("POST", f"{DELIVERIES}/{delivery['id']}/retry")

    assert retried.status == 409
    assert "enable it" in retried.document["detail"]


async def test_all_parked_deliveries_are_sent_again_in_their_order(
    hasty: House, receiver: HookReceiver
) -> None:
    parked = await rejected(hasty, receiver, "m1", "m2", "m3")
    receiver.answers(200)

    retried = await hasty.ask("POST", f"{DELIVERIES}/retry")

    delivered = await hasty.facts.until("delivery.delivered", 3)
    assert retried.document == {"returned": 3, "messages": 3}
    assert [fact["data"]["delivery"] for fact in delivered] == parked


async def test_what_comes_just_as_an_attempt_ends_is_sent_at_once(
    house: House, receiver: HookReceiver
) -> None:
    """The end of an attempt and the next delivery are often in one commit, in either order."""
    workspaces = [f"w{number}" for number in range(16)]

    async def follow(ws: str) -> None:
        await house.make(ws, receiver, ws)
        for sent in range(25):
            await house.accept(ws, event(f"m{sent}"))
            await receiver.until(sent + 1, ws)

    await asyncio.gather(*map(follow, workspaces))


# ---- discard


@pytest.mark.parametrize("state", ["pending", "parked"])
async def test_a_discarded_delivery_is_not_sent_and_its_reason_is_on_record(
    hasty: House, receiver: HookReceiver, state: str
) -> None:
    if state == "parked":
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
    house: House, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(house, receiver)

    refused = await house.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=x")

    assert refused.status == 409
    answer.set()
    await house.facts.until("delivery.delivered", delivery=delivery)


@pytest.mark.parametrize("query", ["", "?reason=", "?reason=%20", "?reason=" + "x" * 2_000])
async def test_a_discard_wants_a_reason(house: House, query: str) -> None:
    await house.switch("acme", "disable")
    await house.accept("acme", event("m1"))
    (delivery,) = await listed(house)

    refused = await house.ask("DELETE", f"{DELIVERIES}/{delivery['id']}{query}")

    assert refused.status == 422
    assert len(await listed(house)) == 1


async def test_the_next_delivery_is_sent_after_its_forerunner_was_discarded(
    house: House, receiver: HookReceiver
) -> None:
    receiver.answers(500, 200)
    await house.accept("acme", event("m1"), event("m2"))
    (failed,) = await house.facts.until("delivery.failed")
    delivery = failed["data"]["delivery"]

    await house.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=x")
    house.clock.move(HOUR_MS)

    (delivered,) = await house.facts.until("delivery.delivered")
    assert delivered["data"]["delivery"] != delivery
