"""The unit, the Dockerfile and the package list name only things that exist."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.cli import COMMANDS
from hookbundle.commands.configuration.settings import BY_NAME, BY_VARIABLE, FROM_FILE
from hookbundle.commands.terminal import failures
from hookbundle.server.http.listeners import BACKLOG
from hookbundle.server.http.sockets.given_sockets import HTTP

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging" / "hookbundle.service"
SOCKET = ROOT / "packaging" / "hookbundle.socket"
DROP_IN = ROOT / "packaging" / "cluster.conf"
DOCKERFILE = ROOT / "packaging" / "Dockerfile"
INSTALLED = "/opt/hookbundle/bin/hookbundle"


PACKAGED = ("actors", "commands", "engine", "server", "storage")


def values(key: str, unit: Path = UNIT) -> list[str]:
    """What the unit sets the key to, once or several times."""
    return re.findall(rf"^{key}=(.*)$", unit.read_text(), re.MULTILINE)


def known_variables() -> set[str]:
    secrets = {name + FROM_FILE for name, setting in BY_VARIABLE.items() if setting.secret}
    return {*BY_VARIABLE, *secrets}


def test_the_unit_starts_the_daemon_and_reloads_it() -> None:
    (start,) = values("ExecStart")

    assert start.split()[0] == INSTALLED
    assert start.split()[1] in COMMANDS
    assert values("Type") == ["notify"]
    assert values("ExecReload") == ["/bin/kill -HUP $MAINPID"]


def test_the_unit_sets_variables_that_there_are() -> None:
    set_by_unit = {pair.partition("=")[0] for pair in values("Environment")}

    assert set_by_unit <= known_variables()


def test_a_node_s_drop_in_gives_files_by_variables_that_there_are() -> None:
    text = DROP_IN.read_text()
    given = {each.partition(":")[0] for each in values("LoadCredential", DROP_IN)}

    assert {pair.partition("=")[0] for pair in values("Environment", DROP_IN)} <= known_variables()
    assert set(re.findall(r"%d/([\w.]+)", text)) == given


def test_the_unit_does_not_restart_what_stays_wrong() -> None:
    (codes,) = values("RestartPreventExitStatus")

    assert list(map(int, codes.split())) == [failures.USAGE, failures.CONFLICT]


def test_the_socket_is_the_one_that_the_daemon_serves_where_it_would_listen_itself() -> None:
    """A name that it does not know, or another address, would stop the start."""
    (backlog,) = values("Backlog", SOCKET)

    assert values("FileDescriptorName", SOCKET) == [HTTP]
    assert values("ListenStream", SOCKET) == [BY_NAME["listen"].default]
    assert values("Service", SOCKET) == [UNIT.name]
    assert values("Sockets") == [SOCKET.name]
    assert values("NonBlocking") == ["yes"]
    assert values("Accept", SOCKET) == ["no"]
    assert int(backlog) >= BACKLOG


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    program = str(Path(sys.executable).with_name("hookbundle"))
    unit = tmp_path / "hookbundle.service"
    unit.write_text(UNIT.read_text().replace(INSTALLED, program))
    sock = tmp_path / SOCKET.name
    sock.write_text(SOCKET.read_text())

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit), str(sock)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert verified.returncode == 0
    assert "hookbundle.s" not in verified.stderr, verified.stderr


def test_the_image_runs_as_an_unprivileged_user() -> None:
    text = DOCKERFILE.read_text()
    last_stage = text.rpartition("\nFROM ")[2]

    assert re.search(r"^USER \d{4,}:\d{4,}$", last_stage, re.MULTILINE)
    assert "VOLUME /var/lib/hookbundle" in last_stage
    assert "STOPSIGNAL SIGTERM" in last_stage


def test_the_image_calls_commands_and_sets_variables_that_there_are() -> None:
    text = DOCKERFILE.read_text()
    called = re.findall(r'^\s*CMD \["(?:hookbundle", ")?(\w+)"', text, re.MULTILINE)

    assert set(called) == {"status", "run"}
    assert set(called) <= set(COMMANDS)
    assert set(re.findall(r"HOOKBUNDLE_\w+", text)) <= known_variables()


def test_every_package_is_installed() -> None:
    """The checkout is the package itself, so setuptools can't find them and they are listed."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    there = {
        ".".join(("hookbundle", *file.parent.relative_to(ROOT).parts))
        for folder in PACKAGED
        for file in (ROOT / folder).rglob("*.py")
    }

    assert set(setup["options"]["packages"].split()) == there


def test_the_lock_files_have_hashes_and_name_no_index() -> None:
    for name in ("runtime", "dev", "build"):
        text = (ROOT / "requirements" / f"{name}.txt").read_text()
        pins = re.findall(r"^[\w.\[\]-]+==.*", text, re.MULTILINE)

        assert pins
        assert all(pin.endswith("\\") for pin in pins)
        assert "://" not in text
        assert "--index-url" not in text


def test_every_file_of_the_package_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    packages = setup["options"]["packages"].split()
    modules = setup["options"]["py_modules"].split()

    wanted = {name.split(".")[1] for name in packages}
    wanted |= {f"{name.split('.')[1]}.py" for name in modules}
    wanted |= {"setup.cfg", "pyproject.toml", "README.md"}
    assert ignored[0] == "*"
    assert {f"!{name}" for name in wanted} <= set(ignored)
