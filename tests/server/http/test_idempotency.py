"""Requests with an Idempotency-Key, over the API: stored once, answered the same every time."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from hookbundle.engine.limits import REMEMBERED_MS
from hookbundle.server.http.idempotency import digest_of
from hookbundle.storage.transitions.accepting import Quota
from hookbundle.storage.transitions.idempotency import Claimed, ClaimRequest
from hookbundle.tests.in_process import Answer, House, event, living, receiving

PATH = "/v1/workspaces/acme/messages"


async def send(house: House, key: str, *message_ids: str, **changes: str) -> Answer:
    body = msgspec.json.encode([event(message_id, **changes) for message_id in message_ids])
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    return await house.ask("POST", PATH, data=body, headers=headers)


async def held(house: House) -> int:
    counts: int = (await house.show())["counts"]["held_messages"]
    return counts


async def test_the_same_request_again_gets_the_same_answer(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")

        first = await send(house, "k1", "m1", "m2")
        again = await send(house, "k1", "m1", "m2")
        without = await house.accept("acme", event("m1"), event("m2"))

        assert first.document == {"accepted": 2, "duplicate": 0, "skipped": []}
        assert (again.status, again.body) == (202, first.body)
        assert without == {"accepted": 0, "duplicate": 2, "skipped": []}


async def test_the_same_key_with_another_body_is_refused_and_stores_nothing(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        await send(house, "k1", "m1")

        other = await send(house, "k1", "m2")

        assert other.status == 422
        assert other.document["errors"][0]["path"] == "Idempotency-Key"
        assert await held(house) == 1


async def test_fifty_at_once_are_one(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")

        answers = await asyncio.gather(*(send(house, "k1", "m1", "m2") for _ in range(50)))

        assert {(answer.status, answer.body) for answer in answers} == {
            (202, b'{"accepted":2,"duplicate":0,"skipped":[]}')
        }
        assert await held(house) == 2
        assert len(house.facts.known("message.accepted")) <= 1


async def test_of_two_bodies_at_once_under_one_key_one_is_refused(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")

        answers = await asyncio.gather(
            *(send(house, "k1", f"m{number}") for number in (1, 2, 1, 2, 1, 2))
        )

        assert sorted(answer.status for answer in answers) == [202, 202, 202, 422, 422, 422]
        assert await held(house) == 1


async def test_the_answer_outlives_the_daemon(tmp_path: Path) -> None:
    async with receiving() as receiver:
        async with living(tmp_path) as house:
            await house.make("acme", receiver, aggregation="1h")
            first = await send(house, "k1", "m1")

        async with living(tmp_path, house.clock) as house:
            again = await send(house, "k1", "m1")

    assert again.body == first.body


async def test_a_repeat_after_a_crash_in_between_says_what_became_of_every_message(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        events = [event("m1"), event("m2", attachments=[1]), event("m3", "other chat")]
        body = msgspec.json.encode(events)
        await claimed(house, "k1", body)  # what a daemon leaves that died before it answered
        await house.accept("acme", events[0])
        headers = {"Content-Type": "application/json", "Idempotency-Key": "k1"}

        answers = [
            (await house.ask("POST", PATH, data=body, headers=headers)).document for _ in range(2)
        ]

        skipped = [{"message_id": "m2", "reason": "attachment"}]
        assert answers == [{"accepted": 1, "duplicate": 1, "skipped": skipped}] * 2


async def claimed(house: House, key: str, body: bytes) -> None:
    claim = ClaimRequest(
        workspace_number=1,
        key=digest_of(key.encode(), "key"),
        digest=digest_of(body, "json"),
        now_ms=house.clock.now_ms(),
    )
    await house.daemon.door.do(claim, Claimed)


async def test_invalid_input_does_not_take_the_key(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")

        bad = await send(house, "k1", "m1", timestamp="yesterday")
        good = await send(house, "k1", "m1")

        assert (bad.status, good.status) == (422, 202)


async def test_what_was_refused_may_be_sent_again_under_its_key(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path, quota=Quota(messages_max=1)) as house:
        await house.make("acme", receiver, aggregation="1h")
        await house.switch("acme", "disable")
        await house.accept("acme", event("m0"))

        full = await send(house, "k1", "m1")
        await house.switch("acme", "enable")
        again = await send(house, "k1", "m1")

        assert (full.status, again.status) == (429, 202)
        assert again.document["accepted"] == 1


async def test_after_48_hours_the_key_is_free(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")
        await send(house, "k1", "m1")

        house.clock.move(REMEMBERED_MS)
        await receiver.until(1)
        await house.accept("acme", event("m2"))
        await forgotten(house)

        assert (await send(house, "k1", "m3")).document["accepted"] == 1


async def forgotten(house: House) -> None:
    """The clock has dropped what was to be dropped."""
    while any(row.kind.name == "REQUEST" for row in house.daemon.reads.due(2**60, 100)):
        await house.daemon.pulse()


@pytest.mark.parametrize("key", ["", " ", "k" * 256, "schlüssel"])
async def test_a_key_that_is_none_is_refused(tmp_path: Path, key: str) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h")

        answer = await send(house, key, "m1")

        assert answer.status == 422
        assert await held(house) == 0
