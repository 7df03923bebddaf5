"""`hookbundle listen` beside a real daemon: it gets what is sent, checks it, answers as told."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from hookbundle.engine.delivery import signing
from hookbundle.tests.in_process import facts_of
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, serving

SECRET = signing.new_secret(bytes(range(32)))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("daemon")
    with serving(folder, DELIVERY__BACKOFF=",".join(["1ms"] * 10)) as program:
        yield program


@asynccontextmanager
async def listening(program: Program, *arguments: str) -> AsyncIterator[tuple[Process, str]]:
    """The command, once it listens, and what it has said until then."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "listen", "--port", "0", *arguments, env=program.env, stdout=PIPE, stderr=PIPE
    )
    assert process.stderr is not None
    try:
        said = ""
        async with asyncio.timeout(TIMEOUT_S):
            while "listening on " not in said:
                line = await process.stderr.readline()
                assert line, said
                said += line.decode()
        yield process, said
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def rest_of(process: Process) -> tuple[str, str, int | None]:
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate()
    return out.decode(), err.decode(), process.returncode


def url_in(said: str) -> str:
    found = re.search(r"listening on (\S+)", said)
    assert found is not None
    return found[1]


async def test_a_sample_is_received_verified_and_answered_in_turns(program: Program) -> None:
    await program("workspace", "set", "first", "--aggregation", "24h")
    sent = await program("send", "first", "--sample", "8", "--json")

    async with listening(
        program, "first", "--set-url", "--status", "500,200", "--count", "5", "--json"
    ) as (process, said):
        await program("chats", "flush", "first", "--yes")
        out, _, code = await rest_of(process)

    assert sent.document == {"accepted": 8, "duplicate": 0, "skipped": []}
    assert code == 0
    requests = [msgspec.json.decode(line) for line in out.splitlines()]
    assert [each["status"] for each in requests] == [500, 200, 500, 200, 500]
    assert all(each["authentic"] for each in requests), requests
    assert requests[0]["headers"]["webhook-id"] == requests[1]["headers"]["webhook-id"]
    assert len(requests[0]["body"]["messages"]) == 2
    assert "outbound of first is sent here now." in said


async def test_the_url_before_is_named_so_that_it_can_be_set_again(program: Program) -> None:
    await program("workspace", "set", "undo", "--url", "https://crm.example/in?key=1")

    async with listening(program, "undo", "--set-url") as (_, said):
        pass

    undo = "hookbundle webhook set undo outbound --url 'https://crm.example/in?key=1'"
    assert f"To undo it: {undo}" in said


async def test_without_set_url_it_offers_the_command_and_changes_nothing(program: Program) -> None:
    await program("workspace", "set", "offer", "--url", "https://crm.example/in")

    async with listening(program, "offer") as (_, said):
        hook = await program("webhook", "show", "offer", "outbound", "--json")

    assert f"hookbundle webhook set offer outbound --url '{url_in(said)}'" in said
    assert hook.document["url"] == "https://crm.example/in"


async def test_what_the_daemon_was_allowed_is_not_asked_for_again(program: Program) -> None:
    """Who runs `listen` has not the daemon's environment."""
    await program("workspace", "set", "again")
    async with listening(program, "again", "--set-url") as (_, said):
        port = url_in(said).rstrip("/").rpartition(":")[2]
    variable = "HOOKBUNDLE_DELIVERY__ALLOW_NETWORKS"
    elsewhere = Program({name: it for name, it in program.env.items() if name != variable})

    async with listening(elsewhere, "again", "--port", port) as (_, known):
        pass
    async with listening(elsewhere, "again") as (_, unknown):
        pass

    assert known.splitlines() == [f"listening on http://127.0.0.1:{port}/ (Ctrl-C ends)"]
    assert variable in unknown


async def test_a_signature_of_another_secret_is_shown_as_wrong(program: Program) -> None:
    await program("workspace", "set", "forged")

    async with listening(program, "forged", "--secret", SECRET, "--count", "1") as (process, said):
        await program("workspace", "set", "forged", "--url", url_in(said))
        tested = await program("workspace", "test", "forged", "--json")
        out, _, _ = await rest_of(process)

    assert tested.document["outcome"] == "delivered"
    assert "not authentic: none of 1 signatures matches this body and secret" in out


async def test_ctrl_c_ends_it_and_it_succeeded(program: Program) -> None:
    async with listening(program) as (process, _):
        process.send_signal(signal.SIGINT)
        _, err, code = await rest_of(process)

    assert (code, err.strip()) == (0, "")


async def test_a_reader_that_leaves_ends_it(program: Program) -> None:
    await program("workspace", "set", "leaves")

    async with listening(program, "leaves", "--set-url") as (process, _):
        assert process.stdout is not None
        process.stdout._transport.close()  # type: ignore[attr-defined]  # as `| head` does
        assert (await program("workspace", "test", "leaves")).code == 0
        async with asyncio.timeout(TIMEOUT_S):
            code = await process.wait()

    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--status", "99"), 2, "must be 200 to 599"),
        (("--status", "200,"), 2, "must be 200 to 599"),
        (("--port", "65536"), 2, "must be 0 to 65535"),
        (("--delay", "2h"), 2, "must be at most 1h"),
        (("--delay", "soon"), 2, "soon"),
        (("--secret", "hunter2"), 2, "a signing secret must start with whsec_"),
        (("--secret", "@missing"), 2, "missing can't be read"),
        (("--set-url",), 2, "--set-url needs the workspace"),
        (("nobody",), 5, "nobody"),
    ],
)
async def test_what_can_not_be_is_refused(
    program: Program, arguments: tuple[str, ...], code: int, words: str
) -> None:
    ran = await program("listen", "--port", "0", *arguments)

    assert (ran.code, ran.out) == (code, "")
    assert words in ran.err
    assert "hunter2" not in ran.err


async def test_a_port_that_is_in_use_is_said(program: Program) -> None:
    async with listening(program) as (_, said):
        port = url_in(said).rpartition(":")[2].rstrip("/")
        ran = await program("listen", "--port", port)

    assert ran.code == 1
    assert f"port {port} can't be used: address already in use; --port 0" in ran.err


@pytest.mark.parametrize("allowed", ["", "10.0.0.0/8"])
async def test_where_the_daemon_may_not_call_here_it_says_what_to_set(
    tmp_path_factory: pytest.TempPathFactory, allowed: str
) -> None:
    folder = tmp_path_factory.mktemp("guarded")
    with serving(folder, DELIVERY__ALLOW_NETWORKS=allowed) as guarded:
        await guarded("workspace", "set", "acme")
        port = str(20_000 + os.getpid() % 20_000)

        refused = await guarded("listen", "acme", "--set-url", "--port", port)

        entry = ",".join(filter(None, (allowed, f"127.0.0.1:{port}")))
        assert refused.code == 2
        assert "has an address that may not be called: loopback" in refused.err
        assert f"HOOKBUNDLE_DELIVERY__ALLOW_NETWORKS={entry} hookbundle run" in refused.err
        assert re.search(r"`\[delivery\]` of \S+config.toml, then `kill -HUP \d+`", refused.err)


async def test_what_it_says_is_enough_and_opens_this_port_alone(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("allowed")
    port = str(20_000 + os.getpid() % 20_000)
    with serving(folder, DELIVERY__ALLOW_NETWORKS=f"127.0.0.1:{port}") as allowing:
        await allowing("workspace", "set", "acme", "--aggregation", "none")
        async with listening(allowing, "acme", "--set-url", "--count", "1", "--port", port) as (
            process,
            said,
        ):
            await allowing("send", "acme", "--sample", "1")
            out, _, _ = await rest_of(process)
            async with facts_of(allowing.socket_path) as facts:
                await facts.until("delivery.delivered")
        other = await allowing("workspace", "set", "acme", "--url", "http://127.0.0.1:8009/")

    assert "a message of John Doe  authentic" in out
    assert "hookbundle run" not in said
    assert other.code == 2
