"""What a daemon does with sockets that it was given, beside serving them."""

import asyncio
import shutil
import socket
import struct
from pathlib import Path

import aiohttp
import pytest

from hookbundle.tests.daemon.restarts.holding import PATIENT, Held, held, listening, listening_at
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, program_in
from hookbundle.tests.running import started

ASK = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUEUE = struct.Struct("=28xI")  # tcp_info of a listening socket: how many may wait at most
WAIT = 7
ANSWER_S = 15.0
PLACES, WAITING = 400, 300  # half of the places are the share of one alone


def queue_of(sock: socket.socket) -> int:
    (most,) = QUEUE.unpack(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, QUEUE.size))
    return int(most)


async def test_both_sockets_are_served_said_and_left_as_they_were(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    control = listening_at(program.socket_path)
    with held(http=listening(WAIT), control=control) as sockets:
        async with sockets.daemon(program) as daemon, aiohttp.ClientSession() as session:
            said = await daemon.says("serves sockets that the service manager holds")
            async with session.get(f"{sockets.url}/healthz") as answer:
                status = answer.status
            found = await program("status", "--json")
            queue = queue_of(sockets.sockets["http"])
            daemon.process.terminate()
            code = await daemon.ended()
        there = program.socket_path.exists()
        waiting = asyncio.ensure_future(program("status", "--json"))
        async with sockets.daemon(program) as daemon:
            waited = await waiting

    assert (status, code, queue, there) == (200, 0, WAIT, True)
    assert said["sockets"] == found.document["sockets_given"] == ["http", "control"]
    assert waited.document["pid"] == daemon.process.pid


async def test_what_was_accepted_is_answered_and_who_comes_later_waits(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    with held(http=listening()) as sockets:
        async with sockets.daemon(program, *PATIENT) as daemon:
            silent = await connection(sockets)
            used = await connection(sockets)
            before = await asked(*used)
            daemon.process.terminate()
            await daemon.says("accepts no more: new connections wait for the next daemon")
            last = await asyncio.gather(asked(*silent), asked(*used))
            reader, writer = late = await connection(sockets)
            writer.write(ASK)
            code = await daemon.ended()
            is_answered = bool(reader._buffer) or reader.at_eof()  # type: ignore[attr-defined]
        async with sockets.daemon(program):
            after = await answer(reader)
        for _, each in (silent, used, late):
            each.close()

    assert before[0] == after[0] == b"HTTP/1.1 200 OK"
    assert b"connection: close" not in before
    assert [(lines[0], b"connection: close" in lines) for lines in last] == [(before[0], True)] * 2
    assert (code, is_answered) == (0, False)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connection(sockets: Held) -> Streams:
    return await asyncio.open_connection(*sockets.sockets["http"].getsockname())


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[bytes]:
    writer.write(ASK)
    return await answer(reader)


async def answer(reader: asyncio.StreamReader) -> list[bytes]:
    """The lines of its head, those of headers in lower case."""
    async with asyncio.timeout(TIMEOUT_S):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readuntil(b"}")
    first, *headers = head.split(b"\r\n")
    return [first, *(line.lower() for line in headers)]


async def test_a_reader_of_the_feed_reads_on_from_the_next_daemon(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    with held(http=listening()) as sockets:
        async with sockets.daemon(program) as daemon:
            made = await daemon.ask("POST", "/v1/tokens", {"scope": "admin"})
            bearer = {"Authorization": f"Bearer {made.document['token']}"}
            async with aiohttp.ClientSession(sockets.url, headers=bearer) as session:
                async with session.get("/v1/events?since=oldest&type=daemon.*") as stream:
                    cursor = await cursor_of(stream, "daemon.started")
                    daemon.process.terminate()
                    await stream.read()
                code = await daemon.ended()
                again = asyncio.ensure_future(
                    session.get("/v1/events?type=daemon.*", headers={"Last-Event-ID": cursor})
                )
                async with sockets.daemon(program), await again as stream:
                    await cursor_of(stream, "daemon.stopped")
                    await cursor_of(stream, "daemon.started")

    assert code == 0


async def cursor_of(stream: aiohttp.ClientResponse, kind: str) -> str:
    """The cursor of the next event of the kind; none of them is older than what was read."""
    cursor = b""
    async with asyncio.timeout(TIMEOUT_S):
        while line := await stream.content.readline():
            if line.startswith(b"id:"):
                cursor = line.removeprefix(b"id:").strip()
            if line.startswith(b"data:") and kind.encode() in line:
                return cursor.decode()
    raise AssertionError(f"the stream ended before {kind}")


async def test_of_many_who_waited_none_is_over_the_share_of_connections(tmp_path: Path) -> None:
    program = program_in(tmp_path, HTTP__CONNECTIONS_MAX=str(PLACES))
    with held(http=listening(PLACES)) as sockets:
        async with sockets.daemon(program) as daemon:
            made = await daemon.ask("POST", "/v1/tokens", {"scope": "admin"})
            daemon.process.terminate()
            await daemon.ended()
        lines = ["GET /v1/workspaces/acme HTTP/1.1", "Host: localhost", "Connection: close"]
        bearer = f"Authorization: Bearer {made.document['token']}"
        for _, writer in (waiting := [await connection(sockets) for _ in range(WAITING)]):
            writer.write("\r\n".join([*lines, bearer, "", ""]).encode())
        async with sockets.daemon(program), asyncio.timeout(TIMEOUT_S):
            answers = [await reader.readline() for reader, _ in waiting]
        for _, writer in waiting:
            writer.close()

    assert set(answers) == {b"HTTP/1.1 404 Not Found\r\n"}


async def test_callers_do_not_wait_for_the_receivers_of_a_daemon_that_ends(tmp_path: Path) -> None:
    program = program_in(tmp_path)
    release = asyncio.Event()
    async with receiving() as receiver:
        receiver.answers(Answer(after=release), 200)
        with held(http=listening()) as sockets:
            async with sockets.daemon(program) as daemon:
                await daemon.make("acme", receiver)
                made = await daemon.ask("POST", "/v1/tokens", {"scope": "intake"})
                bearer = {"Authorization": f"Bearer {made.document['token']}"}
                await daemon.accept("acme", event("m1"))
                await receiver.until(1)
                daemon.process.terminate()
                await daemon.says("stopping")
                async with (
                    asyncio.timeout(ANSWER_S),
                    aiohttp.ClientSession(sockets.url, headers=bearer) as session,
                    session.post("/v1/workspaces/acme/messages", json=[event("m2")]) as answer,
                ):
                    status = answer.status
                still_runs = daemon.process.returncode is None
                release.set()
                code = await daemon.ended()
            async with sockets.daemon(program):
                posts = await receiver.until(2)

    assert (status, still_runs, code) == (202, True, 0)
    assert [post.message_ids for post in posts] == [["m1"], ["m2"]]


@pytest.mark.parametrize(
    ("setting", "value"), [("LISTEN", "127.0.0.1:1"), ("LISTEN", "off"), ("SOCKET", "/x/c.sock")]
)
async def test_a_setting_that_names_another_address_is_refused(
    tmp_path: Path, setting: str, value: str
) -> None:
    program = program_in(tmp_path)
    control = listening_at(program.socket_path)
    with held(http=listening(), control=control) as sockets:
        settings = {"LISTEN": sockets.url.removeprefix("http://"), setting: value}
        env = {**program.env, **{f"HOOKBUNDLE_{name}": text for name, text in settings.items()}}
        process = await started(
            Program(env), command=sockets.command(PROGRAM), descriptors=sockets.descriptors
        )
        try:
            async with asyncio.timeout(TIMEOUT_S):
                _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()

    assert process.returncode == 2
    assert f"is '{value}', but the service manager listens on" in said.decode()
    assert not (tmp_path / "data").exists()


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="no systemd here")
async def test_systemds_own_program_starts_it_with_the_first_connection(tmp_path: Path) -> None:
    with listening() as free:
        port = free.getsockname()[1]
    program = program_in(tmp_path, LISTEN=f"127.0.0.1:{port}")
    keep = [f"--setenv={name}" for name in program.env]
    activate = ["systemd-socket-activate", f"--listen=127.0.0.1:{port}", "--fdname=http", *keep]
    process = await started(program, command=[*activate, PROGRAM])
    try:
        assert process.stderr is not None
        async with asyncio.timeout(TIMEOUT_S):
            assert b"Listening on" in await process.stderr.readline()
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{port}/healthz") as answer,
            ):
                status = answer.status
            found = await program("status", "--json")
            process.terminate()
            await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()

    assert status == 200
    assert found.document["sockets_given"] == ["http"]
    assert process.returncode == 0
