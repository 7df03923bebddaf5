"""kill -9 under traffic, and what the daemon does when it starts again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from hookbundle.engine.messages.timestamps import rfc_3339
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.reads.lookup import Reads
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import Api, Facts, event, facts_of, receiving
from hookbundle.tests.program import Program, program_in
from hookbundle.tests.running import Running, running

WORKSPACES = 4
KILLS = 3


async def test_whatever_was_acknowledged_is_delivered_and_hardly_anything_twice(
    tmp_path: Path,
) -> None:
    rng = Random(5)
    acknowledged: set[str] = set()
    program = impatient(tmp_path)
    async with receiving() as receiver:
        for life in range(KILLS):
            async with alive(program) as (daemon, facts):
                if not life:
                    for number in range(WORKSPACES):
                        await daemon.make(f"ws{number}", receiver, f"ws{number}")
                clients = [
                    asyncio.ensure_future(feed(daemon, f"ws{number}", life, acknowledged))
                    for number in range(WORKSPACES)
                ]
                await receiver.until(len(receiver.posts) + rng.randint(20, 50))
                await kill(daemon)
                await asyncio.gather(*clients)

        async with alive(program) as (daemon, facts):
            status = await daemon.get("/v1/status")
            await facts.until("delivery.delivered", status["totals"]["sealed"])
            unknown = len(facts.known("delivery.unknown"))
            daemon.process.terminate()
            assert await daemon.ended() == 0

        ids = [post.id for post in receiver.posts]
        taken = {f"{post.path}/{post.message_ids[0]}" for post in receiver.posts}
        assert len(acknowledged) > 50
        assert acknowledged <= taken
        assert len(ids) - len(set(ids)) <= unknown <= KILLS * WORKSPACES
        assert len(taken) == len(set(ids)), "a message was in two deliveries"
        bodies = {(post.id, post.body) for post in receiver.posts}
        assert len(bodies) == len(set(ids)), "a delivery changed its bytes"
        for number in range(WORKSPACES):
            first_seen = list(dict.fromkeys(post.id for post in receiver.at(f"ws{number}")))
            assert first_seen == sorted(first_seen), "a later delivery was first"


async def test_what_was_sent_without_an_answer_is_sent_again_as_the_same(tmp_path: Path) -> None:
    program = impatient(tmp_path)
    async with receiving() as receiver:
        receiver.answers(Answer(after=asyncio.Event()), 200)
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"))
            await receiver.until(1)
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            await facts.until("delivery.delivered")
            hook = await daemon.hook()
            log = await daemon.get("/v1/workspaces/acme/log")

    first, second = receiver.posts
    assert (first.id, first.body) == (second.id, second.body)
    assert hook["consecutive_errors"] == 0
    assert [entry["outcome"] for entry in log] == ["delivered", "unknown"]


async def test_open_windows_keep_their_time_over_a_crash(tmp_path: Path) -> None:
    program = impatient(tmp_path)
    async with receiving() as receiver:
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver, aggregation="1h")
            await daemon.make("quick", receiver, "quick", aggregation="1s")
            await daemon.accept("acme", event("m1"), event("m2"))
            (accepted,) = await facts.until("message.received", workspace="acme")
            await daemon.accept("quick", event("m1"), event("m2"))
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            (post,) = await receiver.until(1)
            await facts.until("delivery.delivered", workspace="quick")
            await kill(daemon)

    env = open_environment(tmp_path / "data", 0)
    window = Reads(env).window(1, "10010001")
    env.close()
    assert post.message_ids == ["m1", "m2"]
    assert window is not None
    assert (rfc_3339(window.due_ms), window.count) == (accepted["data"]["due"], 2)
    assert window.due_ms == window.opened_ms + 3_600_000


async def test_the_error_count_and_the_next_attempt_survive_a_crash(tmp_path: Path) -> None:
    program = impatient(tmp_path, DELIVERY__BACKOFF="50ms,50ms,1h")
    async with receiving() as receiver:
        receiver.answers(500)
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver)
            await daemon.accept("acme", event("m1"))
            await facts.until("delivery.failed", 3)
            before = await daemon.hook()
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            await daemon.accept("acme", event("m2"))
            after = await daemon.hook()

    assert (before["consecutive_errors"], before["state"]) == (3, "backing_off")
    assert (before.pop("counts")["queued"], after.pop("counts")["queued"]) == (1, 2)
    assert after == before
    assert len(receiver.posts) == 3


async def test_a_disabled_webhook_stays_disabled_over_a_crash_and_is_mailed_once(
    tmp_path: Path,
) -> None:
    program = impatient(tmp_path)
    async with receiving() as receiver:
        receiver.answers(500)
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver, warnings=False)  # they have mails of their own
            await daemon.accept("acme", event("m1"))
            await facts.until("webhook.disabled")
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            await daemon.accept("acme", event("m2"))
            status: Any = await daemon.get("/v1/status")
            hook = await daemon.hook()

    assert (hook["state"], hook["consecutive_errors"]) == ("disabled", 11)
    assert status["mails"] == 1
    assert len(receiver.posts) == 11


async def feed(daemon: Api, ws: str, life: int, acknowledged: set[str]) -> None:
    """Sends messages one after another until the daemon is gone; notes the acknowledged ones."""
    number = 0
    while True:
        message_id = f"{life}-{number}"
        number += 1
        try:
            answer = await daemon.accept(ws, event(message_id, f"chat{number % 3}"))
        except (aiohttp.ClientError, ConnectionError):
            return
        assert answer["accepted"] == 1
        acknowledged.add(f"{ws}/{message_id}")


@asynccontextmanager
async def alive(program: Program) -> AsyncIterator[tuple[Running, Facts]]:
    """A running daemon, and a reader of its feed from the oldest event on."""
    async with running(program) as daemon, facts_of(program.socket_path) as facts:
        yield daemon, facts


async def kill(daemon: Running) -> None:
    """kill -9: the daemon has no chance to finish anything."""
    daemon.process.kill()
    await daemon.ended()


def impatient(folder: Path, **settings: str) -> Program:
    """A program whose daemon retries after 50 ms."""
    return program_in(folder, **{"DELIVERY__BACKOFF": "50ms", **settings})
