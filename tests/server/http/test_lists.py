"""Lists are read in slices: between two passes of the loop, a bounded number of records."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from hookbundle.server.http.fair_limits import LISTS_MAX
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.storage.database import codec
from hookbundle.storage.reads.replays import Count
from hookbundle.storage.transitions.tokens import CreateToken
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event, receiving, until
from hookbundle.tests.passes import Passes, passes
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.tokens import bearer

NUMBER = 600
EMPTY = ("/v1/workspaces/acme/chats", "/v1/workspaces/acme/deliveries?limit=1000&q=")
IN_A_SLICE = 300  # records, at most; with what authenticates and finds the workspaces


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", "127.0.0.1:0")
    async with receiving() as receiver, daemon_in(tmp_path, listeners=listeners) as system:
        await fill(system, receiver)
        yield system


async def fill(system: System, receiver: HookReceiver) -> None:
    """`acme` has so many deliveries and no window; `other` has so many windows."""
    await system.make("acme", receiver, aggregation="none")
    await system.switch("acme", "disable")
    await system.make("other", receiver, aggregation="24h")
    for ws in ("acme", "other"):
        for first in range(0, NUMBER, 50):
            await system.accept(ws, *(event(f"m{n}", f"c{n}") for n in range(first, first + 50)))


def counted(seen: Passes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records that are decoded on the loop are counted."""
    unpack, loop_thread = codec.unpack, threading.get_ident()

    def unpack_counted(*args: object) -> object:
        if threading.get_ident() == loop_thread:
            seen.count()
        return unpack(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(codec, "unpack", unpack_counted)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/workspaces/acme/deliveries?limit=1000",
        "/v1/workspaces/acme/deliveries?limit=1000&q=nobody",
        "/v1/workspaces/acme/deliveries?limit=1000&order=queue",
        "/v1/workspaces/acme/chats?limit=1000",
        "/v1/workspaces/other/chats?limit=1000",
        "/v1/chats?limit=1000",
        "/v1/tokens?limit=1000",
        "/v1/workspaces?limit=1000",
    ],
)
async def test_no_list_is_read_between_two_passes_of_the_loop(
    system: System, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "chats" not in path and "deliveries" not in path:
        await many_tokens(system)
        await many_workspaces(system)
    with passes() as seen:
        counted(seen, monkeypatch)
        answers = await asyncio.gather(*(system.ask("GET", path) for _ in range(4)))

    assert [answer.status for answer in answers] == [200] * 4
    found, cursor = list(answers[0].document.values())[:2]
    assert (cursor, found == []) == (None, path.startswith(EMPTY))
    assert seen.total >= 4 * NUMBER
    assert seen.most <= IN_A_SLICE


async def many_tokens(system: System) -> None:
    store = system.daemon.partition.store_queue
    tokens = (
        CreateToken(
            digest=bytes([n // 256, n % 256]) * 16,
            scope="admin",
            workspace_id="acme",
            now_ms=system.clock.now_ms() + n,
            caller="test",
        )
        for n in range(NUMBER)
    )
    await asyncio.gather(*map(store.done, tokens))


async def many_workspaces(system: System) -> None:
    for n in range(150):  # of each five records are read
        await system.ask("PUT", f"/v1/workspaces/w{n}", {"webhook": {}})


async def test_flushing_where_nothing_is_open_gives_way_to_others(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    with passes() as seen:
        counted(seen, monkeypatch)
        flushed = await system.ask("POST", "/v1/workspaces/acme/chats/flush")

    assert flushed.document == {"sealed": 0, "messages": 0, "cursor": None}
    assert seen.total >= NUMBER
    assert seen.most <= IN_A_SLICE


@pytest.mark.parametrize(
    "path", ["/console/w/acme/windows", "/console/w/acme/deliveries", "/console/workspaces?q=no"]
)
async def test_pages_of_the_console_are_read_like_other_lists(
    system: System, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many_workspaces(system)
    token, tcp = await bearer(system), system.daemon.listeners.tcp
    assert tcp
    async with visitor("http://{}:{}".format(*tcp)) as operator:
        await operator.sign_in(token)
        with passes() as seen:
            counted(seen, monkeypatch)
            pages = await asyncio.gather(*(operator.get(path) for _ in range(4)))

    assert [page.status for page in pages] == [200] * 4
    assert seen.most <= IN_A_SLICE


async def test_of_an_owner_one_list_is_read_at_a_time_and_a_share_of_them_waits(
    system: System,
) -> None:
    token, lists = await bearer(system, "acme"), system.daemon.fair_limits.lists
    tcp = system.daemon.listeners.tcp
    assert tcp
    url = "http://{}:{}/v1/workspaces/acme/deliveries".format(*tcp)
    lists.take("acme", LISTS_MAX // 2)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        refused = await session.get(url)
        document = await refused.json()
        by_the_operator = await system.ask("GET", "/v1/workspaces/acme/deliveries")
        lists.give_back("acme", LISTS_MAX // 2)
        again = await session.get(url)

    assert (refused.status, again.status, by_the_operator.status) == (429, 200, 200)
    assert "share of lists" in document["detail"]
    assert lists.used == 0


async def test_a_count_whose_caller_has_left_goes_no_further_and_starts_no_replay(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    await system.ask("POST", "/v1/workspaces/acme/webhook/enable")
    await system.facts.until("delivery.delivered", NUMBER)
    guard, lists = system.daemon.guard, system.daemon.fair_limits.lists
    token, tcp = await bearer(system, "acme"), system.daemon.listeners.tcp
    assert tcp
    body = b'{"states":["delivered"],"dry_run":false}'
    read_on, left = Count.read_on, asyncio.Event()

    def endless(count: Count) -> bool:
        read_on(count)
        return not left.is_set() or guard.connections > 0

    monkeypatch.setattr(Count, "read_on", endless)
    _, writer = await asyncio.open_connection(*tcp)
    writer.write(
        b"POST /v1/workspaces/acme/replay HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (token.encode(), len(body), body)
    )
    await until(lambda: lists.used == 1)
    writer.transport.abort()
    left.set()
    await until(lambda: lists.used == 0)
    await system.switch("acme", "disable")  # the Store does what it was asked for before, first

    assert (await system.get("/v1/workspaces/acme/replay"))["replays"] == []
