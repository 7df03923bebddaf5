"""The slots for attempts: lanes, who waits, and who gives way.

No request is made, and no clock waited for.
"""

import pytest

from hookbundle.actors.slot_lanes import FORGOTTEN_PER_S, LONG_S, SLOW_S, Lane, Standing
from hookbundle.tests.actors.fairness.slots import (
    FAILING,
    GIVE_WAY_S,
    LIMIT_S,
    NEW,
    PROVEN,
    Scene,
    running,
    settled,
)


@pytest.mark.parametrize(
    ("standing", "most"), [(FAILING, 10), (NEW, 15), (PROVEN, 20)], ids=["failing", "new", "proven"]
)
async def test_a_lane_takes_no_more_than_its_part(standing: Standing, most: int) -> None:
    scene = Scene(total=20)

    tasks = await scene.asked(range(100), standing)

    assert len(running(tasks)) == most
    assert scene.slots.used == most


async def test_however_many_fail_one_that_works_has_a_slot_at_once() -> None:
    scene = Scene(total=8)
    await scene.asked(range(1_000), FAILING)
    await scene.asked(range(1_000, 2_000), NEW)

    (sound,) = await scene.asked(range(5_000, 5_001), PROVEN)

    assert sound.done()


async def test_one_that_was_never_called_waits_for_none_that_fail() -> None:
    scene = Scene(total=8)
    await scene.asked(range(1_000), FAILING)

    (new,) = await scene.asked(range(5_000, 5_001), NEW)

    assert new.done()


async def test_after_a_start_the_error_count_of_the_database_decides() -> None:
    scene = Scene(total=4)
    tasks = await scene.asked(range(50), FAILING)  # nothing is remembered of any of them

    assert {slot.lane for slot in running(tasks)} == {Lane.TROUBLED}
    assert scene.slots.waiting(Lane.TROUBLED) == 48


async def test_those_of_one_lane_are_served_in_the_order_in_which_they_came() -> None:
    scene = Scene(total=2)
    tasks = await scene.asked(range(10), FAILING)
    served: list[int] = []

    while len(served) < 10:
        (slot,) = [slot for slot in running(tasks) if slot.webhook not in served]
        served.append(slot.webhook)
        scene.finish(slot, timed_out=True)
        await settled()

    assert served == list(range(10))


async def test_every_lane_is_served_however_many_wait_in_another() -> None:
    scene = Scene(total=4)
    proven = await scene.asked(range(50), PROVEN)
    failing = await scene.asked(range(100, 110), FAILING)
    ended = 0

    while not failing[0].done():
        scene.finish(running(proven)[ended], timed_out=False)
        ended += 1
        await settled()

    assert ended <= 3


async def test_a_receiver_that_is_slow_but_right_is_troubled_until_that_is_forgotten() -> None:
    scene = Scene(total=20)

    await scene.run(1, took_s=14.0)
    lanes = [scene.lane_of(1)]
    scene.now_s += (14.0 - SLOW_S) / FORGOTTEN_PER_S
    lanes.append(scene.lane_of(1))
    scene.now_s += (SLOW_S - LONG_S) / FORGOTTEN_PER_S
    lanes.append(scene.lane_of(1))

    assert lanes == [Lane.TROUBLED, Lane.LONG, Lane.PROVEN]


async def test_successes_between_time_outs_do_not_make_it_forgotten() -> None:
    scene = Scene(total=20)

    await scene.run(1, took_s=LIMIT_S, timed_out=True)
    for _ in range(100):
        await scene.run(1, took_s=0.01)

    assert scene.lane_of(1) is Lane.TROUBLED


async def test_one_that_fails_fast_works_again_with_its_next_success() -> None:
    scene = Scene(total=20)

    await scene.run(1, took_s=0.1, standing=FAILING)
    scene.known[1] = PROVEN

    assert scene.lane_of(1) is Lane.PROVEN


async def test_fast_webhooks_are_not_remembered() -> None:
    scene = Scene(total=20)

    for webhook in range(100):
        await scene.run(webhook, took_s=LONG_S)

    assert len(scene.slots._pasts) == 0


async def test_attempts_that_have_run_long_give_way_to_one_that_works() -> None:
    """All slots are held by webhooks that worked until now: an outage of many."""
    scene = Scene(total=4)
    held = running(await scene.asked(range(4), PROVEN))
    (waits,) = await scene.asked(range(9, 10), PROVEN)

    scene.now_s += GIVE_WAY_S - 0.1
    scene.look()
    early = [slot.gave_way for slot in held]
    scene.now_s += 0.1
    scene.look()
    late = [slot.gave_way for slot in held]
    scene.look()  # one is enough for one who waits
    uncounted = scene.finish(held[0], timed_out=True)
    await settled()

    assert (early, late) == ([False] * 4, [True, False, False, False])
    assert [slot.gave_way for slot in held] == late
    assert uncounted
    assert waits.done()


async def attempt_while_another_waits(scene: Scene, takes_s: float) -> tuple[bool, bool]:
    """One of webhook 0. Whether it gave way, and whether it counts."""
    (slot,) = running(await scene.asked(range(1), FAILING))
    (waits,) = await scene.asked(range(1, 2), PROVEN)
    scene.now_s += min(takes_s, GIVE_WAY_S)
    scene.look()
    if not slot.gave_way:
        scene.now_s += min(takes_s, LIMIT_S) - GIVE_WAY_S
    timed_out = slot.gave_way or takes_s >= LIMIT_S
    uncounted = scene.finish(slot, timed_out=timed_out)
    await settled()
    scene.finish(waits.result(), timed_out=False)
    return slot.gave_way, not uncounted


async def test_an_attempt_gives_way_at_most_every_second_time() -> None:
    scene = Scene(total=1)

    seen = [await attempt_while_another_waits(scene, takes_s=LIMIT_S) for _ in range(5)]

    assert [gave_way for gave_way, _ in seen] == [True, False, True, False, True]


async def test_one_that_gives_way_is_an_error_only_if_it_timed_out_before() -> None:
    scene = Scene(total=1)

    seen = [await attempt_while_another_waits(scene, takes_s=LIMIT_S) for _ in range(3)]

    assert [counts for _, counts in seen] == [False, True, True]


async def test_a_receiver_that_needs_eight_seconds_and_timed_out_once_gets_them() -> None:
    scene = Scene(total=1)
    await scene.run(0, took_s=LIMIT_S, timed_out=True)

    first = await attempt_while_another_waits(scene, takes_s=8.0)
    second = await attempt_while_another_waits(scene, takes_s=8.0)

    assert (first[0], second[0]) == (True, False)


async def test_failing_ones_that_did_not_time_out_do_not_end_each_other() -> None:
    scene = Scene(total=2)
    (slot,) = running(await scene.asked(range(2), FAILING))

    scene.now_s += LIMIT_S
    scene.look()

    assert not slot.gave_way


async def test_an_answer_that_came_before_the_end_counts() -> None:
    scene = Scene(total=1)
    (slot,) = running(await scene.asked(range(1), PROVEN))
    await scene.asked(range(1, 2), PROVEN)
    scene.now_s += GIVE_WAY_S
    scene.look()

    assert slot.gave_way
    assert not scene.finish(slot, timed_out=False)


async def test_whoever_waits_and_gives_up_takes_no_slot_along() -> None:
    scene = Scene(total=1)
    (slot,) = running(await scene.asked(range(1), PROVEN))
    leaving = scene.ask(1)
    staying = scene.ask(2)
    await settled()

    leaving.cancel()
    await settled()
    scene.finish(slot, timed_out=False)
    await settled()

    assert staying.done()
    assert scene.slots.used == 1


async def test_one_that_gives_up_as_it_gets_its_slot_gives_it_back() -> None:
    scene = Scene(total=1)
    (slot,) = running(await scene.asked(range(1), PROVEN))
    leaving = scene.ask(1)
    await settled()

    scene.finish(slot, timed_out=False)
    leaving.cancel()
    await settled()

    assert scene.slots.used == 0


async def test_a_long_queue_goes_on_while_no_other_is_kept_from_a_slot() -> None:
    scene = Scene(total=4)
    (proven,) = running(await scene.asked(range(1), PROVEN))
    failing = running(await scene.asked(range(10, 20), FAILING))

    rooms = [scene.slots.has_room(slot.lane) for slot in (proven, *failing)]

    assert rooms == [True, False, False]


async def test_an_attempt_that_never_ended_is_forgotten_with_its_slot() -> None:
    """Its actor failed between the begin and the request."""
    scene = Scene(total=1)
    (slot,) = running(await scene.asked(range(1), PROVEN))
    (waits,) = await scene.asked(range(1, 2), PROVEN)

    scene.slots.give_back(slot)
    await settled()
    scene.now_s += GIVE_WAY_S
    await scene.asked(range(2, 3), PROVEN)
    scene.look()

    assert (slot.gave_way, waits.result().gave_way) == (False, True)


async def test_one_that_has_given_up_is_passed_over() -> None:
    scene = Scene(total=1)
    (slot,) = running(await scene.asked(range(1), PROVEN))
    leaving, staying = await scene.asked(range(1, 3), PROVEN)

    leaving.cancel()
    scene.finish(slot, timed_out=False)
    await settled()

    assert leaving.cancelled()
    assert staying.done()
    assert scene.slots.used == 1
