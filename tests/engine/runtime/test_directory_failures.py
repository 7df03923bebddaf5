"""Virtual actors that fail: dead letters, new activations, quarantine."""

import asyncio
from typing import Any

import pytest

from hookbundle.engine.errors import (
    ActorFailed,
    CorruptRecord,
    HookbundleError,
    Quarantined,
)
from hookbundle.tests.engine.runtime.directories import SOON_S, DirectoryUnderTest


async def test_a_failed_actor_loses_its_message_and_a_new_one_gets_those_behind_it() -> None:
    directory = DirectoryUnderTest()
    bad = ValueError("indigestible")
    directory.tell("a", 1)
    first = directory.actor("a")

    directory.tell("a", bad, 2, 3)
    await directory.handled()

    assert directory.activated == ["a", "a"]
    assert directory.actor("a") is not first
    assert directory.book == [("a", 1), ("a", 2), ("a", 3)]
    [(key, message, error)] = directory.dead
    assert (key, message) == ("a", bad)
    assert isinstance(error, ActorFailed)
    assert error.__cause__ is bad


async def test_an_ask_behind_a_failure_is_answered_by_the_new_activation() -> None:
    directory = DirectoryUnderTest()
    directory.tell("a", ValueError("no"))

    answer = directory.actor("a").actor_ref.ask("well?", block=False)

    assert await asyncio.wait_for(answer, SOON_S) == "well?"


async def test_a_message_sent_on_a_dead_letter_comes_behind_those_that_waited() -> None:
    directory = DirectoryUnderTest()
    bad = ValueError("no")
    record = directory.on_dead_letter

    def record_and_tell(key: str, message: Any, error: HookbundleError) -> None:
        record(key, message, error)
        directory.tell(key, "from the dead letter")

    directory.directory._on_dead_letter = record_and_tell
    directory.tell("a", bad, "waited")
    await directory.handled()

    assert [message for _, message in directory.book] == ["waited", "from the dead letter"]


@pytest.mark.parametrize("where", ["broken", "broken_starts"])
async def test_an_actor_that_can_not_start_fails_the_message_that_activated_it(where: str) -> None:
    directory = DirectoryUnderTest()
    error = CorruptRecord("chat/a: bad checksum")
    getattr(directory, where)["a"] = error

    directory.tell("a", 1)
    await directory.handled()

    assert directory.dead == [("a", 1, error)]
    assert directory.directory.active_count == 0


@pytest.mark.parametrize("where", ["broken", "broken_starts"])
async def test_once_it_can_start_it_takes_messages_again(where: str) -> None:
    directory = DirectoryUnderTest()
    getattr(directory, where)["a"] = ValueError("not now")
    directory.tell("a", 1)
    await directory.handled()

    getattr(directory, where).clear()
    directory.tell("a", 2)
    await directory.handled()

    assert directory.book == [("a", 2)]


async def test_too_many_failures_put_the_key_in_quarantine_and_no_other() -> None:
    directory = DirectoryUnderTest()
    errors = [ValueError(f"number {number}") for number in range(3)]

    directory.tell("a", *errors, "behind")
    directory.tell("b", 1)
    await directory.handled()
    directory.tell("a", "later")

    assert directory.quarantines == [("a", errors[2])]
    assert [type(error) for *_, error in directory.dead] == [ActorFailed] * 3 + [Quarantined] * 2
    assert [message for _, message, _ in directory.dead] == [*errors, "behind", "later"]
    assert directory.book == [("b", 1)]
    [quarantine] = directory.directory.quarantined()
    assert (quarantine.key, quarantine.until_ms) == ("a", directory.now_ms + 5_000)
    assert quarantine.last_error is errors[2]


async def test_an_ask_behind_the_last_failure_is_answered_with_the_quarantine() -> None:
    directory = DirectoryUnderTest(failures_max=0)
    directory.tell("a", ValueError("no"))

    answer = directory.actor("a").actor_ref.ask("well?", block=False)

    with pytest.raises(Quarantined):
        await asyncio.wait_for(answer, SOON_S)
    assert [message for _, message, _ in directory.dead if message == "well?"] == []


async def test_a_quarantine_is_over_in_time() -> None:
    directory = DirectoryUnderTest(failures_max=0)
    directory.tell("a", ValueError("no"))
    await directory.handled()

    directory.now_ms += 5_000
    directory.tell("a", 1)
    await directory.handled()

    assert directory.book == [("a", 1)]
    assert directory.directory.quarantined() == []


async def test_a_released_key_takes_messages_at_once() -> None:
    directory = DirectoryUnderTest(failures_max=0)
    directory.tell("a", ValueError("no"))
    await directory.handled()

    assert directory.directory.release("a") is True

    directory.tell("a", 1)
    await directory.handled()
    assert directory.book == [("a", 1)]


async def test_broken_callbacks_are_reported_and_break_nothing() -> None:
    directory = DirectoryUnderTest(failures_max=0, broken_callbacks=True)
    reported: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: reported.append(context["message"])
    )

    directory.tell("a", ValueError("no"), "behind")
    directory.tell("b", 1)
    await directory.handled()

    assert directory.book == [("b", 1)]
    assert reported == ["chat: on_quarantine failed", *["chat: on_dead_letter failed"] * 2]
