"""A receiver that fails over one text and takes everything else, and one that answers 201."""

from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from hookbundle.engine.delivery.backoff import STEPS_MS
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving

POISON = "a\x00b"


@dataclass(slots=True)
class Allergic(HookReceiver):
    """Breaks (500) over `\\u0000` in a body."""

    async def _take(self, request: web.Request) -> web.Response:
        self.answers(500 if b"\\u0000" in await request.read() else 200)
        return await HookReceiver._take(self, request)


async def fail(system: System, errors: int, already: int = 0) -> None:
    for error in range(1, errors + 1):
        await system.facts.until("delivery.failed", already + error)
        system.clock.move(STEPS_MS[error - 1] * 12 // 10)


async def test_one_text_does_not_disable_the_webhook_nor_hold_what_is_behind_it(
    tmp_path: Path,
) -> None:
    async with Allergic() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m1", text=POISON))
        await system.accept("acme", event("m2"))
        await system.accept("acme", event("m3"))

        await fail(system, 5)
        await system.facts.until("delivery.delivered", 2)
        hook, counts = await system.hook(), (await system.show())["counts"]
        listed = await system.get("/v1/workspaces/acme/deliveries?state=dead_letter")
        (dead_letter,) = system.facts.known("delivery.dead_lettered")
        activity = await system.get("/v1/workspaces/acme/activity")
        metrics = (await system.ask("GET", "/metrics")).body.decode()

        assert [post.message_ids for post in receiver.posts] == [["m1"]] * 5 + [["m2"], ["m3"]]
        assert (hook["state"], hook["consecutive_errors"]) == ("enabled", 0)
        assert (counts["dead_letters"], counts["receiver_fails"], counts["queued"]) == (1, 1, 0)
        assert [d["dead_letter_reason"] for d in listed["deliveries"]] == ["receiver_fails"]
        assert dead_letter["data"]["reason"] == "receiver_fails"
        assert any(a["detail"].startswith("receiver_fails: ") for a in activity)
        assert "hookbundle_receiver_fails_total 1.0" in metrics


async def test_enabling_again_does_not_send_it_again_and_a_retry_does(tmp_path: Path) -> None:
    async with Allergic() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.accept("acme", event("m1", text=POISON))
        await system.accept("acme", event("m2"))
        await fail(system, 5)
        await system.facts.until("delivery.delivered")

        await system.switch("acme", "disable")
        switched = await system.switch("acme", "enable", {})
        await system.accept("acme", event("m3"))
        await system.facts.until("delivery.delivered", 2)
        enabled = len(receiver.posts)
        listed = await system.get("/v1/workspaces/acme/deliveries?state=dead_letter")
        (one,) = listed["deliveries"]
        answer = await system.ask("POST", f"/v1/workspaces/acme/deliveries/{one['id']}/retry")
        await receiver.until(enabled + 1)

        assert (switched["returned"], switched["left"]) == (0, 1)
        assert receiver.posts[-1].message_ids == ["m1"]
        assert answer.status == 200
        assert enabled == 7


async def test_a_receiver_that_is_broken_for_all_is_disabled_as_ever(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await system.accept("acme", event("m2"))

        await fail(system, 10)
        system.clock.move(10 * HOUR_MS)
        await system.facts.until("webhook.disabled")

        sent = [post.message_ids for post in receiver.posts]
        assert sent == [["m1"]] * 5 + [["m2"]] + [["m1"]] * 5
        assert (await system.show())["counts"]["queued"] == 2


async def test_a_2xx_that_is_no_success_is_said_and_the_setting_proposed(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(201)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        (failed,) = await system.facts.until("delivery.failed")
        test = await system.switch("acme", "test")
        hook = await system.hook()
        activity = await system.get("/v1/workspaces/acme/activity")

        said = "not_success: answered 201; this webhook takes only 200 as success"
        assert failed["data"]["error"] == hook["last_error"] == test["error"] == said
        assert test["proposal"] == {"success": "2xx"}
        assert [action["detail"] for action in activity[:2]] == [said, said]
