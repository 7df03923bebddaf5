"""Deliveries over the API, on a real daemon with a receiver that says no, or nothing yet."""

import asyncio

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, event
from hookbundle.tests.server.http.resources.rejecting import DELIVERIES, in_flight, listed, rejected

# ---- shown


async def test_queued_deliveries_and_dead_letters_are_listed_without_their_bodies(
    hasty: System, receiver: HookReceiver
) -> None:
    (dead_letters,) = await rejected(hasty, receiver, "m1")
    await hasty.switch("acme", "disable")
    await hasty.accept("acme", event("m2"))

    first, second = await listed(hasty, "?order=queue")

    assert (first["id"], first["state"], first["attempts"]) == (dead_letters, "dead_letter", 3)
    assert (first["rejections"], first["last_error"]) == (3, "status 404")
    assert (second["state"], second["attempts"], second["kind"]) == ("queued", 0, "message")
    assert not {"body"} & (first.keys() | second.keys())
    assert [one["id"] for one in await listed(hasty, "?state=dead_letter")] == [dead_letters]
    assert [one["id"] for one in await listed(hasty, "?state=queued")] == [second["id"]]


@pytest.mark.parametrize(("former", "now"), [("pending", "queued"), ("parked", "dead_letter")])
async def test_a_state_may_be_asked_for_by_its_former_name(
    hasty: System, receiver: HookReceiver, former: str, now: str
) -> None:
    await rejected(hasty, receiver, "m1")
    await hasty.switch("acme", "disable")
    await hasty.accept("acme", event("m2"))

    (found,) = await listed(hasty, f"?state={former}")

    assert found["state"] == now


async def test_a_state_that_is_none_is_answered_with_the_names_of_today(system: System) -> None:
    answer = await system.ask("GET", f"{DELIVERIES}?state=gone")

    (fault,) = answer.document["errors"]
    assert (answer.status, fault["code"]) == (422, "not_one_of")
    assert fault["detail"] == (
        "must be one of 'queued', 'sending', 'delivered', 'dead_letter', 'merged', 'discarded', "
        "'resending'; is 'gone'"
    )


async def test_pages_of_deliveries_end_where_the_next_one_begins(system: System) -> None:
    await system.switch("acme", "disable")
    await system.accept("acme", *(event(f"m{n}") for n in range(3)))

    first = await system.get(f"{DELIVERIES}?limit=2")
    second = await system.get(f"{DELIVERIES}?limit=2&cursor={first['cursor']}")

    ids = [one["id"] for one in first["deliveries"] + second["deliveries"]]
    assert (len(ids), len(set(ids)), second["cursor"]) == (3, 3, None)


@pytest.mark.parametrize("query", ["state=gone", "limit=0", "cursor=%2A"])
async def test_a_list_is_not_asked_for_in_words_it_does_not_know(
    system: System, query: str
) -> None:
    assert (await system.ask("GET", f"{DELIVERIES}?{query}")).status == 422


async def test_a_delivery_is_shown_with_the_bytes_that_are_sent(
    system: System, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(system, receiver)

    shown = await system.get(f"{DELIVERIES}/{delivery}")

    assert shown["body"].encode() == receiver.posts[0].body
    assert shown["state"] == "sending"
    answer.set()


async def test_a_delivery_is_found_by_its_id_alone(system: System, receiver: HookReceiver) -> None:
    delivery, answer = await in_flight(system, receiver)

    shown = await system.get(f"/v1/deliveries/{delivery}")

    assert (shown["workspace"], shown["id"]) == ("acme", delivery)
    answer.set()


async def test_a_delivery_says_when_it_is_tried_next(
    system: System, receiver: HookReceiver
) -> None:
    receiver.answers(500)
    await system.accept("acme", event("m1"))
    await system.facts.until("delivery.failed")

    (delivery,) = await listed(system)

    assert delivery["next_attempt_at"] == (await system.hook())["next_attempt_at"]
    assert delivery["state"] == "queued"


async def test_what_was_delivered_is_shown_and_can_be_neither_retried_nor_discarded(
    system: System, receiver: HookReceiver
) -> None:
    await system.accept("acme", event("m1"))
    (fact,) = await system.facts.until("delivery.delivered")
    delivery = fact["data"]["delivery"]

    shown = await system.get(f"/v1/deliveries/{delivery}")
    retried = await system.ask("POST", f"{DELIVERIES}/{delivery}/retry")
    discarded = await system.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=x")

    assert (shown["state"], shown["id"]) == ("delivered", delivery)
    assert shown == await system.get(f"{DELIVERIES}/{delivery}")
    assert [answer.status for answer in (retried, discarded)] == [409, 409]
    assert {answer.document["code"] for answer in (retried, discarded)} == {"not_waiting"}


async def test_a_delivery_of_another_workspace_is_not_found(
    system: System, receiver: HookReceiver
) -> None:
    await system.make("other", receiver, "other")
    await system.switch("acme", "disable")
    await system.accept("acme", event("m1"))
    (delivery,) = await listed(system)
    theirs = f"/v1/workspaces/other/deliveries/{delivery['id']}"

    assert (await system.ask("GET", theirs)).status == 404
    assert (await system.ask("POST", f"{theirs}/retry")).status == 404
    assert (await system.ask("DELETE", f"{theirs}?reason=x")).status == 404


# ---- retry


async def test_a_dead_letter_is_sent_again_with_its_id_and_its_bytes(
    hasty: System, receiver: HookReceiver
) -> None:
    (dead_letters,) = await rejected(hasty, receiver, "m1")
    receiver.answers(200)

    retried = await hasty.ask("POST", f"{DELIVERIES}/{dead_letters}/retry")

    posts = await receiver.until(4)
    await hasty.facts.until("delivery.delivered", delivery=dead_letters)
    assert retried.document == {"returned": 1, "messages": 1}
    assert {(post.id, post.body) for post in posts} == {(dead_letters, posts[0].body)}
    assert (await hasty.show())["counts"]["dead_letters"] == 0


async def test_a_queued_delivery_that_backs_off_is_sent_now(
    system: System, receiver: HookReceiver
) -> None:
    receiver.answers(500, 200)
    await system.accept("acme", event("m1"))
    (failed,) = await system.facts.until("delivery.failed")
    delivery = failed["data"]["delivery"]

    retried = await system.ask("POST", f"{DELIVERIES}/{delivery}/retry")

    await system.facts.until("delivery.delivered", delivery=delivery)
    assert (retried.status, retried.document["returned"]) == (200, 0)
    assert (await system.hook())["consecutive_errors"] == 0


async def test_a_retry_of_what_is_being_sent_sends_nothing_twice(
    system: System, receiver: HookReceiver
) -> None:
    delivery, answer = await in_flight(system, receiver)

    retried = await system.ask("POST", f"{DELIVERIES}/{delivery}/retry")
    answer.set()

    await system.facts.until("delivery.delivered", delivery=delivery)
    assert (retried.status, len(receiver.posts)) == (200, 1)


async def test_a_queued_delivery_of_a_disabled_webhook_is_not_sent(system: System) -> None:
    await system.switch("acme", "disable")
    await system.accept("acme", event("m1"))
    (delivery,) = await listed(system)

    retried = await system.ask("POST", f"{DELIVERIES}/{delivery['id']}/retry")

    assert retried.status == 409
    assert "enable it" in retried.document["detail"]


async def test_all_dead_letters_are_sent_again_in_their_order(
    hasty: System, receiver: HookReceiver
) -> None:
    dead_letters = await rejected(hasty, receiver, "m1", "m2", "m3")
    receiver.answers(200)

    retried = await hasty.ask("POST", f"{DELIVERIES}/retry")

    delivered = await hasty.facts.until("delivery.delivered", 3)
    assert retried.document == {"returned": 3, "messages": 3}
    assert [fact["data"]["delivery"] for fact in delivered] == dead_letters


async def test_what_comes_just_as_an_attempt_ends_is_sent_at_once(
    system: System, receiver: HookReceiver
) -> None:
    """The end of an attempt and the next delivery are often in one commit, in either order."""
    workspaces = [f"w{number}" for number in range(16)]

    async def follow(ws: str) -> None:
        await system.make(ws, receiver, ws)
        for sent in range(25):
            await system.accept(ws, event(f"m{sent}"))
            await receiver.until(sent + 1, ws)

    await asyncio.gather(*map(follow, workspaces))
