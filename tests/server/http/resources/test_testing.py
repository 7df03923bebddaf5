"""Test requests: how many a workspace may send, and what the next one is told."""

import asyncio
from pathlib import Path

from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import HOUR_MS, MINUTE_MS, daemon_in, receiving

TEST = "/v1/workspaces/acme/webhook/test"


async def test_sixty_an_hour_are_sent_and_the_next_is_told_when(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        sent = [await system.ask("POST", TEST) for _ in range(60)]
        system.clock.move(HOUR_MS - 12 * MINUTE_MS)

        refused = await system.ask("POST", TEST)
        system.clock.move(1_000 * int(refused.headers["retry-after"]))
        later = await system.ask("POST", TEST)

        assert {answer.status for answer in sent} == {200}
        assert (refused.status, later.status) == (429, 200)
        assert 700 <= int(refused.headers["retry-after"]) <= 720
        assert "60 test requests of this hour" in refused.document["detail"]
        assert "in 12 min" in refused.document["detail"]
        assert len(receiver.posts) == 61


async def test_what_one_workspace_sent_is_not_another_s(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.make("sound", receiver, "sound")
        for _ in range(61):
            await system.ask("POST", TEST)

        other = await system.ask("POST", "/v1/workspaces/sound/webhook/test")

        assert other.status == 200


async def test_a_workspace_that_is_made_anew_gets_no_new_hour(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        for _ in range(60):
            await system.ask("POST", TEST)
        await system.ask("DELETE", "/v1/workspaces/acme")
        await system.facts.until("workspace.deleted")
        await system.make("acme", receiver)

        again = await system.ask("POST", TEST)

        assert again.status == 429


async def test_a_test_that_is_refused_is_not_counted(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.ask("PUT", "/v1/workspaces/acme", {})
        without_url = [(await system.ask("POST", TEST)).status for _ in range(61)]
        await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"url": receiver.url()}})
        receiver.refused.clear()

        sent = await system.ask("POST", TEST)
        receiver.refused.clear()  # the receiver was not told the secret

        assert set(without_url) == {409}
        assert sent.status == 200


async def test_tests_that_hang_take_a_share_of_their_own_and_no_slots(tmp_path: Path) -> None:
    async with (
        receiving() as silent,
        receiving() as receiver,
        daemon_in(tmp_path, in_flight_max=1, stop_within_s=0.05) as system,
    ):
        release = asyncio.Event()
        silent.answers(Answer(after=release))
        await system.make("acme", silent)
        await system.make("sound", receiver, "sound")
        tests = [asyncio.ensure_future(system.ask("POST", TEST)) for _ in range(20)]
        await silent.until(16)

        other = await system.ask("POST", "/v1/workspaces/sound/webhook/test")
        refused = [task.result() for task in tests if task.done()]
        release.set()
        answers = await asyncio.gather(*tests)

        assert other.status == 200
        assert sorted(answer.status for answer in answers) == [200] * 16 + [429] * 4
        assert {answer.headers["retry-after"] for answer in refused} <= {"1"}
        assert silent.open_at_most == 16
