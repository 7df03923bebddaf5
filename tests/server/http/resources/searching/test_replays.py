"""Resends and replays over the API, on a real daemon with a receiver that says no, and then yes."""

import asyncio
from typing import Any

import pytest

from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import System, event
from hookbundle.tests.server.http.resources.rejecting import DELIVERIES, listed, rejected

REPLAY = "/v1/workspaces/acme/replay"


async def replay(system: System, **wanted: Any) -> Any:
    response = await system.ask("POST", REPLAY, {"dry_run": False, **wanted})
    assert response.status in (200, 202)
    return response.document


async def test_a_delivered_delivery_is_sent_once_more_with_its_id_and_its_bytes(
    system: System, receiver: HookReceiver
) -> None:
    await system.accept("acme", event("m1"))
    (fact,) = await system.facts.until("delivery.delivered")
    delivery = fact["data"]["delivery"]

    response = await system.ask("POST", f"{DELIVERIES}/{delivery}/resend")

    assert response.status == 200
    answer = response.document
    assert (answer["id"], answer["resending"], answer["messages"]) == (delivery, True, 1)
    assert "webhook-id" in answer["note"]
    first, again = await receiver.until(2)
    assert (again.id, again.body) == (first.id, first.body)
    await system.facts.until("delivery.resent")


async def resending(system: System, receiver: HookReceiver, answer: Answer) -> str:
    """A delivery that was delivered, and is resent; what comes of it says `answer`."""
    await system.accept("acme", event("m1"))
    (fact,) = await system.facts.until("delivery.delivered")
    delivery: str = fact["data"]["delivery"]
    receiver.answers(answer)
    assert (await system.ask("POST", f"{DELIVERIES}/{delivery}/resend")).status == 200
    await receiver.until(2)
    return delivery


async def test_one_that_is_resent_is_seen_as_such_until_its_end(
    system: System, receiver: HookReceiver
) -> None:
    after = asyncio.Event()
    delivery = await resending(system, receiver, Answer(after=after))

    one = await system.get(f"{DELIVERIES}/{delivery}")
    (of_list,) = await listed(system, "?state=delivered")
    refused = await system.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=enough")
    again = await system.ask("POST", f"{DELIVERIES}/{delivery}/resend")
    after.set()
    await system.facts.until("delivery.resent")
    over = await system.get(f"{DELIVERIES}/{delivery}")

    assert [(each["state"], each["resending"]) for each in (one, of_list, over)] == [
        ("delivered", True),
        ("delivered", True),
        ("delivered", False),
    ]
    assert (refused.status, refused.document["code"]) == (409, "being_sent")
    assert (again.status, again.document["resending"]) == (200, True)
    retried = await system.ask("POST", f"{DELIVERIES}/{delivery}/retry")
    assert (retried.status, retried.document["code"]) == (409, "not_waiting")
    assert len(receiver.posts) == 2


async def test_a_resend_that_waits_after_an_error_is_retried_or_ended(
    system: System, receiver: HookReceiver
) -> None:
    delivery = await resending(system, receiver, Answer(503))
    await system.facts.until("delivery.failed")
    waiting = await system.get(f"{DELIVERIES}/{delivery}")
    assert (waiting["resending"], waiting["next_attempt_at"] is None) == (True, False)

    receiver.answers(Answer(503))
    retried = await system.ask("POST", f"{DELIVERIES}/{delivery}/retry")
    await system.facts.until("delivery.failed", 2)
    ended = await system.ask("DELETE", f"{DELIVERIES}/{delivery}?reason=enough")

    assert (retried.status, retried.document["returned"]) == (200, 0)
    assert (ended.status, ended.document["was"]) == (200, "resending")
    over = await system.get(f"{DELIVERIES}/{delivery}")
    assert (over["state"], over["resending"], over["next_attempt_at"]) == ("delivered", False, None)
    path = await system.get("/v1/workspaces/acme/messages/m1?chat=" + over["chat_id"])
    assert path["became"]["code"] == "delivered.resend_failed"


async def test_a_delivery_whose_resend_failed_is_told_apart(
    hasty: System, receiver: HookReceiver
) -> None:
    delivery = await resending(hasty, receiver, Answer(404))
    await hasty.facts.until("delivery.resend_failed")

    one = await hasty.get(f"{DELIVERIES}/{delivery}")
    (of_list,) = await listed(hasty, "?http_status=404")

    for each in (one, of_list):
        assert (each["state"], each["resending"], each["resend_failed"]) == (
            *("delivered", False, True),
        )
        assert (each["http_status"], each["last_error"]) == (404, "status 404")
    assert [each["status"] for each in one["history"]] == [200, 404, 404, 404]

    receiver.answers(200)
    assert (await hasty.ask("POST", f"{DELIVERIES}/{delivery}/resend")).status == 200
    await hasty.facts.until("delivery.resent")
    over = await hasty.get(f"{DELIVERIES}/{delivery}")
    assert (over["http_status"], over["resend_failed"]) == (200, False)


async def test_what_waits_to_be_sent_once_more_is_found_by_that(
    system: System, receiver: HookReceiver
) -> None:
    delivery = await resending(system, receiver, Answer(503))
    await system.facts.until("delivery.failed")
    waiting = await system.get(f"{DELIVERIES}/{delivery}")
    await system.accept("acme", event("m2"))

    found = await listed(system, "?state=resending")
    with_queued = await listed(system, "?state=resending,queued")
    in_order = await system.ask("GET", f"{DELIVERIES}?state=resending&order=queue")

    assert [each["id"] for each in found] == [delivery]
    assert (waiting["resend_failed"], len(with_queued)) == (False, 2)
    assert in_order.status == 422


async def test_a_resend_of_what_was_not_delivered_says_what_to_do(
    hasty: System, receiver: HookReceiver
) -> None:
    (letter,) = await rejected(hasty, receiver, "m1")

    response = await hasty.ask("POST", f"{DELIVERIES}/{letter}/resend")

    assert response.status == 409
    problem = response.document
    assert problem["code"] == "not_delivered_yet"
    assert "retry it" in problem["detail"]


@pytest.mark.parametrize("delivery", ["dlv_x", "dlv_00000000000000000100000000ffff"])
async def test_a_resend_of_nothing_is_404(system: System, delivery: str) -> None:
    assert (await system.ask("POST", f"{DELIVERIES}/{delivery}/resend")).status == 404


@pytest.mark.parametrize("asked", [{}, {"dry_run": True}])
async def test_a_replay_only_counts_until_it_is_told_to_send(
    hasty: System, receiver: HookReceiver, asked: dict[str, bool]
) -> None:
    await rejected(hasty, receiver, "m1", "m2")

    response = await hasty.ask("POST", REPLAY, asked)

    counted = response.document
    assert response.status == 200
    assert (counted["job"], counted["deliveries"], counted["messages"]) == (None, 2, 2)
    assert await hasty.get(REPLAY) == {"replays": []}


async def test_a_replay_sends_dead_letters_in_their_old_order(
    hasty: System, receiver: HookReceiver
) -> None:
    letters = await rejected(hasty, receiver, "m1", "m2", "m3")
    receiver.answers(200)
    before = len(receiver.posts)

    begun = await replay(hasty, http_status=404)

    assert (begun["job"], begun["deliveries"], begun["messages"]) == (1, 3, 3)
    (ended,) = await hasty.facts.until("replay.ended")
    assert [post.id for post in receiver.posts[before:]] == letters
    assert (ended["data"]["outcome"], ended["data"]["delivered"]) == ("done", 3)
    job = await hasty.get(f"{REPLAY}/1")
    assert (job["state"], job["queued"], job["delivered"], job["left_out"]) == ("done", 3, 3, 0)
    assert await hasty.get(REPLAY) == {"replays": [job]}


@pytest.mark.parametrize(
    ("asked", "shown", "count"),
    [(404, 404, 2), ("404", 404, 2), ("4xx", "4xx", 2), ("5xx", "5xx", 0), ("none", "none", 0)],
)
async def test_a_replay_takes_ages_and_classes_as_lists_do(
    hasty: System, receiver: HookReceiver, asked: Any, shown: Any, count: int
) -> None:
    await rejected(hasty, receiver, "m1", "m2")
    await hasty.switch("acme", "disable")

    counted = await replay(hasty, http_status=asked, since="-1h", until="-0s", dry_run=True)
    begun = await replay(hasty, http_status=asked, since=counted["since"])

    assert [one["deliveries"] for one in (counted, begun)] == [count, count]
    if count:
        job = await hasty.get(f"{REPLAY}/1")
        assert (job["http_status"], job["since"]) == (shown, counted["since"])


async def test_a_replay_of_nothing_makes_no_job(system: System) -> None:
    begun = await replay(system)

    assert (begun["job"], begun["deliveries"]) == (None, 0)


async def test_a_replay_is_cancelled(hasty: System, receiver: HookReceiver) -> None:
    await rejected(hasty, receiver, "m1", "m2")
    await hasty.switch("acme", "disable")
    await replay(hasty)
    await hasty.facts.until("replay.queued")
    assert (await replay(hasty))["deliveries"] == 0  # nothing is left to be sent again

    response = await hasty.ask("DELETE", f"{REPLAY}/1")

    assert response.status == 200
    (ended,) = await hasty.facts.until("replay.ended")
    assert (ended["data"]["outcome"], ended["data"]["dropped"]) == ("cancelled", 2)
    assert (await hasty.get(f"{DELIVERIES}?state=dead_letter"))["deliveries"][0]["attempts"] == 3
    assert (await hasty.ask("DELETE", f"{REPLAY}/1")).status == 409


@pytest.mark.parametrize("job", ["0", "2", "x", "1" * 40])
async def test_a_replay_that_is_not_there_is_404(system: System, job: str) -> None:
    assert (await system.ask("GET", f"{REPLAY}/{job}")).status == 404
    assert (await system.ask("DELETE", f"{REPLAY}/{job}")).status == 404


async def test_a_replay_of_an_unknown_webhook_is_404(system: System) -> None:
    response = await system.ask("POST", REPLAY, {"webhook": "other"})

    assert (response.status, response.document["code"]) == (404, "unknown_webhook")


@pytest.mark.parametrize(
    ("wanted", "path", "said"),
    [
        ({"states": ["discarded"]}, "states[0]", "'dead_letter', 'delivered'"),
        ({"states": ["merged"]}, "states[0]", "'dead_letter', 'delivered'"),
        ({"states": ["delivered", "queued"]}, "states[1]", "'dead_letter', 'delivered'"),
        ({"states": []}, "states", "empty"),
        ({"since": "yesterday"}, "since", "time"),
        ({"until": "2026-11-27T16:00:00"}, "until", "time"),
        ({"until": ""}, "until", ""),
        ({"since": "-soon"}, "since", "age"),
        ({"since": "-1h", "until": "-2h"}, "until", "beginning"),
        ({"since": "2026-11-27T16:00:00Z", "until": "2026-11-27T15:59:59Z"}, "until", "16:00:00"),
        ({"http_status": 99}, "http_status", "status"),
        ({"http_status": -404}, "http_status", "status"),
        ({"http_status": "6xx"}, "http_status", "status"),
        ({"http_status": ""}, "http_status", ""),
        ({"http_status": 404.5}, "http_status", ""),
        ({"chat": ""}, "chat", ""),
        ({"stats": ["delivered"]}, "stats", "states"),
    ],
)
async def test_a_filter_that_is_none_is_refused(
    system: System, wanted: dict[str, Any], path: str, said: str
) -> None:
    response = await system.ask("POST", REPLAY, wanted)

    assert response.status == 422
    (fault,) = response.document["errors"]
    assert fault["path"] == path
    assert said in fault["detail"]
