"""What the Store has committed is passed on, some of it in each pass of the loop."""

import asyncio
from functools import partial
from pathlib import Path

from hookbundle.actors.store import TOLD_AT_ONCE
from hookbundle.tests.actors.stores import TIMEOUT_S, storing
from hookbundle.tests.passes import passes
from hookbundle.tests.storage.noting import note_of


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
    assert seen.most <= TOLD_AT_ONCE
