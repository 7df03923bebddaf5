"""The same cases on Pykka's own `ThreadingActor` and on `LoopActor`.

Where the two differ, and which test says so:

    what                              ThreadingActor          LoopActor
    --------------------------------  ----------------------  --------------------------------
    ask arriving after the last turn  waits for ever          ActorDeadError  (late ask)
    asker of a BaseException          waits for ever          ActorDeadError  (asked doom)
    asker of a CancelledError         waits for ever          gets it; the actor lives  (cancelled)
    coroutine as an answer            handed over unawaited   awaited, then its result  (coroutine)
    start() from any thread           yes                     on the loop's thread only
    `actor_stopped`                   a threading.Event       is_set() and set(), no wait()
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pykka
import pytest

from hookbundle.engine.runtime.loop_actor import LoopActor
from hookbundle.engine.runtime.pykka_seam import Letter

SOON_S = 10
"""A time limit no test reaches unless something is broken."""
HANGS_S = 0.05
"""Long enough to say that nobody answers."""

T = TypeVar("T")


class Doom(BaseException):
    pass


class Notes(list[Any]):
    """What happened to an actor; `over` once its last hook has run."""

    def __init__(self) -> None:
        super().__init__()
        self.over = threading.Event()

    def end_with(self, note: str) -> bool:
        return self.over.wait(SOON_S) and self[-1] == note


class Notebook:
    """Mixed into either kind of actor: writes down everything that happens to it."""

    actor_ref: Any

    def __init__(self, notes: Notes, gate: threading.Event | None = None) -> None:
        super().__init__()
        self.notes = notes
        self.gate = gate
        self.colour = "blue"
        self.inside = 0

    def on_start(self) -> None:
        self.notes.append("start")

    def on_stop(self) -> None:
        self.notes.append("stop")
        self.notes.over.set()

    def on_failure(self, kind: Any, error: Any, traceback: Any) -> None:
        self.notes.append(f"failure {kind.__name__}")
        self.notes.over.set()

    def on_receive(self, message: Any) -> Any:
        if message == "wait":
            assert self.gate is not None
            self.gate.wait(SOON_S)
        if isinstance(message, BaseException):
            raise message
        self.notes.append(message)
        return f"re: {message}"

    def add(self, first: int, second: int) -> int:
        return first + second

    def fail(self) -> None:
        raise KeyError("no such thing")

    async def add_later(self, first: int, second: int) -> int:
        return first + second

    def enter(self) -> int:
        self.inside += 1
        most = self.inside
        for _ in range(50):
            most = max(most, self.inside)
        self.inside -= 1
        return most


class BadStart(Notebook):
    def on_start(self) -> None:
        raise ValueError("can't start")


class BadStop(Notebook):
    def on_stop(self) -> None:
        super().on_stop()
        raise ValueError("can't stop")


class BadFailure(Notebook):
    def on_failure(self, kind: Any, error: Any, traceback: Any) -> None:
        super().on_failure(kind, error, traceback)
        raise ValueError("can't even fail")


class Runtime:
    base: type[pykka.Actor] = pykka.ThreadingActor

    def start(self, behaviour: type[Any], *args: Any) -> Any:
        kind = type(behaviour.__name__, (behaviour, self.base), {})
        return self.call(lambda: kind.start(*args))  # type: ignore[attr-defined]

    def call(self, function: Callable[[], T]) -> T:
        return function()

    def close(self) -> None:
        pykka.ActorRegistry.stop_all(timeout=SOON_S)


class LoopRuntime(Runtime):
    base = LoopActor

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()

    def call(self, function: Callable[[], T]) -> T:
        async def on_the_loop() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(on_the_loop(), self.loop).result(SOON_S)

    def close(self) -> None:
        super().close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SOON_S)
        self.loop.close()


@pytest.fixture(params=[Runtime, LoopRuntime], ids=["threading", "loop"])
def runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    runtime: Runtime = request.param()
    yield runtime
    runtime.close()


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    gate = threading.Event()
    yield gate
    gate.set()


def is_on_the_loop(runtime: Runtime) -> bool:
    return isinstance(runtime, LoopRuntime)


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


def test_an_asked_exception_goes_to_the_asker_and_the_actor_lives(
    runtime: Runtime, notes: Notes
) -> None:
    ref = runtime.start(Notebook, notes)

    with pytest.raises(ValueError, match="bad question"):
        ref.ask(ValueError("bad question"), timeout=SOON_S)

    assert ref.ask("more", timeout=SOON_S) == "re: more"
    assert notes == ["start", "more"]


def test_a_told_exception_kills_the_actor_and_on_failure_is_called_instead_of_on_stop(
    runtime: Runtime, notes: Notes
) -> None:
    ref = runtime.start(Notebook, notes)

    ref.tell(ValueError("bad news"))

    assert notes.end_with("failure ValueError")
    assert not ref.is_alive()
    assert notes == ["start", "failure ValueError"]
    assert ref not in pykka.ActorRegistry.get_all()


def test_an_actor_that_can_not_start_dies_without_on_failure(
    runtime: Runtime, notes: Notes
) -> None:
    ref = runtime.start(BadStart, notes)

    with pytest.raises(pykka.ActorDeadError):
        ref.ask("anybody?", timeout=SOON_S)

    assert notes == []
    assert not ref.is_alive()


def test_an_on_stop_that_fails_hurts_nobody(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(BadStop, notes)
    other = runtime.start(Notebook, Notes())

    assert ref.stop(timeout=SOON_S) is True

    assert notes == ["start", "stop"]
    assert other.ask("well?", timeout=SOON_S) == "re: well?"


def test_an_on_failure_that_fails_hurts_nobody(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(BadFailure, notes)
    other = runtime.start(Notebook, Notes())

    ref.tell(ValueError("bad news"))

    assert notes.end_with("failure ValueError")
    assert not ref.is_alive()
    assert other.ask("well?", timeout=SOON_S) == "re: well?"


def test_stop_comes_after_the_mail_before_it(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)
    ref.tell("one")
    ref.tell("two")

    assert ref.stop(timeout=SOON_S) is True

    assert notes == ["start", "one", "two", "stop"]
    assert not ref.is_alive()
    assert ref not in pykka.ActorRegistry.get_all()


def test_a_stopped_actor_takes_no_mail(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)
    ref.stop(timeout=SOON_S)

    with pytest.raises(pykka.ActorDeadError):
        ref.tell("late")
    with pytest.raises(pykka.ActorDeadError):
        ref.ask("late", timeout=SOON_S)
    assert ref.stop(timeout=SOON_S) is False


def test_mail_behind_a_stop_is_answered_with_actor_dead(
    runtime: Runtime, notes: Notes, gate: threading.Event
) -> None:
    ref = runtime.start(Notebook, notes, gate)
    ref.tell("wait")
    stopping = ref.stop(block=False)
    question = ref.ask("and me?", block=False)
    stopping_again = ref.stop(block=False)

    gate.set()

    assert stopping.get(timeout=SOON_S) is True
    assert stopping_again.get(timeout=SOON_S) is True
    with pytest.raises(pykka.ActorDeadError):
        question.get(timeout=SOON_S)


def test_a_late_ask_waits_for_ever_on_a_thread_and_is_answered_on_the_loop(
    runtime: Runtime, notes: Notes
) -> None:
    ref = runtime.start(Notebook, notes)
    ref.stop(timeout=SOON_S)
    promise = ref.actor_class._create_future()

    # As if the asker had looked just before the actor stopped, and put just after.
    ref.actor_inbox.put(Letter("too late", promise))

    if is_on_the_loop(runtime):
        with pytest.raises(pykka.ActorDeadError):
            promise.get(timeout=SOON_S)
    else:
        with pytest.raises(pykka.Timeout):
            promise.get(timeout=HANGS_S)


def test_a_proxy_calls_reads_and_writes(runtime: Runtime, notes: Notes) -> None:
    proxy = runtime.start(Notebook, notes).proxy()

    proxy.colour = "red"

    assert proxy.colour.get(timeout=SOON_S) == "red"
    assert proxy.add(1, 2).get(timeout=SOON_S) == 3
    with pytest.raises(KeyError):
        proxy.fail().get(timeout=SOON_S)


def test_a_deferred_proxy_call_that_fails_kills_the_actor(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    ref.proxy().fail.defer()

    assert notes.end_with("failure KeyError")


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


def test_a_base_exception_stops_every_actor(runtime: Runtime, notes: Notes) -> None:
    others = Notes()
    ref = runtime.start(Notebook, notes)
    runtime.start(Notebook, others)

    ref.tell(Doom())

    assert notes.end_with("stop")
    assert others.end_with("stop")


def test_who_asked_for_doom_hangs_on_a_thread_and_is_answered_on_the_loop(
    runtime: Runtime, notes: Notes
) -> None:
    ref = runtime.start(Notebook, notes)

    promise = ref.ask(Doom(), block=False)

    assert notes.end_with("stop")
    expected = pykka.ActorDeadError if is_on_the_loop(runtime) else pykka.Timeout
    with pytest.raises(expected):
        promise.get(timeout=HANGS_S if not is_on_the_loop(runtime) else SOON_S)


def test_a_cancelled_error_in_an_ask_leaves_only_a_loop_actor_alive(
    runtime: Runtime, notes: Notes
) -> None:
    ref = runtime.start(Notebook, notes)

    promise = ref.ask(asyncio.CancelledError(), block=False)

    if is_on_the_loop(runtime):
        with pytest.raises(asyncio.CancelledError):
            promise.get(timeout=SOON_S)
        assert ref.ask("still there?", timeout=SOON_S) == "re: still there?"
    else:
        assert notes.end_with("stop")


def test_a_started_actor_is_registered_and_has_a_urn_of_its_own(
    runtime: Runtime, notes: Notes
) -> None:
    one, other = runtime.start(Notebook, notes), runtime.start(Notebook, notes)

    assert one.actor_urn != other.actor_urn
    assert one in pykka.ActorRegistry.get_all()
    assert str(one) == f"Notebook ({one.actor_urn})"


def test_an_actor_may_stop_itself(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    assert ref.proxy().stop().get(timeout=SOON_S) is None

    assert notes.end_with("stop")
