"""Large answers: what stays in memory of them, who may read how many, and who is cut off."""

import asyncio
import gc
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import aiohttp
import pytest

from hookbundle.engine.fairness.fair_limit import FairLimit
from hookbundle.server.http.fair_limits import READERS_MAX
from hookbundle.server.http.large_answers import LARGE_BYTES, RESET
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.server.http.wire import Connection
from hookbundle.storage.database import keyspace
from hookbundle.storage.reads import requests_made
from hookbundle.tests.hook_receiver import TIMEOUT_S, HookReceiver
from hookbundle.tests.in_process import System, daemon_in, event, receiving, until
from hookbundle.tests.tokens import bearer

LOG = "/v1/workspaces/acme/log"
TEXT = "x" * 60_000
ENTRIES = 8
BYTES = 600_000  # of an entry, at least


@asynccontextmanager
async def large(folder: Path, taken_s: float = 30.0) -> AsyncIterator[tuple[System, HookReceiver]]:
    """A daemon whose workspace `acme` has a log of `ENTRIES` requests of `BYTES` each."""
    listeners = ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0", taken_s=taken_s)
    async with receiving() as receiver, daemon_in(folder, listeners=listeners) as system:
        await system.make("acme", receiver, aggregation="24h")
        await fill(system, ENTRIES)
        yield system, receiver


async def fill(system: System, entries: int, first: int = 0) -> None:
    for number in range(first, first + entries):
        texts = (event(f"m{n}", f"c{number}", text=TEXT) for n in range(6))
        await system.accept("acme", *texts)
        await system.ask("POST", f"/v1/workspaces/acme/chats/c{number}/flush")
    await system.facts.until("delivery.delivered", first + entries)


@asynccontextmanager
async def stuck(system: System, path: str, token: str = "") -> AsyncIterator[socket.socket]:
    """A reader that asks, and takes nothing of its answer."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sock.setblocking(False)
        assert system.daemon.listeners.tcp
        await loop.sock_connect(sock, system.daemon.listeners.tcp)
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        await loop.sock_sendall(sock, head.encode())
        yield sock


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The keys of the log's entries that were read, bodies and all."""
    keys: list[bytes] = []
    entry = requests_made.entry

    def counted(txn: Any, webhook: int, key: bytes, value: bytes) -> Any:
        keys.append(key)
        return entry(txn, webhook, key, value)

    monkeypatch.setattr(requests_made, "entry", counted)
    return keys


async def test_no_more_of_a_log_is_read_than_its_reader_takes(
    tmp_path: Path, read: list[bytes]
) -> None:
    async with large(tmp_path, taken_s=0.3) as (system, _):
        readers = system.daemon.fair_limits.readers
        token = await bearer(system)
        async with stuck(system, LOG, token):
            await until(lambda: readers.used == 1)
            await until(lambda: readers.used == 0)

    # The kernel takes some megabytes for a reader that takes nothing.
    assert 0 < len(read) < ENTRIES


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[bytes], threading.Event]]:
    """The keys of entries whose reading was begun; it goes on once the event is set."""
    keys: list[bytes] = []
    go_on = threading.Event()
    entry = requests_made.entry

    def waiting(txn: Any, webhook: int, key: bytes, value: bytes) -> Any:
        keys.append(key)
        assert go_on.wait(TIMEOUT_S)
        return entry(txn, webhook, key, value)

    monkeypatch.setattr(requests_made, "entry", waiting)
    yield keys, go_on
    go_on.set()


async def test_nothing_is_read_for_those_who_left_before_their_turn(
    tmp_path: Path, held: tuple[list[bytes], threading.Event]
) -> None:
    keys, go_on = held
    async with large(tmp_path) as (system, _):
        readers, token = system.daemon.fair_limits.readers, await bearer(system)
        async with AsyncExitStack() as open_:
            for _ in range(4):
                await open_.enter_async_context(stuck(system, LOG, token))
            await until(lambda: readers.used == 4 and bool(keys))
        await until(lambda: system.daemon.guard.connections == 0)
        go_on.set()
        await until(lambda: readers.used == 0)

    assert len(keys) == 1


async def test_readers_of_one_log_keep_one_thread_busy_and_others_have_theirs(
    tmp_path: Path, held: tuple[list[bytes], threading.Event]
) -> None:
    keys, go_on = held
    async with large(tmp_path) as (system, receiver):
        await system.make("blue", receiver)
        await system.accept("blue", event("m1"))
        await system.facts.until("delivery.delivered", workspace="blue")
        logs = [asyncio.create_task(system.ask("GET", LOG)) for _ in range(3)]
        await until(lambda: system.daemon.fair_limits.readers.used == 3 and len(keys) == 1)
        logs.append(asyncio.create_task(system.ask("GET", LOG.replace("acme", "blue"))))
        await until(lambda: len(keys) == 2)
        go_on.set()
        answers = await asyncio.gather(*logs)

    assert [len(answer.document) for answer in answers] == [ENTRIES] * 3 + [1]


async def test_a_reader_that_takes_nothing_is_cut_off_and_sees_it(tmp_path: Path) -> None:
    async with large(tmp_path, taken_s=0.2) as (system, _):
        token, readers = await bearer(system), system.daemon.fair_limits.readers
        async with stuck(system, LOG, token) as sock:
            await until(lambda: readers.used == 1)
            await until(lambda: readers.used == 0)
            sock.setblocking(True)
            with pytest.raises(ConnectionResetError):
                await asyncio.to_thread(body_of, sock)
        whole = await system.ask("GET", LOG)

    assert len(whole.document) == ENTRIES


@pytest.mark.parametrize("form", ["json", "ndjson"])
async def test_entries_that_are_trimmed_meanwhile_are_left_out(tmp_path: Path, form: str) -> None:
    async with large(tmp_path) as (system, _):
        token = await bearer(system)
        async with stuck(system, f"{LOG}?format={form}", token) as sock:
            await until(lambda: system.daemon.fair_limits.readers.used == 1)
            deleted = await system.ask("DELETE", "/v1/workspaces/acme/chats/c0")
            await system.facts.until("chat.erased")
            sock.setblocking(True)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            body = await asyncio.to_thread(body_of, sock)

    assert deleted.status == 200
    entries = json.loads(body) if form == "json" else list(map(json.loads, body.splitlines()))
    assert [entry["chat_id"] for entry in entries] == [f"c{n}" for n in range(ENTRIES - 1, 0, -1)]


def body_of(sock: socket.socket) -> bytes:
    """The body of an answer in chunks, whose last one came."""
    with sock.makefile("rb") as file:
        while file.readline() != b"\r\n":
            pass
        body = b""
        while size := int(file.readline(), 16):
            body += file.read(size)
            assert file.readline() == b"\r\n"
        return body


async def test_a_reader_that_is_gone_leaves_nothing_behind(tmp_path: Path) -> None:
    """The daemon collects garbage rarely, and an entry is large."""
    async with large(tmp_path) as (system, _):
        token, readers = await bearer(system), system.daemon.fair_limits.readers
        gc.collect()
        gc.disable()
        try:
            async with stuck(system, LOG, token) as sock:
                await until(lambda: readers.used == 1)
                to_readers = connections()  # looking for them takes a while
                await until(lambda: any(one.writing_paused for one in to_readers))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            await until(lambda: readers.used == 0)
            frames = [each for each in gc.get_objects() if isinstance(each, FrameType)]
        finally:
            gc.enable()

    assert not [frame for frame in frames if frame.f_code.co_name == "_write"]


def connections() -> list[Connection]:
    return [each for each in gc.get_objects() if isinstance(each, Connection)]


async def test_a_damaged_entry_is_shown_as_one_and_ends_nothing(tmp_path: Path) -> None:
    async with large(tmp_path) as (system, _):
        env = system.daemon.partition.env
        number = system.daemon.partition.reads.workspace_number("acme")
        key = keyspace.owned_numbered(keyspace.LOG, number, 2)
        with env.write() as txn:
            txn.put(key, b"\x00 damaged")
        entries = (await system.ask("GET", LOG)).document

    assert len(entries) == ENTRIES
    damaged = entries[ENTRIES - 1 - 2]
    assert (damaged["outcome"], damaged["request"]["body"]) == ("unreadable", "")
    assert "damaged" in damaged["error"]


async def test_a_workspace_has_its_share_of_readers_and_leaves_others_theirs(
    tmp_path: Path,
) -> None:
    async with large(tmp_path) as (system, _), aiohttp.ClientSession() as session:
        assert system.daemon.listeners.tcp
        url = "http://{}:{}{}".format(*system.daemon.listeners.tcp, LOG)
        token, readers = await bearer(system, "acme"), system.daemon.fair_limits.readers
        answers = []
        for _ in range(READERS_MAX):
            headers = {"Authorization": f"Bearer {token}"}
            answers.append(await session.get(url, headers=headers))
        refused = [answer for answer in answers if answer.status == 429]
        document = await refused[0].json()
        by_the_operator = await system.ask("GET", LOG)
        for answer in answers:
            answer.close()
        await until(lambda: readers.used == 0)

    assert len(refused) == READERS_MAX // 2
    assert "share of large answers" in document["detail"]
    assert refused[0].headers["Retry-After"]
    assert by_the_operator.status == 200


async def test_whatever_is_large_counts_among_the_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []

    def take(readers: FairLimit[str], owner: str, amount: int = 1) -> None:
        if readers.name == "readers":
            taken.append(owner)

    async with (
        receiving() as receiver,
        daemon_in(tmp_path) as system,
    ):
        await system.make("acme", receiver, aggregation="24h")
        receiver.answers(500)
        await system.accept("acme", *(event(f"d{n}", "waiting", text=TEXT) for n in range(6)))
        open_window = await system.ask("GET", "/v1/workspaces/acme/chats/waiting")
        await system.ask("POST", "/v1/workspaces/acme/chats/waiting/flush")
        (sealed,) = await system.facts.until("delivery.sealed")
        path = f"/v1/workspaces/acme/deliveries/{sealed['data']['delivery']}"
        small = await system.ask("GET", "/v1/workspaces/acme")
        with monkeypatch.context() as patch:
            patch.setattr(FairLimit, "take", take)
            patch.setattr(FairLimit, "give_back", lambda *_: None)
            delivery = await system.ask("GET", path)
            await system.ask("GET", "/v1/workspaces/acme/chats/waiting")

    assert taken == [""]
    assert len(delivery.body) > BYTES > LARGE_BYTES > len(small.body)
    assert delivery.headers["content-length"] == str(len(delivery.body))
    assert open_window.status == 200
