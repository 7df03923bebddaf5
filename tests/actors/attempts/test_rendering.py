"""Bodies of formats on their way: rendered without a slot, sent as they were stored."""

import asyncio
from collections import deque
from pathlib import Path

import pytest

from hookbundle.actors.attempts import rendering
from hookbundle.actors.attempts.rendering import NoRoomError, Rendering, bodies_room
from hookbundle.actors.rendering.paces import PaceCount
from hookbundle.actors.rendering.resting import Resting
from hookbundle.engine.errors import Overloaded
from hookbundle.engine.formats.jobs import BundleFacts, Job, NoRecord, Outcome, Rendered
from hookbundle.storage.transitions.attempting import Render
from hookbundle.storage.transitions.rendering.storing import Made, Rests
from hookbundle.tests.actors.hooks import PlainRenderer, sending
from hookbundle.tests.storage.transitions.rendering.rendered import BROKEN, NOTE, OTHER

RESTING = Resting(10**15)


class Scripted(PlainRenderer):
    """Gives these answers, then plain ones; each waits for the gate. `jobs`: what it was given."""

    def __init__(self, *answers: Outcome | Resting) -> None:
        self.answers = deque(answers)
        self.jobs: list[Job] = []
        self.webhooks: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.anew: list[int] = []

    async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
        self.jobs.append(job)
        self.webhooks.append(webhook)
        self.begun.set()
        await self.gate.wait()
        if self.answers:
            return self.answers.popleft()
        return await super().render(job, workspace, webhook)

    def begin_anew(self, workspace: int, webhook: int) -> None:
        self.anew.append(webhook)

    def counts(self) -> list[PaceCount]:
        return []


async def test_the_receiver_gets_the_rendered_bodies_signed_and_in_order(tmp_path: Path) -> None:
    async with sending(tmp_path) as hooks:
        number = await hooks.workspace("acme", format=NOTE)
        await hooks.enqueue(number, "m1", "m2", "m3")

        hooks.wake(number)
        await hooks.rested()

        sent = [post.document for post in hooks.receiver.posts]
        assert [each["format"] for each in sent] == ["hubspot-note"] * 3
        assert ["m1" in sent[0]["body"], "m3" in sent[2]["body"]] == [True, True]
        assert [each["bundle"]["id"] for each in sent] == [post.id for post in hooks.receiver.posts]
        assert hooks.receiver.open_at_most == 1


async def test_who_waits_for_the_renderer_holds_no_slot(tmp_path: Path) -> None:
    renderer = Scripted()
    renderer.gate.clear()
    async with sending(tmp_path, renderer=renderer) as hooks:
        slow, quick = await hooks.workspace("slow", format=NOTE), await hooks.workspace("quick")
        await hooks.enqueue(slow, "m1")
        await hooks.enqueue(quick, "m2")
        hooks.wake(slow)
        await renderer.begun.wait()
        used = hooks.traffic.slots.used
        if not used:
            hooks.wake(quick)
            await hooks.receiver.until(1, "quick")
        renderer.gate.set()
        await hooks.rested()

        assert used == 0
        assert [len(hooks.receiver.at(each)) for each in ("slow", "quick")] == [1, 1]


async def test_what_cannot_be_rendered_or_has_no_record_holds_nothing_up(tmp_path: Path) -> None:
    renderer = Scripted(BROKEN, NoRecord())
    async with sending(tmp_path, renderer=renderer) as hooks:
        number = await hooks.workspace("acme", format=NOTE)
        await hooks.enqueue(number, "m1", "m2", "m3")

        hooks.wake(number)
        await hooks.rested()

        (post,) = hooks.receiver.posts
        assert "m3" in post.document["body"]
        assert hooks.seen == [("delivered", "2xx")]
        assert (hooks.state().dead_letters, hooks.state().consecutive_errors) == (1, 0)


async def test_while_its_rendering_rests_a_webhook_sends_nothing(tmp_path: Path) -> None:
    renderer = Scripted(RESTING)
    async with sending(tmp_path, renderer=renderer) as hooks:
        number = await hooks.workspace("acme", format=NOTE)
        await hooks.enqueue(number, "m1")
        hooks.wake(number, number)
        await hooks.store.until(lambda: hooks.state().rests_until_ms == RESTING.until_ms)
        hooks.wake(number)

        await hooks.store.do(hooks.store.changing("acme", format=OTHER))
        hooks.wake(number)
        await hooks.receiver.until(1)
        await hooks.rested()

        assert renderer.anew == [number]
        assert [job.format for job in renderer.jobs] == [NOTE, OTHER]


async def test_a_format_changed_meanwhile_is_the_one_that_is_sent(tmp_path: Path) -> None:
    renderer = Scripted()
    renderer.gate.clear()
    async with sending(tmp_path, renderer=renderer) as hooks:
        number = await hooks.workspace("acme", format=NOTE)
        await hooks.enqueue(number, "m1")
        hooks.wake(number)
        await renderer.begun.wait()

        await hooks.store.do(hooks.store.changing("acme", format=b'"slack"'))
        renderer.gate.set()
        await hooks.rested()

        (post,) = hooks.receiver.posts
        assert post.document["format"] == "slack"


async def test_an_actor_that_fails_while_it_waits_sends_it_once(tmp_path: Path) -> None:
    class Failing(Scripted):
        async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
            if not self.jobs:
                self.jobs.append(job)
                raise RuntimeError("a bug")
            return await super().render(job, workspace, webhook)

    async with sending(tmp_path, renderer=Failing()) as hooks:
        number = await hooks.workspace("acme", format=NOTE)
        await hooks.enqueue(number, "m1")

        hooks.wake(number)
        hooks.wake(number)
        await hooks.receiver.until(1)
        await hooks.rested()

        assert [post.document["format"] for post in hooks.receiver.posts] == ["hubspot-note"]
        assert hooks.state().consecutive_errors == 0


async def test_a_daemon_that_stops_does_not_wait_for_the_renderer(tmp_path: Path) -> None:
    renderer = Scripted()
    renderer.gate.clear()
    async with sending(tmp_path, renderer=renderer) as hooks:
        number = await hooks.workspace("acme", format=NOTE)
        await hooks.enqueue(number, "m1")
        hooks.wake(number)
        await renderer.begun.wait()

        hooks.traffic.open = False
        hooks.traffic.rendering.stop()
        await hooks.rested()

        assert hooks.receiver.posts == []
        assert hooks.state().queued == 1


# ---- memory


def render_of(workspace: int, size: int) -> Render:
    job = Job(format=NOTE, body=b"x" * size, bundle=BundleFacts("d"))
    return Render(webhook=workspace, workspace=workspace, delivery=1, job=job)


async def kept(made: Made) -> Made:
    return made


class Sized(Scripted):
    """Makes a body of this size of any other."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
        await super().render(job, workspace, webhook)
        return Rendered(b"x" * self.size)


async def test_one_workspace_cannot_take_all_the_memory_for_bodies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rendering, "ROOM_AGAIN_S", 0.0)
    renderer = Sized(1)
    renderer.gate.clear()
    way = Rendering(renderer, lambda: "p", bodies_room(100))
    first = asyncio.ensure_future(way.of(render_of(1, 59), kept))
    await renderer.begun.wait()

    with pytest.raises(NoRoomError):
        await asyncio.wait_for(way.of(render_of(1, 39), kept), 5)
    other = asyncio.ensure_future(way.of(render_of(2, 29), kept))
    renderer.gate.set()

    assert isinstance(await other, Rendered)
    assert isinstance(await first, Rendered)
    assert isinstance(await way.of(render_of(1, 39), kept), Rendered)
    assert way.room.used == 0


async def test_what_is_made_of_a_small_body_counts_as_long_as_it_waits_for_a_slot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rendering, "ROOM_AGAIN_S", 0.0)
    way = Rendering(Sized(45), lambda: "p", bodies_room(100))
    stored, slot = asyncio.Event(), asyncio.Event()

    async def store(made: Made) -> Made:
        stored.set()
        await slot.wait()
        return made

    first = asyncio.ensure_future(way.of(render_of(1, 1), store))
    await asyncio.wait_for(stored.wait(), 5)
    held = way.room.held(1)
    try:
        with pytest.raises(NoRoomError):
            await asyncio.wait_for(way.of(render_of(2, 1), store), 5)
    finally:
        slot.set()

    assert held == 45
    assert isinstance(await first, Rendered)
    assert isinstance(await way.of(render_of(2, 1), store), Rendered)
    assert way.room.used == 0


async def test_a_machine_that_renders_nothing_is_not_the_fault_of_a_format() -> None:
    renderer = Scripted(Resting(5, "machine"), Resting(6))
    way = Rendering(renderer, lambda: "p")

    assert await way.of(render_of(1, 1), kept) == Rests(5, "machine")
    assert await way.of(render_of(1, 2), kept) == Rests(6, "limits")
    assert renderer.anew == []


async def test_a_renderer_that_is_closed_has_nothing_more() -> None:
    class Closed(PlainRenderer):
        async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
            raise Overloaded("closed")

    assert await Rendering(Closed(), lambda: "p").of(render_of(1, 1), kept) is None


async def test_of_partitions_that_share_a_renderer_one_ends_alone_and_their_numbers_differ() -> (
    None
):
    renderer = Scripted()
    both = Rendering(renderer, lambda: "p")
    one, other = both.apart(0), both.apart(1 << 32)
    assert isinstance(await one.of(render_of(1, 1), kept), Rendered)
    one.stop()
    renderer.gate.clear()
    assert await one.of(render_of(1, 1), kept) is None
    renderer.gate.set()
    assert isinstance(await other.of(render_of(1, 1), kept), Rendered)

    assert {number >> 32 for number in renderer.webhooks} == {0, 1}
    assert both.made_bytes == one.made_bytes == other.made_bytes > 0


async def test_a_body_names_the_product() -> None:
    renderer = Scripted()
    await Rendering(renderer, lambda: "Timelines").of(render_of(1, 1), kept)

    assert renderer.jobs[0].product_name == "Timelines"
