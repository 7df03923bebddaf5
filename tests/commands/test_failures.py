"""Every way a command can fail ends with one plain sentence and the right exit code.

The daemon is one that misbehaves: it is away, hangs up, or answers what no daemon answers.
"""

import asyncio
import errno
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hookbundle.cli import main
from hookbundle.commands.terminal.failures import REFUSED, UNREACHABLE, unreachable

COMMANDS = (
    "status",
    "workspace list",
    "workspace show acme",
    "workspace set acme --name A",
    "workspace enable acme",
    "workspace enable acme --discard",
    "workspace disable acme",
    "workspace test acme",
    "workspace rotate-secret acme",
    "workspace delete acme",
    "workspace delete acme --yes",
    "send acme {file}",
    "chats list",
    "chats list acme",
    "chats flush acme",
    "chats flush acme c1",
    "chats preview acme c1",
    "chats delete acme c1 --yes",
    "deliveries list",
    "deliveries list acme",
    "deliveries show dlv_1",
    "deliveries retry dlv_1",
    "deliveries retry --all-dead-letters acme",
    "deliveries discard dlv_1 --reason x",
    "activity acme",
    "log acme",
    "tail",
    "tail --workspace acme",
    "tail --no-follow",
    "token create --scope intake",
    "token list",
    "token revoke tok_1 --yes",
    "backup /tmp/nowhere",
)
OF_PYTHON = re.compile(
    r"Traceback|Error\(|Exception|NoneType|asyncio|aiohttp|errno|Errno|b'|\bNone\b|\bTrue\b"
)
REQUEST_BYTES = 65_536


async def run(socket: Path, command: str) -> Result:
    if "{file}" in command:
        file = socket.parent / "message.json"
        file.write_text('{"a": 1}')
        command = command.replace("{file}", str(file))
    arguments = ["--socket", str(socket), *shlex.split(command)]
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


@asynccontextmanager
async def answering(folder: Path, answer: bytes) -> AsyncIterator[Path]:
    """Both sockets; a caller is given the same bytes whatever it asks, and is hung up on."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(REQUEST_BYTES)
        writer.write(answer)
        writer.close()

    path = folder / "control.sock"
    control = await asyncio.start_unix_server(serve, path)
    feed = await asyncio.start_unix_server(serve, folder / "feed.sock")
    async with control, feed:
        yield path


def http(status: str, body: bytes) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def sentence(ran: Result, printed: str = "") -> str:
    """The one message of a command that failed, and had printed no more than this."""
    assert isinstance(ran.exception, SystemExit), ran.exception
    assert ran.stdout == printed
    assert ran.stderr.count("Error: ") == 1
    _, _, words = ran.stderr.partition("Error: ")
    assert not OF_PYTHON.search(words), words
    return words


@pytest.mark.parametrize("command", COMMANDS)
async def test_without_a_daemon_it_says_where_it_looked(tmp_path: Path, command: str) -> None:
    ran = await run(tmp_path / "control.sock", command)

    assert ran.exit_code == 3
    assert "no daemon answers at" in sentence(ran)
    assert str(tmp_path) in ran.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"])
async def test_a_daemon_that_ends_in_the_middle_is_named(
    tmp_path: Path, command: str, answer: bytes
) -> None:
    async with answering(tmp_path, answer) as socket:
        ran = await run(socket, command)

    assert ran.exit_code == 3
    printed = "{" if answer and command.startswith("log") else ""  # a log is printed as it comes
    said = sentence(ran, printed)
    assert "closed the connection" in said or "not hookbundle" in said


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if not each.startswith(("log", "backup"))]
)
async def test_what_is_not_the_daemon_is_recognised(tmp_path: Path, command: str) -> None:
    async with answering(tmp_path, http("200 OK", b"<html>hello</html>")) as socket:
        ran = await run(socket, command)

    assert ran.exit_code == 3
    assert "not hookbundle" in sentence(ran) or "closed the connection" in sentence(ran)


@pytest.mark.parametrize("command", [each for each in COMMANDS if not each.startswith("tail")])
async def test_an_answer_of_another_version_is_one_line_and_no_stack(
    tmp_path: Path, command: str
) -> None:
    async with answering(tmp_path, http("200 OK", b'{"unknown": 1}')) as socket:
        ran = await run(socket, command)

    if ran.exit_code:
        assert ran.exit_code == 1
        words = sentence(ran)
        assert len(words.strip().splitlines()) == 1
        assert ", line " in words


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"detail": 1}', b'{"errors": [1]}'])
async def test_an_error_without_a_problem_document_is_told_by_its_status(
    tmp_path: Path, body: bytes
) -> None:
    async with answering(tmp_path, http("502 Bad Gateway", body)) as socket:
        ran = await run(socket, "status")

    assert ran.exit_code == 1
    assert sentence(ran)


async def test_the_path_of_a_socket_can_be_too_long(tmp_path: Path) -> None:
    ran = await run(tmp_path / ("x" * 120), "status")
    feed = await run(tmp_path / ("x" * 120) / "y", "tail")

    assert (ran.exit_code, feed.exit_code) == (2, 2)
    assert "too long" in sentence(ran)
    assert "too long" in sentence(feed)


def test_a_socket_of_another_user_is_a_matter_of_permission() -> None:
    refused = unreachable(Path("/run/x.sock"), PermissionError(errno.EACCES, "Permission denied"))
    away = unreachable(Path("/run/x.sock"), ConnectionRefusedError(errno.ECONNREFUSED, "refused"))

    assert (refused.exit_code, away.exit_code) == (REFUSED, UNREACHABLE)
    assert "as the daemon's user" in refused.message


@pytest.mark.parametrize(
    "number", ["0", "-1", "abc", "1_000", "٣", " 5", "1.5", "", "\x1b[2J", "9" * 5_000]
)
@pytest.mark.parametrize(
    "command", ["chats list --limit", "deliveries list --limit", "tail --count"]
)
async def test_a_wrong_number_is_answered_with_the_range(
    tmp_path: Path, command: str, number: str
) -> None:
    ran = await run(tmp_path / "control.sock", f"{command} '{number}'")

    assert ran.exit_code == 2
    assert "must be 1 to 1000000; got '" in sentence(ran)
    assert max(map(len, ran.stderr.splitlines())) < 200
    assert "\x1b" not in ran.stderr


@pytest.mark.parametrize(
    "command",
    [
        "workspace show",
        "workspace set",
        "send",
        "chats flush",
        "chats preview acme",
        "deliveries show",
        "deliveries discard dlv_1",
        "activity",
        "log",
        "token create",
        "token revoke",
        "workspace set acme --language fr",
        "deliveries list --state gone",
        "token create --scope root",
        "send acme /nowhere/file",
        "send acme /tmp",
        "verify --secret x --header 'a: b' --body /nowhere/file",
        "tail --no-follow --until -1h",
    ],
)
async def test_what_is_missing_or_wrong_is_a_usage_error(tmp_path: Path, command: str) -> None:
    ran = await run(tmp_path / "control.sock", command)

    assert ran.exit_code == 2
    assert sentence(ran)
