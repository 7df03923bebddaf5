"""Consecutive errors: ten are tolerated; the eleventh disables the webhook and mails its owner."""

from pathlib import Path

from hookbundle.engine.delivery.backoff import STEPS_MS
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving
from hookbundle.tests.mail_server import MailServer


async def fail(system: System, errors: int) -> None:
    """`errors` errors are recorded; the clock is moved past the waits between them."""
    for error in range(1, errors + 1):
        await system.facts.until("delivery.failed", error)
        if error < errors:
            system.clock.move(STEPS_MS[error - 1] * 12 // 10)


async def test_ten_errors_and_a_success_leave_it_enabled_with_a_count_of_zero(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(*[500] * 10, 200)
        await system.make("acme", receiver, warnings=False)
        await system.accept("acme", event("m1"))

        await fail(system, 10)
        at_ten = await system.hook()
        system.clock.move(10 * HOUR_MS)
        await system.facts.until("delivery.delivered")
        after = await system.hook()

        assert (at_ten["consecutive_errors"], at_ten["state"]) == (10, "backing_off")
        assert (after["consecutive_errors"], after["state"]) == (0, "enabled")
        assert after["last_error"] is None
        assert (await system.get("/v1/status"))["mails"] == 0


async def test_the_eleventh_error_disables_tells_the_owner_once_and_stops_all_attempts(
    tmp_path: Path,
) -> None:
    async with (
        MailServer(tmp_path) as server,
        receiving() as receiver,
        daemon_in(tmp_path, smtp=server.config()) as system,
    ):
        receiver.answers(500)
        await system.make("acme", receiver, warnings=False)
        await system.accept("acme", event("m1"))

        await fail(system, 11)
        mail = await server.next()
        await system.facts.until("mail.sent")
        system.clock.move(100 * HOUR_MS)
        await system.accept("acme", event("m2"), event("m3"))
        hook, counts = await system.hook(), (await system.show())["counts"]

        assert (hook["state"], hook["disabled_reason"]) == ("disabled", "errors")
        assert hook["next_attempt_at"] is None
        assert (counts["queued"], counts["held_messages"]) == (3, 3)
        assert len(receiver.posts) == 11
        assert len(server.tries) == 1
        assert mail.to == ("owner@acme.example",)


async def test_enabling_resumes_with_the_same_ids_and_bytes_in_order(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(*[500] * 11, 200)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await fail(system, 11)
        await system.accept("acme", event("m2"), event("m3"))

        await system.switch("acme", "enable", {})
        await system.facts.until("delivery.delivered", 3)

        resumed = receiver.posts[11:]
        assert [post.message_ids for post in resumed] == [["m1"], ["m2"], ["m3"]]
        assert {(p.id, p.body) for p in receiver.posts[:12]} == {(resumed[0].id, resumed[0].body)}
        assert (await system.hook())["consecutive_errors"] == 0


async def test_any_error_counts_and_a_success_between_them_resets_the_count(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        moved = Answer(302, (("Location", receiver.url("elsewhere")),))
        receiver.answers(500, moved, 204, 429, 200, 503)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"), event("m2"))

        await fail(system, 4)
        counted = (await system.hook())["consecutive_errors"]
        system.clock.move(HOUR_MS)
        await system.facts.until("delivery.failed", 5)

        assert counted == 4
        assert (await system.hook())["consecutive_errors"] == 1
        assert receiver.at("elsewhere") == []


async def test_a_delivery_rejected_three_times_is_a_dead_letter_and_the_next_gets_its_turn(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(400, 410, 404, 200)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"), event("m2"))

        await system.facts.until("delivery.failed", 1)
        system.clock.move(6_000)
        await system.facts.until("delivery.failed", 2)
        system.clock.move(36_000)
        await system.facts.until("delivery.dead_lettered")
        system.clock.move(150_000)
        await system.facts.until("delivery.delivered", 1)
        dead_letters = (await system.show())["counts"]["dead_letters"]
        enabled = await system.switch("acme", "enable", {})
        await system.facts.until("delivery.delivered", 2)

        assert (dead_letters, enabled["returned"]) == (1, 1)
        assert [p.message_ids[0] for p in receiver.posts] == ["m1", "m1", "m1", "m2", "m1"]


async def test_another_url_resets_the_count(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500, 200)
        secret = await system.make("acme", receiver)
        receiver.trust(secret, "better")
        await system.accept("acme", event("m1"))
        await system.facts.until("delivery.failed")

        url = {"webhook": {"url": receiver.url("better")}}
        await system.ask("PATCH", "/v1/workspaces/acme", url)
        await system.facts.until("delivery.delivered")

        assert [post.path for post in receiver.posts] == ["hook", "better"]
        assert (await system.hook())["consecutive_errors"] == 0
