"""A delivery over the API after its end: with every attempt that is kept, or no longer kept."""

from hookbundle.storage.transitions.timed.trimming import TrimHistory, Trimmed
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import System, event
from hookbundle.tests.server.http.resources.rejecting import DELIVERIES


async def test_a_delivery_has_its_attempts_with_their_answers(
    hasty: System, receiver: HookReceiver
) -> None:
    receiver.answers(Answer(503, body=b"not now"), 201, 200)
    await hasty.accept("acme", event("m1"))
    (delivered,) = await hasty.facts.until("delivery.delivered")
    delivery = delivered["data"]["delivery"]

    shown = await hasty.get(f"{DELIVERIES}/{delivery}")

    attempts = shown["history"]
    assert [each["attempt"] for each in attempts] == [1, 2, 3]
    assert [each["status"] for each in attempts] == [503, 201, 200]
    assert [each["outcome"] for each in attempts] == ["failed", "failed", "delivered"]
    assert attempts[0]["response"]["body"] == "not now"
    assert attempts[0]["request_headers"]["webhook-id"] == delivery
    assert "success: 2xx" in attempts[1]["hint"]
    assert attempts[0]["hint"] is None
    assert (attempts[2]["error"], attempts[2]["url"]) == (None, receiver.url("hook"))
    assert [each["at"] for each in attempts] == sorted(each["at"] for each in attempts)
    assert shown["body"].encode() == receiver.posts[0].body
    log = await hasty.get("/v1/workspaces/acme/log")
    assert [each["response"] for each in log] == [each["response"] for each in attempts][::-1]


async def test_a_trimmed_delivery_is_gone_with_a_code_of_its_own(
    system: System, receiver: HookReceiver
) -> None:
    await system.accept("acme", event("m0"))
    (first,) = await system.facts.until("delivery.delivered")
    for number in range(101):
        await system.accept("acme", event(f"m{number + 1}"))
    await system.facts.until("delivery.delivered", 102)
    step = TrimHistory(
        workspace_number=1, before_ms=2**50, bytes_max=0, most=100, now_ms=system.clock.now_ms()
    )
    await system.daemon.partition.store_queue.do(step, Trimmed)

    delivery = first["data"]["delivery"]
    paths = (f"/v1/deliveries/{delivery}", f"{DELIVERIES}/{delivery}")
    answers = [await system.ask("GET", path) for path in paths]
    retried = await system.ask("POST", f"{DELIVERIES}/{delivery}/retry")

    assert [answer.status for answer in (*answers, retried)] == [410] * 3
    assert {answer.document["code"] for answer in (*answers, retried)} == {"delivery_trimmed"}
    assert "history.keep" in answers[0].document["detail"]
    assert delivery not in [one["id"] for one in (await system.get(DELIVERIES))["deliveries"]]
