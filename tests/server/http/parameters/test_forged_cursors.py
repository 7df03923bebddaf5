"""A cursor with the right digest and a made-up place: refused, or a page; never a failure.

The digest is no secret. It is there against mistakes.
"""

import base64
import random
from collections.abc import Iterator

import pytest

from hookbundle.server.http.requests import DIGEST_BYTES, POSITION_BYTES_MAX, cursor_of
from hookbundle.tests.in_process import System, event

HISTORY = "/v1/workspaces/acme/chats/sent%200/history?limit=1&"
LISTS = {
    "/v1/workspaces?limit=1&": "workspaces",
    "/v1/tokens?limit=1&": "tokens",
    "/v1/chats?limit=1&": "due",
    "/v1/workspaces/acme/chats?limit=1&": "chats",
    "/v1/workspaces/acme/chats?limit=1&order=due&": "by due",
    "/v1/workspaces/acme/chats?limit=1&q=open&": "by due",
    "/v1/workspaces/acme/deliveries?limit=1&": "deliveries",
    "/v1/workspaces/acme/deliveries?limit=1&order=queue&": "deliveries",
    "/v1/workspaces/acme/deliveries?limit=1&chat=sent%200&": "deliveries",
    HISTORY: "histories",
}


@pytest.fixture
async def full(system: System) -> System:
    """Each list has three entries."""
    await system.switch("acme", "disable")
    await system.accept("acme", *(event(f"m{n}", f"sent {n}") for n in range(3)))
    await system.accept("acme", *(event(f"again{n}", "sent 0") for n in range(3)))
    await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
    await system.accept("acme", *(event(f"n{n}", f"open {n}") for n in range(3)))
    for number in range(3):
        await system.ask("POST", "/v1/workspaces", {"id": f"more-{number}"})
        await system.ask("POST", "/v1/tokens", {"scope": "intake"})
        system.clock.move(1)
    return system


def forged(cursor: str, of: str, chance: random.Random) -> Iterator[str]:
    """Cursors of the list with the beginning of a place that it gave, and another end."""
    place = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[DIGEST_BYTES:]
    for kept in range(len(place) + 1):
        rest = len(place) - kept
        longest = POSITION_BYTES_MAX - kept
        for size in (rest, rest + 1, chance.randint(0, longest), longest):
            for end in (chance.randbytes(size), b"\xff" * size, bytes(size)):
                found = cursor_of(place[:kept] + end, of)
                assert found is not None
                yield found


@pytest.mark.parametrize("url", LISTS)
async def test_a_made_up_place_is_refused_or_a_page(full: System, url: str) -> None:
    first = (await full.get(url.removesuffix("&")))["cursor"]

    seen = set[int]()
    for cursor in forged(first, LISTS[url], random.Random(url)):
        answer = await full.ask("GET", f"{url}cursor={cursor}")
        assert answer.status in (200, 422), (cursor, answer)
        seen.add(answer.status)

    assert 200 in seen  # the digest is right: it is the place that is judged
