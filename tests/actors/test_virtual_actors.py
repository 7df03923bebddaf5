"""A webhook with something to send is woken: at any moment, and after any start."""

import asyncio
from pathlib import Path

from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import daemon_in, event, receiving


async def test_a_message_that_comes_as_the_queue_empties_is_sent_at_once(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        answering = asyncio.Event()
        receiver.answers(Answer(after=answering), 200)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await receiver.until(1)
        writing = Writing(system)
        await writing.begin()

        answering.set()
        await waiting(system, 1)
        second = asyncio.ensure_future(system.accept("acme", event("m2")))
        await waiting(system, 2)
        writing.end()

        await second
        posts = await receiver.until(2)
        assert [post.message_ids for post in posts] == [["m1"], ["m2"]]


async def test_what_was_ready_before_a_start_is_sent_after_it(tmp_path: Path) -> None:
    async with receiving() as receiver:
        receiver.answers(Answer(after=asyncio.Event()), 200)
        async with daemon_in(tmp_path, stop_within_s=0.01) as system:
            await system.make("acme", receiver)
            await system.accept("acme", event("m1"), event("m2"))
            await receiver.until(1)

        async with daemon_in(tmp_path) as system:
            await system.facts.until("delivery.delivered", 2)

        assert [post.message_ids for post in receiver.posts] == [["m1"], ["m1"], ["m2"]]
