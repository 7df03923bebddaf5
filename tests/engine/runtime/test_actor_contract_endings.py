"""The same failures and stops on Pykka's `ThreadingActor` and on `LoopActor`.

The table in `test_actor_contract.py` says where the two differ.
"""

import asyncio
import threading

import pykka
import pytest

from hookbundle.engine.runtime.pykka_seam import Envelope
from hookbundle.tests.engine.runtime.contract import (
    HANGS_S,
    SOON_S,
    BadFailure,
    BadStart,
    BadStop,
    Doom,
    Notebook,
    Notes,
    Runtime,
    is_on_the_loop,
)


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


def test_an_on_stop_that_fails_changes_nothing(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(BadStop, notes)
    other = runtime.start(Notebook, Notes())

    assert ref.stop(timeout=SOON_S) is True

    assert notes == ["start", "stop"]
    assert other.ask("well?", timeout=SOON_S) == "re: well?"


def test_an_on_failure_that_fails_changes_nothing(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(BadFailure, notes)
    other = runtime.start(Notebook, Notes())

    ref.tell(ValueError("bad news"))

    assert notes.end_with("failure ValueError")
    assert not ref.is_alive()
    assert other.ask("well?", timeout=SOON_S) == "re: well?"


def test_stop_comes_after_the_messages_before_it(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)
    ref.tell("one")
    ref.tell("two")

    assert ref.stop(timeout=SOON_S) is True

    assert notes == ["start", "one", "two", "stop"]
    assert not ref.is_alive()
    assert ref not in pykka.ActorRegistry.get_all()


def test_a_stopped_actor_takes_no_messages(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)
    ref.stop(timeout=SOON_S)

    with pytest.raises(pykka.ActorDeadError):
        ref.tell("late")
    with pytest.raises(pykka.ActorDeadError):
        ref.ask("late", timeout=SOON_S)
    assert ref.stop(timeout=SOON_S) is False


def test_a_message_behind_a_stop_is_answered_with_actor_dead(
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
    ref.actor_inbox.put(Envelope("too late", promise))

    if is_on_the_loop(runtime):
        with pytest.raises(pykka.ActorDeadError):
            promise.get(timeout=SOON_S)
    else:
        with pytest.raises(pykka.Timeout):
            promise.get(timeout=HANGS_S)


def test_a_deferred_proxy_call_that_fails_kills_the_actor(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    ref.proxy().fail.defer()

    assert notes.end_with("failure KeyError")


def test_a_base_exception_stops_every_actor(runtime: Runtime, notes: Notes) -> None:
    others = Notes()
    ref = runtime.start(Notebook, notes)
    runtime.start(Notebook, others)

    ref.tell(Doom())

    assert notes.end_with("stop")
    assert others.end_with("stop")


def test_an_ask_that_raises_doom_hangs_on_a_thread_and_is_answered_on_the_loop(
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


def test_an_actor_may_stop_itself(runtime: Runtime, notes: Notes) -> None:
    ref = runtime.start(Notebook, notes)

    assert ref.proxy().stop().get(timeout=SOON_S) is None

    assert notes.end_with("stop")
