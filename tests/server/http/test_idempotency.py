"""Requests with an Idempotency-Key, over the API: stored once, answered the same every time."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from hookbundle.engine.limits import REMEMBERED_MS
from hookbundle.server.http.idempotency import digest_of
from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.reads.dues import DueReads
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.storage.transitions.idempotency import Claimed, ClaimRequest
from hookbundle.tests.in_process import Answer, System, daemon_in, event, receiving

PATH = "/v1/workspaces/acme/messages"


async def send(system: System, key: str, *message_ids: str, **changes: str) -> Answer:
    body = msgspec.json.encode([event(message_id, **changes) for message_id in message_ids])
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return await system.ask("POST", PATH, data=body, headers=headers)


async def held(system: System) -> int:
    counts: int = (await system.show())["counts"]["held_messages"]
    return counts


async def test_the_same_request_again_gets_the_same_answer(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        first = await send(system, "k1", "m1", "m2")
        again = await send(system, "k1", "m1", "m2")
        without = await system.accept("acme", event("m1"), event("m2"))

        assert first.document == {"accepted": 2, "duplicate": 0, "skipped": []}
        assert (again.status, again.body) == (202, first.body)
        assert without == {"accepted": 0, "duplicate": 2, "skipped": []}


async def test_the_same_key_with_another_body_is_refused_and_stores_nothing(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await send(system, "k1", "m1")

        other = await send(system, "k1", "m2")

        assert other.status == 422
        assert other.document["errors"][0]["path"] == "Idempotency-Key"
        assert await held(system) == 1


async def test_fifty_at_once_are_one(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        answers = await asyncio.gather(*(send(system, "k1", "m1", "m2") for _ in range(50)))

        assert {(answer.status, answer.body) for answer in answers} == {
            (202, b'{"accepted":2,"duplicate":0,"skipped":[]}')
        }
        assert await held(system) == 2
        assert len(system.facts.known("message.received")) <= 1


async def test_of_two_bodies_at_once_under_one_key_one_is_refused(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        answers = await asyncio.gather(
            *(send(system, "k1", f"m{number}") for number in (1, 2, 1, 2, 1, 2))
        )

        assert sorted(answer.status for answer in answers) == [202, 202, 202, 422, 422, 422]
        assert await held(system) == 1


async def test_the_answer_outlives_the_daemon(tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with daemon_in(tmp_path) as system:
            await system.make("acme", receiver, aggregation="1h")
            first = await send(system, "k1", "m1")

        async with daemon_in(tmp_path, system.clock) as system:
            again = await send(system, "k1", "m1")

    assert again.body == first.body


async def test_a_repeat_after_a_crash_in_between_says_what_became_of_every_message(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        events = [event("m1"), event("m2", attachments=[1]), event("m3", "other chat")]
        body = msgspec.json.encode(events)
        await claimed(system, "k1", body)  # what a daemon leaves that died before it answered
        await system.accept("acme", events[0])
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k1"}

        answers = [
            (await system.ask("POST", PATH, data=body, headers=headers)).document for _ in range(2)
        ]

        skipped = [{"message_id": "m2", "reason": "attachment"}]
        assert answers == [{"accepted": 1, "duplicate": 1, "skipped": skipped}] * 2


async def claimed(system: System, key: str, body: bytes) -> None:
    claim = ClaimRequest(
        workspace_number=1,
        key=digest_of(key.encode(), "key"),
        digest=digest_of(body, "json"),
        now_ms=system.clock.now_ms(),
    )
    await system.daemon.partition.store_queue.do(claim, Claimed)


async def test_invalid_input_does_not_take_the_key(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        bad = await send(system, "k1", "m1", timestamp="yesterday")
        good = await send(system, "k1", "m1")

        assert (bad.status, good.status) == (422, 202)


async def test_what_was_refused_may_be_sent_again_under_its_key(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path, quota=Quota(messages_max=1)) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.switch("acme", "disable")
        await system.accept("acme", event("m0"))

        full = await send(system, "k1", "m1")
        await system.switch("acme", "enable")
        again = await send(system, "k1", "m1")

        assert (full.status, again.status) == (429, 202)
        assert again.document["accepted"] == 1


async def test_after_48_hours_the_key_is_free(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await send(system, "k1", "m1")

        system.clock.move(REMEMBERED_MS)
        await receiver.until(1)
        await system.accept("acme", event("m2"))
        await forgotten(system)

        assert (await send(system, "k1", "m3")).document["accepted"] == 1


async def forgotten(system: System) -> None:
    """The clock has dropped what was to be dropped."""
    dues = DueReads(system.daemon.partition.env)
    while dues.due(DueKind.REQUEST, 2**60, 1):
        await system.daemon.pulse()


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "schlüssel"])
async def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        answer = await send(system, key, "m1")

        assert answer.status == 422
        assert await held(system) == 0
