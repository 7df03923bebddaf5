"""The same cases on Pykka's own `ThreadingActor` and on `LoopActor`.

How actors end is in `test_actor_contract_endings.py`. Where the two differ, and in which test:

    what                              ThreadingActor          LoopActor
    --------------------------------  ----------------------  --------------------------------
    ask arriving after the last turn  waits for ever          ActorDeadError  (late ask)
    asker of a BaseException          waits for ever          ActorDeadError  (asked doom)
    asker of a CancelledError         waits for ever          gets it; the actor lives  (cancelled)
    coroutine as an answer            handed over unawaited   awaited, then its result  (coroutine)
    start() from any thread           yes                     on the loop's thread only
    `actor_stopped`                   a threading.Event       is_set() and set(), no wait()
"""

import inspect
import threading

import pykka
import pytest

from hookbundle.tests.engine.runtime.contract import (
    HANGS_S,
    SOON_S,
    Notebook,
    Notes,
    Runtime,
    is_on_the_loop,
)


def test_tells_are_handled_in_the_order_they_were_sent(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    for number in range(1_000):
        ref.tell(number)

    assert ref.ask("end", timeout=SOON_S) == "re: end"
    assert notes == ["start", *range(1_000), "end"]


def test_on_start_comes_before_the_first_message(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    ref.ask("first", timeout=SOON_S)

    assert notes == ["start", "first"]


def test_an_ask_can_be_answered_later(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    promise = ref.ask("question", block=False)

    assert promise.get(timeout=SOON_S) == "re: question"
    assert promise.get(timeout=SOON_S) == "re: question"


def test_an_ask_may_time_out(runtime: Runtime, notes: Notes, gate: threading.Event) -> None:
    ref = runtime.start(Notebook, notes, gate)

    with pytest.raises(pykka.Timeout):
        ref.ask("wait", timeout=HANGS_S)


def test_a_proxy_calls_reads_and_writes(runtime: Runtime, notes: Notes) -> None:
    proxy = runtime.start(Notebook, notes).proxy()

    proxy.colour = "red"

    assert proxy.colour.get(timeout=SOON_S) == "red"
    assert proxy.add(1, 2).get(timeout=SOON_S) == 3
    with pytest.raises(KeyError):
        proxy.fail().get(timeout=SOON_S)


def test_answers_can_be_mapped_joined_filtered_and_reduced(runtime: Runtime, notes: Notes) -> None:
    proxy = runtime.start(Notebook, notes).proxy()
    three, four = proxy.add(1, 2), proxy.add(1, 3)

    joined = three.join(four)

    assert three.map(lambda value: value * 10).get(timeout=SOON_S) == 30
    assert joined.get(timeout=SOON_S) == [3, 4]
    assert joined.filter(lambda value: value > 3).get(timeout=SOON_S) == [4]
    assert joined.reduce(lambda one, other: one + other).get(timeout=SOON_S) == 7


def test_a_coroutine_is_awaited_on_the_loop_and_handed_over_by_a_thread(
    runtime: Runtime, notes: Notes
) -> None:
    proxy = runtime.start(Notebook, notes).proxy()

    answer = proxy.add_later(1, 2).get(timeout=SOON_S)

    if is_on_the_loop(runtime):
        assert answer == 3
    else:
        assert inspect.iscoroutine(answer)
        answer.close()


def test_one_message_at_a_time_under_eight_producers(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)
    proxy = ref.proxy()
    most: list[int] = []

    def produce(producer: int) -> None:
        for number in range(100):
            ref.tell((producer, number))
        most.extend(proxy.enter().get(timeout=SOON_S) for _ in range(20))

    producers = [threading.Thread(target=produce, args=(number,)) for number in range(8)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join(SOON_S)

    assert most == [1] * 160
    for number in range(8):
        mine = [note for note in notes[1:] if note[0] == number]
        assert mine == [(number, count) for count in range(100)]


def test_a_started_actor_is_registered_and_has_a_urn_of_its_own(
    runtime: Runtime, notes: Notes
) -> None:
    one, other = runtime.start(Notebook, notes), runtime.start(Notebook, notes)

    assert one.actor_urn != other.actor_urn
    assert one in pykka.ActorRegistry.get_all()
    assert str(one) == f"Notebook ({one.actor_urn})"
