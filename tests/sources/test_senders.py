"""The stand-ins themselves: each sends again as the documents of its system say."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from hookbundle.tests.sources.letters import LETTERS
from hookbundle.tests.sources.senders import DAY_S, EVOLUTION_S, Sender
from hookbundle.tests.sources.town import wall_s


@dataclass(slots=True)
class Listener:
    """Answers the n-th request with the n-th status, and later ones with the last."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)

    async def answer(self, _: web.Request) -> web.Response:
        many = len(self.statuses) > 1
        return web.Response(status=self.statuses.pop(0) if many else self.statuses[0])


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Listener]:
    listener, app = Listener(), web.Application()
    app.router.add_post("/", listener.answer)
    async with TestServer(app) as server:
        listener.url = str(server.make_url("/"))
        yield listener


async def sent(listener: Listener, kind: str, *statuses: int) -> Sender:
    """What the system does with one letter that is answered so."""
    listener.statuses = list(statuses)
    async with aiohttp.ClientSession() as session:
        sender = Sender(kind, "token", wall_s, session, at=listener.url)
        sender.send(LETTERS[kind](1, "15550100001", "hello"))
        await sender.drained()
    return sender


@pytest.mark.parametrize("kind", ["chatwoot", "timelinesai", "twilio"])
@pytest.mark.parametrize("status", [429, 503, 404])
async def test_three_of_them_send_once(listener: Listener, kind: str, status: int) -> None:
    sender = await sent(listener, kind, status, 200)

    assert sender.statuses == [status]
    assert sender.lost


async def test_waha_sends_fifteen_times_two_seconds_apart(listener: Listener) -> None:
    sender = await sent(listener, "waha", 404)

    assert sender.when_s == [2.0 * at for at in range(15)]
    assert sender.lost


async def test_evolution_sends_ten_times_within_some_twenty_minutes(listener: Listener) -> None:
    sender = await sent(listener, "evolution", 503)

    gaps_s = [then - at for at, then in zip(sender.when_s, sender.when_s[1:], strict=False)]
    assert gaps_s == [pytest.approx(each, rel=0.2) for each in EVOLUTION_S]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_evolution_never_sends_again_what_was_refused_for_good(
    listener: Listener, status: int
) -> None:
    assert (await sent(listener, "evolution", status, 200)).statuses == [status]


async def test_meta_sends_with_growing_gaps_for_days_until_it_is_200(listener: Listener) -> None:
    taken, never = await sent(listener, "meta", 202, 500, 200), await sent(listener, "meta", 500)

    assert taken.statuses == [202, 500, 200]
    assert len(taken.taken) == 2
    assert 5 * DAY_S < never.when_s[-1] < 8 * DAY_S
