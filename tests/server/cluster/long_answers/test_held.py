"""A long answer at the node that makes it: made no faster than it is asked for, and never twice."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.cluster.answering import Answering
from hookbundle.server.cluster.asked import Answered, Asked, in_parts
from hookbundle.server.cluster.long_answers import held
from hookbundle.server.cluster.long_answers.held import PART_BYTES, REST
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.large_answers import LARGE_ANSWERS
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.routes import Route
from hookbundle.tests.in_process import until

ASKED = in_parts(Asked("GET", "/long", ()))
PARTS = 5


class Long:
    """A handler with a long answer. `made`: how many pieces it has made; `fails_at`: which not.
    `may_make`: it waits for that. `taken_s`: for how long it waits until a piece is taken."""

    def __init__(self, taken_s: float = 30.0) -> None:
        self.made = 0
        self.may_make = asyncio.Event()
        self.may_make.set()
        self.fails_at = -1
        self.limits = FairLimits()
        route = Route(method="GET", path="/long", handler=self.handle, summary="")
        whole = Route(method="GET", path="/whole", handler=self.whole, summary="")
        config = ListenersConfig(Path(held.__file__), taken_s=taken_s)
        self.answering = Answering([route, whole], self.limits, config)

    @property
    def readers(self) -> FairLimit[str]:
        return self.limits.readers

    async def handle(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Disposition": "attachment"})
        return await request.app[LARGE_ANSWERS].streamed(request, response, self._pieces())

    async def whole(self, request: web.Request) -> web.Response:
        return web.Response(body=bytes(held.WHOLE_BYTES_MAX + 1))

    async def _pieces(self) -> AsyncIterator[bytes]:
        for number in range(PARTS):
            if number == self.fails_at:
                raise RuntimeError
            await self.may_make.wait()
            self.made += 1
            yield bytes([number]) * PART_BYTES

    async def ask(self, asked: Asked) -> Answered:
        return await self.answering.answer(asked)

    async def rest(self, name: str, number: int) -> Answered:
        return await self.ask(Asked("GET", f"{REST}{name}/{number}", ()))


@pytest.fixture
async def long() -> AsyncIterator[Long]:
    made = Long()
    yield made
    made.answering.close()


async def test_what_was_not_asked_for_is_not_made(long: Long) -> None:
    begun = await long.ask(ASKED)

    for number in range(1, PARTS):
        await asyncio.sleep(0)
        assert long.made <= number + 1
        part = await long.rest(begun.rest, number)
        assert part.body == bytes([number]) * PART_BYTES
    last = await long.rest(begun.rest, PARTS)

    assert (begun.status, begun.body) == (200, bytes(PART_BYTES))
    assert ("Content-Disposition", "attachment") in begun.headers
    assert (last.body, last.rest) == (b"", "")
    await until(lambda: long.readers.used == 0)


async def test_a_part_whose_answer_was_lost_is_given_again_and_no_other_one(long: Long) -> None:
    begun = await long.ask(ASKED)

    first = await long.rest(begun.rest, 1)
    again = await long.rest(begun.rest, 1)
    before, after = await long.rest(begun.rest, 0), await long.rest(begun.rest, 3)

    assert first == again
    assert before.status == after.status == 404


async def test_the_last_part_may_be_asked_for_again_for_a_while(
    long: Long, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "KEPT_S", 0.1)
    begun = await long.ask(ASKED)
    for number in range(1, PARTS):
        await long.rest(begun.rest, number)

    last, again = [await long.rest(begun.rest, PARTS) for _ in range(2)]
    await until(lambda: not len(long.answering.held))

    assert last == again
    assert last.status == 200
    assert (await long.rest(begun.rest, PARTS)).status == 404


async def test_a_part_that_is_asked_for_again_while_it_is_made_is_that_part(long: Long) -> None:
    """Who asks may lose its connection before the handler has made the part."""
    begun = await long.ask(ASKED)
    await long.rest(begun.rest, 1)
    await until(lambda: long.made == 3)
    long.may_make.clear()
    await long.rest(begun.rest, 2)

    asked = [asyncio.ensure_future(long.rest(begun.rest, 3)) for _ in range(2)]
    await asyncio.sleep(0)
    long.may_make.set()

    assert [each.body for each in await asyncio.gather(*asked)] == 2 * [bytes([3]) * PART_BYTES]


async def test_an_answer_whose_reader_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "KEPT_S", 0.0)
    long = Long(taken_s=0.01)
    begun = await long.ask(ASKED)

    assert len(long.answering.held) == 1
    await until(lambda: not len(long.answering.held))

    assert (await long.rest(begun.rest, 1)).status == 404


async def test_an_answer_that_nobody_wants_any_more_holds_no_place(long: Long) -> None:
    begun = await long.ask(ASKED)
    assert long.readers.used == 1

    await long.ask(Asked("DELETE", f"{REST}{begun.rest}", ()))
    await until(lambda: long.readers.used == 0)

    assert (await long.rest(begun.rest, 1)).status == 404
    assert not len(long.answering.held)


async def test_an_answer_that_fails_before_its_first_part_is_the_refusal(long: Long) -> None:
    long.fails_at = 0

    assert (await long.ask(ASKED)).status == 500
    assert not len(long.answering.held)


async def test_an_answer_that_fails_later_has_no_end(long: Long) -> None:
    long.fails_at = 2
    begun = await long.ask(ASKED)

    assert (await long.rest(begun.rest, 1)).status == 200
    assert (await long.rest(begun.rest, 2)).status == 500
    assert not len(long.answering.held)


async def test_a_long_answer_that_was_made_as_a_whole_goes_in_parts_too(long: Long) -> None:
    begun = await long.ask(in_parts(Asked("GET", "/whole", ())))
    body, number = bytearray(begun.body), 0
    answered = begun
    while answered.rest:
        number += 1
        answered = await long.rest(begun.rest, number)
        body += answered.body

    assert bytes(body) == bytes(held.WHOLE_BYTES_MAX + 1)
    assert number > 10


async def test_who_can_not_take_parts_gets_a_whole_answer(long: Long) -> None:
    answered = await long.ask(Asked("GET", "/long", ()))

    assert (len(answered.body), answered.rest) == (PARTS * PART_BYTES, "")


async def test_who_can_not_take_parts_is_refused_what_can_not_be_held(
    long: Long, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hookbundle.server.cluster.answering.KEPT_BYTES_MAX", PART_BYTES)

    answered = await long.ask(Asked("GET", "/long", ()))

    assert (answered.status, b"not_in_a_cluster" in answered.body) == (501, True)
