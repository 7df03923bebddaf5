"""How commands end when their output is closed, full or interrupted, and what they ask before."""

import asyncio
import signal
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, Ran, serving

NUMBERS = count(1)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon")) as program:
        yield program


async def shell(program: Program, script: str) -> Ran:
    """`$hb` is the program."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-o", "pipefail", "-c", script),
        env={**program.env, "hb": PROGRAM},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return Ran(process.returncode, out.decode(), err.decode())


# ---- the output


@pytest.mark.parametrize(
    "command", ["version", "status --json", "workspace list", "config show", "tail --no-follow"]
)
async def test_a_reader_that_leaves_early_is_no_failure(program: Program, command: str) -> None:
    left = await shell(program, f"$hb {command} | true")
    closed = await shell(program, f"$hb {command} >&-")

    assert (left.code, closed.code) == (0, 0)
    assert "Error" not in left.err + closed.err


async def test_a_failure_is_still_told_when_the_reader_has_left(program: Program) -> None:
    ran = await shell(program, "$hb workspace show nobody | true")

    assert ran.code == 5


@pytest.mark.parametrize("command", ["version", "status", "token list --json"])
async def test_an_output_that_is_full_is_one_sentence(program: Program, command: str) -> None:
    ran = await shell(program, f"$hb {command} >/dev/full")

    assert ran.code == 1
    assert ran.err == "Error: the output could not be written: no space left on device\n"


@pytest.mark.parametrize("output", ["| true", ">&-"])
async def test_a_token_that_nobody_has_read_is_a_failure(program: Program, output: str) -> None:
    ran = await shell(program, f"$hb token create --scope intake {output}")

    assert ran.code == 1
    assert "nobody has read the output. Revoke tok_" in ran.err


async def test_a_closed_stdin_is_a_usage_error(program: Program) -> None:
    ran = await shell(program, "$hb send acme <&-")

    assert ran.code == 2
    assert "there is no stdin" in ran.err


async def test_the_log_is_written_for_its_owner_only(program: Program, tmp_path: Path) -> None:
    await program("workspace", "set", "logged", "--aggregation", "1h")

    written = await program("log", "logged", "-o", str(tmp_path / "log.json"))
    failed = await program("log", "logged", "-o", str(tmp_path / "nowhere" / "log.json"))

    assert (written.code, failed.code) == (0, 1)
    assert (tmp_path / "log.json").stat().st_mode & 0o777 == 0o600
    assert failed.err == f"Error: {tmp_path}/nowhere/log.json: no such file or directory\n"


# ---- Ctrl-C


@pytest.mark.parametrize("command", [("status",), ("deliveries", "list"), ("token", "list")])
async def test_an_interrupt_ends_a_command_with_one_sentence(
    tmp_path: Path, program: Program, command: tuple[str, ...]
) -> None:
    asked = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await reader.read()
        writer.close()

    path = tmp_path / "control.sock"
    async with await asyncio.start_unix_server(never_answer, path):
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "--socket", str(path), *command), env=program.env, stdout=PIPE, stderr=PIPE
        )
        async with asyncio.timeout(TIMEOUT_S):
            await asked.wait()
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()

    assert (process.returncode, out, err) == (1, b"", b"Error: interrupted\n")


# ---- what can't be undone


async def prepared(api: Api, ws: str, url: str) -> str:
    """A disabled workspace that holds a message, with an open window; returns a delivery's id."""
    hook = {"url": url, "aggregation": "none"}
    await api.ask("PUT", f"/v1/workspaces/{ws}", {"name": ws, "webhook": hook})
    await api.switch(ws, "disable")
    await api.accept(ws, event("m1"))
    await api.ask("PATCH", f"/v1/workspaces/{ws}", {"webhook": {"aggregation": "6h"}})
    await api.accept(ws, event("m2", "c2"))
    listed = await api.get(f"/v1/workspaces/{ws}/deliveries")
    return str(listed["deliveries"][0]["id"])


@pytest.mark.parametrize(
    ("command", "consequence"),
    [
        ("workspace enable {ws} --discard", "1 message of 1 chat will never be sent"),
        ("workspace delete {ws}", "2 messages will never be sent"),
        ("deliveries discard {id} --reason x", "1 message will never be sent"),
        ("chats flush {ws}", "1 request goes to its receiver"),
        ("chats delete {ws} c2", "will never be sent"),
    ],
)
async def test_what_cannot_be_undone_says_what_it_does_and_asks(
    program: Program, command: str, consequence: str
) -> None:
    ws = f"w{next(NUMBERS)}"
    async with receiving() as receiver, connected(program.socket_path) as session:
        api = Api(session)
        delivery = await prepared(api, ws, receiver.url())
        arguments = command.replace("{ws}", ws).replace("{id}", delivery).split()
        before = (await api.show(ws))["counts"]

        no = await program(*arguments, given=b"n\n")
        nobody = await program(*arguments)
        after = (await api.show(ws))["counts"]
        yes = await program(*arguments, "--yes")

    assert after == before
    assert (no.code, nobody.code, yes.code) == (1, 1, 0)
    assert consequence in no.err
    assert no.err.endswith("Error: nothing was done\n")
    assert "--yes does it without asking" in nobody.err
    assert consequence not in yes.err


async def test_nothing_is_asked_when_there_is_nothing_to_send(program: Program) -> None:
    await program("workspace", "set", "empty", "--aggregation", "1h")

    ran = await program("chats", "flush", "empty")

    assert (ran.code, ran.rows) == (0, [["sealed", "0"], ["messages", "0"]])


async def test_revoking_a_token_asks(program: Program) -> None:
    made = await program("token", "create", "--scope", "intake", "--json")
    token = made.document["id"]

    no = await program("token", "revoke", token, given=b"n\n")
    listed = await program("token", "list")
    yes = await program("token", "revoke", token, "--yes")

    assert (no.code, yes.code) == (1, 0)
    assert "are refused from now on" in no.err
    assert token in listed.out


async def test_a_table_in_a_pipe_has_a_header_and_all_of_every_value(program: Program) -> None:
    name = f"long-{'0123456789' * 5}"
    await program("workspace", "set", name, "--aggregation", "1h")

    with_header = await program("workspace", "list", env={"COLUMNS": "40"})
    without = await program("workspace", "list", "--no-header")

    assert with_header.rows[0] == ["id", "state", "full", "aggregation", "windows", "queued"]
    assert with_header.rows[1:] == without.rows
    assert [name, "unconfigured", "no", "1h", "0", "0"] in without.rows
