"""What commands import: nothing of the daemon, and what draws tables only for a terminal.

Each runs in an interpreter of its own, which has imported nothing before.
"""

import os
import subprocess
import sys
from collections.abc import Iterator

import msgspec
import pytest

from hookbundle.tests.in_process import event
from hookbundle.tests.program import TIMEOUT_S, Program, serving

# At the end it says on stderr which modules it has; in the last line, below what is said there.
SCRIPT = """
import sys
from hookbundle.cli import main
try:
    main(prog_name="hookbundle")
finally:
    print(*sys.modules, file=sys.stderr)
"""
SLOW = ("aiohttp", "asyncio", "lmdb", "pykka", "rich", "structlog", "yarl")
DAEMON = ("actors", "storage", "server", "commands.daemon", "commands.demo")
# Their packages are there, for the command; what starts a daemon, or knows each fact, is not.
OF_HELP = ("run", "demo", "tail", "listen", "send", "doctor", "mail test")
BEHIND = ("daemon.run", "daemon.assembling", "demo.playing", "feed.tail", "listening.running")
MESSAGE = msgspec.json.encode(event("m-1"))
UNWANTED = (
    *SLOW,
    *(f"hookbundle.{name}" for name in DAEMON),
    *(f"hookbundle.commands.{name}" for name in BEHIND),
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon")) as program:
        imported(program, "workspace", "set", "acme", "--url", "http://127.0.0.1:8009/hook")
        yield program


def imported(program: Program, *arguments: str, stdout: int = subprocess.DEVNULL) -> set[str]:
    """The modules of UNWANTED that the command imports; it must not fail."""
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=program.env,
        input=MESSAGE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = ran.stderr.decode()
    assert ran.returncode == 0, said
    modules = said.splitlines()[-1].split()
    assert "hookbundle.cli" in modules
    return {name for name in UNWANTED if name in modules}


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "version",
        "status",
        "workspace list",
        "webhook show acme outbound",
        "source list acme",
        "send acme",
        "chats list acme",
        "deliveries list acme",
        "log acme",
        "token list",
        "check --help",
    ],
)
def test_a_command_imports_no_daemon_and_into_a_pipe_no_tables(
    program: Program, command: str
) -> None:
    assert imported(program, *command.split()) == set()


@pytest.mark.parametrize("command", OF_HELP)
def test_the_help_of_a_command_imports_nothing_of_what_it_does(
    program: Program, command: str
) -> None:
    found = imported(program, *command.split(), "--help")

    assert found <= {"hookbundle.commands.daemon", "hookbundle.commands.demo"}


def test_a_table_on_a_terminal_is_all_that_is_drawn(program: Program) -> None:
    ours, theirs = os.openpty()
    try:
        found = imported(program, "workspace", "list", stdout=theirs)
    finally:
        os.close(ours)
        os.close(theirs)

    assert found == {"rich"}
