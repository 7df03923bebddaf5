"""What the Store has committed is passed on, some of it in each pass of the loop."""

import asyncio
from functools import partial
from pathlib import Path

from hookbundle.actors.results.passing_on import ASKED_AT_ONCE, OTHERS_AT_ONCE, Done, PassingOn
from hookbundle.actors.turns import Work
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.table import Transition
from hookbundle.tests.actors.stores import TIMEOUT_S, storing
from hookbundle.tests.passes import passes
from hookbundle.tests.storage.noting import note_of

AN_ACCEPTED_MESSAGE = AcceptMessages(
    workspace_number=1,
    chat_id="c",
    messages=(),
    skipped=(),
    now_ms=1,
    product_name="the inbox",
    quota=Quota(),
)


async def test_of_many_results_some_are_passed_on_in_each_pass_of_the_loop_in_their_order(
    tmp_path: Path,
) -> None:
    async with storing(tmp_path) as store:
        done, all_done = list[int](), asyncio.Event()
        with passes() as seen:

            def then(number: int, result: object) -> None:
                seen.count()
                done.append(number)
                if len(done) == 1_000:
                    all_done.set()
                if number == 7:
                    raise ValueError("this one could not be passed on")

            for number in range(1_000):
                store.store_queue.submit(note_of("noted", "", 1), partial(then, number))
            await asyncio.wait_for(all_done.wait(), TIMEOUT_S)

    assert done == list(range(1_000))
    assert seen.most <= OTHERS_AT_ONCE


async def test_a_callers_result_stands_in_no_line_behind_those_of_attempts_and_of_the_timer() -> (
    None
):
    passing_on, told = PassingOn(asyncio.get_running_loop()), list[str]()
    all_told = asyncio.Event()

    def then(name: str, result: object) -> None:
        told.append(name)
        if len(told) == 10 * OTHERS_AT_ONCE + 2 * ASKED_AT_ONCE:
            all_told.set()

    def done(name: str, transition: Transition, count: int) -> Done:
        group = Done(feed_next=1)
        for _ in range(count):
            group.add(Work(transition, partial(then, name)), None)
        return group

    passing_on.add(done("note", note_of("noted", "", 1), 10 * OTHERS_AT_ONCE))
    passing_on.add(done("message", AN_ACCEPTED_MESSAGE, 2 * ASKED_AT_ONCE))
    await asyncio.wait_for(all_told.wait(), TIMEOUT_S)

    last = len(told) - told[::-1].index("message")
    assert told[:last].count("note") <= 2 * OTHERS_AT_ONCE
