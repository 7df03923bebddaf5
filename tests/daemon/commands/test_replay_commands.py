"""`deliveries resend`, `replay`, `replays`, `cancel-replay` against a daemon."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event, facts_of, receiving
from hookbundle.tests.program import Program

NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Letters:
    """A workspace with two dead letters; its receiver takes everything by now."""

    program: Program
    receiver: HookReceiver
    ws: str
    ids: tuple[str, ...]


@pytest.fixture
async def letters(program: Program) -> AsyncIterator[Letters]:
    async with receiving() as receiver, connected(program.socket_path) as session:
        api, ws = Api(session), f"acme{next(NUMBERS)}"
        await api.make(ws, receiver, aggregation="none")
        receiver.answers(404)
        await api.accept(ws, event("m1"), event("m2"))
        async with facts_of(program.socket_path) as facts:
            rejected = await facts.until("delivery.dead_lettered", 2, workspace=ws)
        receiver.answers(200)
        yield Letters(program, receiver, ws, tuple(one["data"]["delivery"] for one in rejected))


async def test_a_dry_run_counts_and_asks_nothing(letters: Letters) -> None:
    ran = await letters.program("deliveries", "replay", letters.ws, "--dry-run", "--json")

    found = ran.document
    assert (ran.code, found["job"], found["deliveries"], found["messages"]) == (0, None, 2, 2)


async def test_a_state_is_named_as_it_is_shown_or_with_a_hyphen(letters: Letters) -> None:
    for name in ("dead_letter", "dead-letter"):
        ran = await letters.program(
            *("deliveries", "replay", letters.ws, "--state", name, "--dry-run", "--json")
        )

        assert (ran.code, ran.document["deliveries"]) == (0, 2)


async def test_a_replay_says_how_many_and_asks(letters: Letters) -> None:
    before = len(letters.receiver.posts)

    no = await letters.program("deliveries", "replay", letters.ws, given=b"n\n")
    nobody = await letters.program("deliveries", "replay", letters.ws)

    assert f"Send 2 deliveries of 2 messages of {letters.ws} once more" in no.err
    assert (no.code, nobody.code) == (1, 1)
    assert len(letters.receiver.posts) == before


async def test_a_replay_is_begun_seen_and_over(letters: Letters) -> None:
    program, ws = letters.program, letters.ws
    before = len(letters.receiver.posts)

    begun = await program(
        *("deliveries", "replay", ws, "--since", "-1h", "--status", "4xx", "--yes", "--json")
    )

    assert (begun.code, begun.document["job"], begun.document["deliveries"]) == (0, 1, 2)
    async with facts_of(program.socket_path) as facts:
        await facts.until("replay.ended", workspace=ws)
    assert [post.id for post in letters.receiver.posts[before:]] == list(letters.ids)
    listed = await program("deliveries", "replays", ws, "--json")
    shown = await program("deliveries", "replays", ws, "1", "--json")
    assert listed.document == [shown.document]
    assert (shown.document["state"], shown.document["delivered"]) == ("done", 2)
    over = await program("deliveries", "cancel-replay", ws, "1")
    assert over.code == 6
    again = await program("deliveries", "replay", ws, "--yes", "--json")
    assert again.document["deliveries"] == 0


async def test_a_replay_is_cancelled(letters: Letters) -> None:
    program, ws = letters.program, letters.ws
    await program("workspace", "disable", ws, "--yes")
    await program("deliveries", "replay", ws, "--yes")

    cancelled = await program("deliveries", "cancel-replay", ws, "1", "--json")

    assert cancelled.code == 0
    async with facts_of(program.socket_path) as facts:
        (ended,) = await facts.until("replay.ended", workspace=ws)
    assert ended["data"]["outcome"] == "cancelled"


async def test_a_resend_that_failed_is_told_beside_the_delivery(letters: Letters) -> None:
    program, ws, (first, _) = letters.program, letters.ws, letters.ids
    await program("deliveries", "replay", ws, "--yes")
    async with facts_of(program.socket_path) as facts:
        await facts.until("replay.ended", workspace=ws)
        letters.receiver.answers(404)
        await program("deliveries", "resend", first)
        await facts.until("delivery.resend_failed", workspace=ws)

    listed = await program("deliveries", "list", ws, "--status", "404")
    shown = await program("deliveries", "show", first)

    assert "resend failed: status 404" in listed.out
    assert "resend_failed\tyes" in shown.out


async def test_a_resend_of_a_dead_letter_says_what_to_do(letters: Letters) -> None:
    ran = await letters.program("deliveries", "resend", letters.ids[0])

    assert ran.code == 6
    assert "retry it" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--since", "-soon"), "an age"),
        (("--until", "yesterday"), "until"),
        (("--state", "discarded"), "'discarded'"),
        (("--status", "99"), "a status (503)"),
        (("--since", "-1h", "--until", "-2h"), "before the beginning"),
    ],
)
async def test_a_filter_that_is_none_is_refused(
    letters: Letters, arguments: tuple[str, ...], said: str
) -> None:
    ran = await letters.program("deliveries", "replay", letters.ws, *arguments, "--yes")

    assert ran.code != 0
    assert said in ran.err
