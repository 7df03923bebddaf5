"""The same bytes to a daemon with the lane and to one without: the same answers, the same state.

Each conversation has a workspace of its own: a request that is in order, which teaches the lane its
head, another that it takes, then what is odd, and one more that is in order.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from hookbundle.server.http.lane.lane import Lane
from hookbundle.server.metrics.meters import LaneCounts
from hookbundle.tests.server.http.lane.smuggling import BETWEEN, FRAMINGS, LINES
from hookbundle.tests.server.http.lane.twins import (
    Conversation,
    Twin,
    Way,
    head,
    message,
    request,
    twin_in,
)
from hookbundle.tests.server.http.odd import BODIES, GARBLED, HEADERS
from hookbundle.tests.server.http.test_request_bodies import PACKED

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 24
LINES_OF_JSON = message(6) + b"\n" + message(7)
BODIES_WITH_FAULTS = {
    "an array": b"[%b,%b]" % (message(1), message(9)),
    "two chats": b"[%b,%b]" % (message(5), message(6, chat_id="10010002")),
    "an unknown field": message(5).replace(b'"chat":', b'"cat":1,"chat":'),
    "a duplicate": message(1),
    "a duplicate with another text": message(1, text="other"),
    "a message without a text": message(5, text=" "),
    "an attachment": message(5, attachments=[{}]),
    "a fault": message(5, direction="up"),
    "no time": message(5, timestamp="never"),
    "a wrong chat": message(5, chat_id=""),
    "an edit": message(1).replace(b'"direction":', b'"edited_at":1614183929,"direction":'),
    "cut": message(5)[:-9],
    "twice": message(5) * 2,
    "spaces": b"   ",
    "lines": LINES_OF_JSON,
    "a long one": message(5, text="x" * 15_000),
    "one that counts": message(5, text="x" * 17_000),
    "too long a text": message(5, text="x" * 65_000),
}


def conversations() -> Iterator[Conversation]:
    for name, (framing, behind) in FRAMINGS.items():
        body = message(5)
        lines = framing.replace(b"%d", b"%d" % len(body))
        odd = lines + b"\r\n\r\n" + behind.replace(b"%b", body)
        yield between(f"framing: {name}", lambda ws, odd=odd: head(ws) + odd)
    for name, odd in BETWEEN.items():
        yield between(f"before: {name}", lambda ws, odd=odd: odd + request(ws, message(5)))
        yield between(f"behind: {name}", lambda ws, odd=odd: request(ws, message(5)) + odd)
    for name, (old, new) in LINES.items():
        yield between(
            f"line: {name}", lambda ws, a=old, b=new: request(ws, message(5)).replace(a, b, 1)
        )
    for name, odd in HEADERS.items():
        yield between(f"header: {name}", lambda ws, odd=odd: request(ws, message(5), odd))
    for name, odd in GARBLED.items():
        yield between(f"garbled: {name}", lambda ws, odd=odd: odd)
    for number, odd in enumerate(BODIES):
        yield between(f"body: {number}", lambda ws, odd=odd: request(ws, odd))
    for name, odd in BODIES_WITH_FAULTS.items():
        for kind in (b"application/json", b"application/x-ndjson"):
            yield between(
                f"{kind.decode()}: {name}",
                lambda ws, odd=odd, kind=kind: request(ws, odd, kind=kind) * 2,
            )
    for name, (body, packing, _) in PACKED.items():
        odd = b"Content-Encoding: %b" % packing.encode()
        yield between(f"packed: {name}", lambda ws, body=body, odd=odd: request(ws, body, odd))
    yield between("no such workspace", lambda ws: request(f"{ws}-", message(5)))
    yield between("a body that stops", lambda ws: request(ws, message(5))[:-20])
    yield between("a head that stops", lambda ws: request(ws, message(5))[:90])


NUMBERS = iter(range(10_000))


def between(name: str, odd: object) -> Conversation:
    workspace = f"ws-{next(NUMBERS)}"
    assert callable(odd)
    plain = [request(workspace, message(number)) for number in (1, 2, 3)]
    return Conversation(f"{workspace} {name}", (*plain[:2], odd(workspace), plain[2]), answered=2)


ALL = tuple(conversations())


def mixed(seed: int) -> Conversation:
    """Some of all that, on one connection, each when the one before is answered: what aiohttp can't
    read takes with it what came at once."""
    rng, workspace = random.Random(seed), f"mixed-{seed}"
    odd = [
        lambda: request(workspace, rng.choice(list(BODIES_WITH_FAULTS.values()))),
        lambda: request(workspace, message(rng.randrange(9)), rng.choice(list(HEADERS.values()))),
        lambda: request(workspace, message(5)).replace(*rng.choice(list(LINES.values())), 1),
        lambda: changed(request(workspace, message(rng.randrange(9))), rng),
    ]
    plain = [request(workspace, message(number)) for number in (1, 2)]
    others = [
        rng.choice(odd)() if rng.random() < 0.5 else request(workspace, message(number))
        for number in range(10, 18)
    ]
    return Conversation(f"{workspace} seed {seed}", (*plain, *others), answered=2, quiet_s=5.0)


def changed(wanted: bytes, rng: random.Random) -> bytes:
    """With another byte in the place of one, in head or body: all of it is sent nevertheless."""
    at, put = rng.randrange(len(wanted)), rng.choice((b"\r", b"\n", b"\0", b" ", b"x", b"\xff"))
    return wanted[:at] + put + wanted[at + 1 :]


MIXED = tuple(mixed(seed) for seed in range(60))


def cut(said: Conversation, seed: int) -> Conversation:
    """The same bytes, all on their way at once, in other pieces."""
    rng, data = random.Random(seed), b"".join(said.pieces)
    at = sorted(rng.randrange(len(data)) for _ in range(rng.randrange(6)))
    pieces = [data[a:b] for a, b in zip((0, *at), (*at, len(data)), strict=True)]
    return replace(said, pieces=pieces, answered=0, rests=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def twins(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Twin, Twin]]:
    folder: Path = tmp_path_factory.mktemp("twins")
    workspaces = [said.name.split()[0] for said in (*ALL, *MIXED)]
    async with (
        twin_in(folder / "with", workspaces, lane=True) as with_lane,
        twin_in(folder / "without", workspaces, lane=False) as without,
    ):
        yield with_lane, without


async def differing(
    twins: tuple[Twin, Twin], said: list[Conversation]
) -> tuple[list[str], list[str]]:
    """Those that the two answered otherwise, or have something else of; and the names of those that
    were said once more, because one twin may have been too slow for the pauses between pieces."""
    places = asyncio.Semaphore(AT_ONCE)

    async def one(each: Conversation) -> list[bytes]:
        async with places:
            return await asyncio.gather(*(twin.says(each) for twin in twins))

    found, again = [], []
    for each, (first, second) in zip(said, await asyncio.gather(*map(one, said)), strict=True):
        if first != second:
            again.append(each.name)
            first, second = [await twin.says(replace(each, quiet_s=1.0)) for twin in twins]
        has = [await twin.chats(each.name.split()[0]) for twin in twins]
        if first != second or has[0] != has[1]:
            found.append(f"{each.name} over {each.way}\n  {first!r}\n  {second!r}\n  {has}")
    return found, again


@pytest.mark.parametrize("way", ["tcp", "socket"])
async def test_what_is_odd_is_answered_as_by_aiohttp(
    twins: tuple[Twin, Twin], way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, tell = Counter[str](), Lane.tell

    def counted(self: Lane, *given: object) -> None:
        taken["all"] += 1
        tell(self, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(Lane, "tell", counted)
    before = [Counter(twin.system.daemon.meters.requests) for twin in twins]
    # A head that stops has no deadline on the socket.
    said = [replace(each, way=way) for each in ALL if way == "tcp" or "stops" not in each.name]

    found, again = await differing(twins, said)

    assert found == []
    assert taken["all"] > len(said)
    after = [twin.system.daemon.meters.requests for twin in twins]
    assert again or after[0] - before[0] == after[1] - before[1]


@pytest.mark.parametrize("seed", range(2))
async def test_in_whatever_pieces_it_comes(twins: tuple[Twin, Twin], seed: int) -> None:
    said = [cut(each, seed * 1_000 + number) for number, each in enumerate(ALL)]

    assert (await differing(twins, said))[0] == []


async def test_whatever_follows_whatever(twins: tuple[Twin, Twin]) -> None:
    lane = twins[0].system.daemon.meters.lane
    before = lane.answered

    assert (await differing(twins, list(MIXED)))[0] == []

    assert lane.answered >= before + 2 * len(MIXED)
    assert twins[1].system.daemon.meters.lane == LaneCounts()
