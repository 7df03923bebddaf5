"""Whoever has something to send is woken: at every moment, and at every start."""

import asyncio
from pathlib import Path

from hookbundle.tests.actors.writing import Writing, waiting
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import event, living, receiving


async def test_a_message_that_comes_as_the_queue_empties_is_sent_at_once(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        answering = asyncio.Event()
        receiver.answers(Answer(after=answering), 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))
        await receiver.until(1)
        writing = Writing(house)
        await writing.begin()

        answering.set()
        await waiting(house, 1)
        second = asyncio.ensure_future(house.accept("acme", event("m2")))
        await waiting(house, 2)
        writing.end()

        await second
        posts = await receiver.until(2)
        assert [post.message_ids for post in posts] == [["m1"], ["m2"]]


async def test_what_was_ready_before_a_start_is_sent_after_it(tmp_path: Path) -> None:
    async with receiving() as receiver:
        receiver.answers(Answer(after=asyncio.Event()), 200)
        async with living(tmp_path, stop_within_s=0.01) as house:
            await house.make("acme", receiver)
            await house.accept("acme", event("m1"), event("m2"))
            await receiver.until(1)

        async with living(tmp_path) as house:
            await house.facts.until("delivery.delivered", 2)

        assert [post.message_ids for post in receiver.posts] == [["m1"], ["m1"], ["m2"]]
