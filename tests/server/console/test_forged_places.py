"""Where a page of a list begins stands in its address, and anybody may write another one there."""

import random
from urllib.parse import quote

import pytest

from hookbundle.server.console.pages.finding import LIST
from hookbundle.server.http.requests import POSITION_BYTES_MAX, cursor_of
from hookbundle.server.http.resources.chats import BY_DUE
from hookbundle.tests.server.console.plain import signed_in
from hookbundle.tests.server.console.stage import Stage, talk

pytestmark = pytest.mark.asyncio(loop_scope="session")

LISTS = {
    "find?q=rossi": LIST,
    "find?q=%2B972540000000": LIST,
    "find?q=nobody": LIST,
    "windows?": BY_DUE,
    "windows?q=rossi": BY_DUE,
    "deliveries?": "deliveries",
}


async def people(stage: Stage) -> None:
    """Chats with deliveries and with open windows."""
    await stage.workspace("acme", "Acme Ltd", aggregation="none")
    await stage.system.accept("acme", talk("Hi", chat="c1", name="Maria Rossi"))
    await stage.until("acme", queued=0)
    await stage.system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
    await stage.system.accept("acme", talk("Hi", chat="c2", name="Mario Rossi"))


def places(chance: random.Random) -> list[bytes]:
    """With the letters of tables first, and any bytes; as long as a place may be, too."""
    found = [b"\0", b"\xff", b"\xff" * POSITION_BYTES_MAX, bytes(POSITION_BYTES_MAX)]
    for letter in range(0, 256, 5):
        size = chance.randint(0, POSITION_BYTES_MAX - 1)
        found.append(bytes([letter]) + chance.randbytes(size))
    for letter in b"CDKSXacdkyz":
        for size in (0, 1, 8, 200, POSITION_BYTES_MAX - 1):
            found.append(bytes([letter]) + chance.randbytes(size))
            found.append(bytes([letter]) + b"\xff" * size)
    return found


@pytest.mark.parametrize("page", LISTS)
async def test_a_made_up_place_is_an_empty_page_or_refused(stage: Stage, page: str) -> None:
    await people(stage)
    async with signed_in(stage) as operator:
        seen = set[int]()
        for place in places(random.Random(page)):
            cursor = cursor_of(place, LISTS[page])
            shown = await operator.get(f"/console/w/acme/{page}&cursor={cursor}")
            assert shown.status in (200, 422), (place, shown)
            seen.add(shown.status)

        for cursor in ("zzzz", "A" * 600, "%00", "%FF", "é"):
            shown = await operator.get(f"/console/w/acme/{page}&cursor={cursor}")
            assert shown.status in (200, 422), (cursor, shown)

    assert seen


@pytest.mark.parametrize("after", ["\0", "x" * 600, "é" * 300, "\uffff", "%", "~"])
async def test_a_made_up_beginning_of_the_workspaces_is_a_page(stage: Stage, after: str) -> None:
    await people(stage)
    async with signed_in(stage) as operator:
        for place in (quote(after), "%FF%FE", "%00" * 600):
            shown = await operator.get(f"/console/workspaces?after={place}")
            assert shown.status in (200, 422), (place, shown.status)
