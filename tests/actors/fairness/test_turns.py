"""Which transitions wait for which others, and how heavy a group is."""

from collections.abc import Iterator

from hookbundle.actors.turns import LINE_WEIGHT, SHARED_WEIGHT, SLICE_WEIGHT, Turns, Work
from hookbundle.engine import limits
from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.keyspace import Due, DueKind
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.storage.transitions.attempting import BeginAttempt
from hookbundle.storage.transitions.costs import COSTS
from hookbundle.storage.transitions.sealing import SealDue, SealWindow
from hookbundle.storage.transitions.table import TRANSITIONS, Transition
from hookbundle.storage.transitions.timed.erase_steps import EraseStep
from hookbundle.tests.actors.stores import incoming

GREEDY, QUIET = 1, 2


def accepting(workspace: int, *messages: Incoming, chat: str = "c") -> AcceptMessages:
    return AcceptMessages(
        workspace_number=workspace,
        chat_id=chat,
        messages=messages or (incoming("m1"),),
        skipped=(),
        now_ms=0,
        product_name="the inbox",
        quota=Quota(),
    )


def a_batch(workspace: int) -> AcceptMessages:
    """As much as one transition may have."""
    text = "x" * (limits.PART_BYTES_MAX // limits.PART_MESSAGES_MAX - 200)
    some = (incoming(f"m{number}", text) for number in range(limits.PART_MESSAGES_MAX))
    return accepting(workspace, *some)


def sealing(webhook: int, rows: int = 1) -> SealDue:
    due = (Due(1, DueKind.WINDOW, webhook, b"c%d" % number) for number in range(rows))
    return SealDue(tuple(due), 1, "the inbox")


def turns_of(*transitions: Transition) -> Turns:
    turns = Turns({})
    for transition in transitions:
        turns.add(Work(transition, lambda _: None))
    return turns


def groups(turns: Turns) -> Iterator[list[Transition]]:
    while len(turns):
        group = []
        turns.begin_group()
        while work := turns.take():
            group.append(work.transition)
        yield group


def weight_of(group: list[Transition]) -> int:
    return sum(COSTS[type(each)].weight(each) for each in group)


def test_every_transition_has_a_cost() -> None:
    assert COSTS.keys() == TRANSITIONS.keys()


def test_a_bystanders_message_is_in_the_next_group_whatever_another_has_brought() -> None:
    bystander = accepting(QUIET)
    turns = turns_of(*[a_batch(GREEDY) for _ in range(100)], bystander)

    assert bystander in next(groups(turns))


def test_nor_does_it_wait_for_ten_thousand_small_ones() -> None:
    bystander = accepting(QUIET)
    turns = turns_of(*[accepting(GREEDY) for _ in range(10_000)], bystander)

    before = next(groups(turns))
    assert weight_of(before[: before.index(bystander)]) <= SLICE_WEIGHT


def test_a_message_waits_for_two_groups_when_sealing_and_attempts_are_also_behind() -> None:
    bystander = accepting(QUIET)
    seals = [sealing(GREEDY, rows=500) for _ in range(100)]
    turns = turns_of(*seals, *[a_batch(GREEDY) for _ in range(100)], bystander)

    first, second, *_ = groups(turns)

    assert bystander in first + second


def test_a_flood_of_intake_delays_neither_an_outcome_nor_a_window() -> None:
    outcome, window = BeginAttempt(GREEDY, 0), sealing(GREEDY)
    turns = turns_of(*[accepting(GREEDY) for _ in range(10_000)], outcome, window)

    first = next(groups(turns))

    assert first.index(outcome) <= 3
    assert first.index(window) <= 3


def test_a_tenant_with_twenty_webhooks_has_one_turn_and_not_twenty() -> None:
    webhooks = range(10, 30)
    turns = Turns(dict.fromkeys(webhooks, GREEDY))
    for transition in [sealing(webhook, rows=500) for _ in range(20) for webhook in webhooks]:
        turns.add(Work(transition, lambda _: None))
    for _ in range(5):
        turns.add(Work(sealing(QUIET, rows=500), lambda _: None))

    first = [transition for group in groups(turns) for transition in group][:12]

    assert first.count(sealing(QUIET, rows=500)) == 5


def test_a_group_with_others_work_ends_half_way_for_who_has_had_his_share() -> None:
    bystander = accepting(QUIET)
    turns = turns_of(*[a_batch(GREEDY) for _ in range(100)], bystander)
    both, alone, *_ = groups(turns)

    assert bystander in both
    assert weight_of(both) <= SHARED_WEIGHT
    assert SHARED_WEIGHT < weight_of(alone) <= limits.GROUP_WEIGHT


def test_a_group_of_many_who_bring_little_is_full() -> None:
    turns = turns_of(*[accepting(owner) for _ in range(4) for owner in range(1_000)])

    first = next(groups(turns))

    assert limits.GROUP_WEIGHT - 50 < weight_of(first) <= limits.GROUP_WEIGHT


def test_a_large_erasure_delays_no_others_window() -> None:
    row = Due(0, DueKind.ERASE, GREEDY)
    steps = [EraseStep(row=row, most=10_000, now_ms=0) for _ in range(50)]
    window = sealing(QUIET)
    turns = turns_of(*steps, window)

    assert next(groups(turns))[0] == window


def test_a_group_weighs_what_it_may_and_no_more() -> None:
    turns = turns_of(*[a_batch(number) for number in range(40)])

    weights = [weight_of(group) for group in groups(turns)]

    assert max(weights) <= limits.GROUP_WEIGHT
    assert min(weights[:-1]) > limits.GROUP_WEIGHT - limits.STEP_WEIGHT - 2_000


def test_what_is_heavier_than_a_group_has_one_of_its_own() -> None:
    long = accepting(GREEDY, *(incoming(f"m{number}") for number in range(10_000)))

    assert [len(group) for group in groups(turns_of(long, long, long))] == [1, 1, 1]


def test_what_turns_out_heavier_than_it_was_thought_ends_the_group() -> None:
    turns = turns_of(sealing(GREEDY), sealing(GREEDY), accepting(QUIET))
    turns.begin_group()

    turns.take()
    turns.spent(limits.GROUP_WEIGHT)

    assert turns.take() is None
    turns.begin_group()
    work = turns.take()
    assert work is not None
    assert isinstance(work.transition, AcceptMessages), "its lane has paid for it"


def test_who_brings_what_is_heavier_than_it_looks_pays_with_what_he_brings_next() -> None:
    turns = turns_of(*[a_batch(GREEDY) for _ in range(3)])
    turns.begin_group()
    turns.take()
    turns.spent(limits.GROUP_WEIGHT)

    later, bystander = accepting(GREEDY, chat="d"), accepting(QUIET)
    turns.add(Work(later, lambda _: None))
    for number in range(500):
        turns.add(Work(accepting(QUIET, chat=f"c{number}"), lambda _: None))
    turns.add(Work(bystander, lambda _: None))

    order = [transition for group in groups(turns) for transition in group]

    assert order.index(bystander) < order.index(later)


def test_a_message_weighs_as_much_for_each_webhook_of_its_workspace() -> None:
    bystander = accepting(QUIET)
    turns = Turns({}, {GREEDY: limits.WEBHOOKS_MAX})
    for transition in [*[accepting(GREEDY) for _ in range(10_000)], bystander]:
        turns.add(Work(transition, lambda _: None))

    before = next(groups(turns))
    before = before[: before.index(bystander)]

    assert limits.WEBHOOKS_MAX * weight_of(before) <= SLICE_WEIGHT


def test_what_one_owner_submits_in_a_lane_stays_in_its_order() -> None:
    first = accepting(GREEDY, *(incoming(f"m{number}") for number in range(400)))
    flush = SealWindow(workspace_number=GREEDY, chat_id="c", now_ms=0, product_name="the inbox")
    last = accepting(GREEDY)
    turns = turns_of(first, flush, last)

    assert [each for group in groups(turns) for each in group] == [first, flush, last]


def test_a_lane_that_was_idle_has_no_claim_on_the_time_before() -> None:
    turns = turns_of(*[accepting(GREEDY) for _ in range(1_000)])
    turns.begin_group()
    for _ in range(500):
        turns.take()
    for webhook in range(100):
        turns.add(Work(BeginAttempt(webhook, 0), lambda _: None))

    taken = [type(work.transition) for _ in range(40) if (work := turns.take())]

    assert 5 <= taken.count(AcceptMessages) <= 35


def in_a_group(*transitions: Transition) -> Turns:
    """The turns after a group has begun, of which these are the first that come."""
    turns = Turns({})
    turns.begin_group()
    for transition in transitions:
        turns.add(Work(transition, lambda _: None))
    return turns


def taken_from(turns: Turns, most: int = 20_000) -> list[Transition]:
    return [work.transition for _ in range(most) if (work := turns.take())]


def test_what_fits_into_a_group_is_taken_in_the_order_in_which_it_came() -> None:
    some: list[Transition] = [accepting(GREEDY), sealing(GREEDY), accepting(QUIET)]
    some = [*some, BeginAttempt(GREEDY, 0)] * 25

    assert weight_of(some) <= LINE_WEIGHT
    assert taken_from(in_a_group(*some)) == some


def test_a_line_that_gets_too_long_is_put_into_turns() -> None:
    bystander = accepting(QUIET)
    turns = in_a_group(*[accepting(GREEDY) for _ in range(400)], bystander)
    begun = taken_from(turns, 10)
    for _ in range(10_000):
        turns.add(Work(accepting(GREEDY), lambda _: None))

    following = taken_from(turns)

    assert len(begun) == 10
    assert weight_of(following[: following.index(bystander)]) <= SLICE_WEIGHT
    assert SHARED_WEIGHT - 50 < weight_of(begun + following) <= SHARED_WEIGHT


def test_nobody_stands_in_line_while_others_wait_for_their_turn() -> None:
    turns = in_a_group(*[a_batch(GREEDY) for _ in range(20)])
    first, bystander, window = taken_from(turns), accepting(QUIET), sealing(GREEDY)
    turns.begin_group()
    turns.add(Work(bystander, lambda _: None))
    turns.add(Work(window, lambda _: None))

    second = taken_from(turns)

    assert len(turns) == 22 - len(first) - len(second)
    assert {type(each) for each in second} == {AcceptMessages, SealDue}
    assert bystander in second


def test_what_stands_in_line_behind_something_heavy_waits_for_the_next_group() -> None:
    light = accepting(QUIET)
    turns = in_a_group(sealing(GREEDY), light)

    turns.take()
    turns.spent(limits.GROUP_WEIGHT)

    assert turns.take() is None
    assert list(groups(turns)) == [[light]]
