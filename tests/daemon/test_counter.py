"""Errors in a row: ten are borne, the eleventh disables, tells the owner, and loses nothing."""

from pathlib import Path

from hookbundle.engine.delivery.backoff import STEPS_MS
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import HOUR_MS, House, event, living, receiving
from hookbundle.tests.mail_server import MailServer


async def fail(house: House, errors: int) -> None:
    """So many errors are recorded; the clock is moved past the waits between them."""
    for error in range(1, errors + 1):
        await house.facts.until("delivery.failed", error)
        if error < errors:
            house.clock.move(STEPS_MS[error - 1] * 12 // 10)


async def test_ten_errors_and_a_success_leave_it_enabled_with_a_count_of_zero(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(*[500] * 10, 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))

        await fail(house, 10)
        at_ten = await house.hook()
        house.clock.move(10 * HOUR_MS)
        await house.facts.until("delivery.delivered")
        after = await house.hook()

        assert (at_ten["consecutive_errors"], at_ten["state"]) == (10, "backing_off")
        assert (after["consecutive_errors"], after["state"]) == (0, "enabled")
        assert after["last_error"] is None
        assert (await house.get("/v1/status"))["mails"] == 0


async def test_the_eleventh_error_disables_tells_the_owner_once_and_stops_all_attempts(
    tmp_path: Path,
) -> None:
    async with (
        MailServer(tmp_path) as server,
        receiving() as receiver,
        living(tmp_path, smtp=server.config()) as house,
    ):
        receiver.answers(500)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))

        await fail(house, 11)
        mail = await server.next()
        await house.facts.until("mail.sent")
        house.clock.move(100 * HOUR_MS)
        await house.accept("acme", event("m2"), event("m3"))
        hook, counts = await house.hook(), (await house.show())["counts"]

        assert (hook["state"], hook["disabled_reason"]) == ("disabled", "errors")
        assert hook["next_attempt_at"] is None
        assert (counts["pending"], counts["held_messages"]) == (3, 3)
        assert len(receiver.posts) == 11
        assert len(server.tries) == 1
        assert mail.to == ("owner@acme.example",)


async def test_enabling_resumes_with_the_same_ids_and_bytes_in_order(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(*[500] * 11, 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))
        await fail(house, 11)
        await house.accept("acme", event("m2"), event("m3"))

        await house.switch("acme", "enable", {})
        await house.facts.until("delivery.delivered", 3)

        resumed = receiver.posts[11:]
        assert [post.message_ids for post in resumed] == [["m1"], ["m2"], ["m3"]]
        assert {(p.id, p.body) for p in receiver.posts[:12]} == {(resumed[0].id, resumed[0].body)}
        assert (await house.hook())["consecutive_errors"] == 0


async def test_any_error_counts_and_a_success_between_them_starts_anew(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        moved = Answer(302, (("Location", receiver.url("elsewhere")),))
        receiver.answers(500, moved, 204, 429, 200, 503)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"), event("m2"))

        await fail(house, 4)
        counted = (await house.hook())["consecutive_errors"]
        house.clock.move(HOUR_MS)
        await house.facts.until("delivery.failed", 5)

        assert counted == 4
        assert (await house.hook())["consecutive_errors"] == 1
        assert receiver.at("elsewhere") == []


async def test_a_delivery_rejected_three_times_is_parked_and_the_next_gets_its_turn(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(400, 410, 404, 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"), event("m2"))

        await house.facts.until("delivery.failed", 1)
        house.clock.move(6_000)
        await house.facts.until("delivery.failed", 2)
        house.clock.move(36_000)
        await house.facts.until("delivery.parked")
        house.clock.move(150_000)
        await house.facts.until("delivery.delivered", 1)
        parked = (await house.show())["counts"]["parked"]
        enabled = await house.switch("acme", "enable", {})
        await house.facts.until("delivery.delivered", 2)

        assert (parked, enabled["returned"]) == (1, 1)
        assert [p.message_ids[0] for p in receiver.posts] == ["m1", "m1", "m1", "m2", "m1"]


async def test_another_url_starts_the_count_anew(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(500, 200)
        secret = await house.make("acme", receiver)
        receiver.trust(secret, "better")
        await house.accept("acme", event("m1"))
        await house.facts.until("delivery.failed")

        url = {"webhook": {"url": receiver.url("better")}}
        await house.ask("PATCH", "/v1/workspaces/acme", url)
        await house.facts.until("delivery.delivered")

        assert [post.path for post in receiver.posts] == ["hook", "better"]
        assert (await house.hook())["consecutive_errors"] == 0
