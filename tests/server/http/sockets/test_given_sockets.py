"""Sockets of the service manager: which are served, which are refused, and who sees them after."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hookbundle.engine.errors import ConfigError
from hookbundle.server.http.sockets.given_sockets import NONE_GIVEN, GivenSockets, take
from hookbundle.tests.daemon.restarts.holding import listening, listening_at

FIRST = 400  # tests share a process, where 3 and those after it are taken


@pytest.fixture
def control(tmp_path: Path) -> Iterator[socket.socket]:
    with listening_at(tmp_path / "run" / "control.sock") as sock:
        yield sock


def given(names: str | None, *held: socket.socket, **changes: str) -> GivenSockets:
    """As a process takes them that was started with these sockets."""
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(held)), **changes}
    if names is not None:
        environ["LISTEN_FDNAMES"] = names
    copies = [os.dup2(each.fileno(), FIRST + number) for number, each in enumerate(held)]
    try:
        found = take(environ, FIRST)
        assert environ == {}
        if found.names:
            copies = copies[len(found.names) :]
    finally:
        for copy in copies:
            try:
                os.close(copy)
            except OSError:  # it was taken, and closed with what took it
                continue
    return found


def test_a_process_takes_what_was_meant_for_it(control: socket.socket) -> None:
    with listening() as http:
        http.setblocking(True)
        found = given("control:http", control, http)

        assert found.names == ["http", "control"]
        assert found.http is not None
        assert found.control is not None
        with found.http, found.control:
            assert found.http.getsockname() == http.getsockname()
            assert found.control.getsockname() == control.getsockname()
            for each in (found.http, found.control):
                assert not each.get_inheritable()
                assert not os.get_blocking(each.fileno())


def test_without_names_the_family_says_which_is_which(control: socket.socket) -> None:
    with listening() as http:
        found = given(None, http, control)

        assert found.names == ["http", "control"]
        assert found.http is not None
        assert found.control is not None
        found.http.close()
        found.control.close()


def test_sockets_of_another_process_are_left_alone() -> None:
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http", "PATH": "/bin"}

    assert take(environ).meant_for == "1"
    assert environ == {"PATH": "/bin"}
    assert take(environ) is NONE_GIVEN


def listens(_: Path) -> socket.socket:
    return listening()


def datagrams(_: Path) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


def deaf(_: Path) -> socket.socket:
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def abstract(_: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind("")  # the kernel gives it an abstract name that is free
    sock.listen()
    return sock


def for_everybody(folder: Path) -> socket.socket:
    return listening_at(folder / "run" / "control.sock", 0o666)


@pytest.mark.parametrize(
    ("names", "makes", "words"),
    [
        ("feed", [listens], "'feed' .* unknown name; only `http` .* and `control`"),
        ("http:http", [listens, listens], "two sockets for 'http'"),
        ("http", [datagrams], "of another kind"),
        ("http", [abstract], "of another kind"),
        ("control", [listens], "of another kind"),
        ("http", [deaf], "does not listen"),
        ("control", [abstract], "has no file"),
        ("control", [for_everybody], "everybody may open .* SocketMode=0600"),
        ("http:control", [listens], "are not the names of 1 sockets"),
    ],
)
def test_what_would_not_be_served_is_refused(
    tmp_path: Path, names: str, makes: list[Callable[[Path], socket.socket]], words: str
) -> None:
    held = [make(tmp_path) for make in makes]
    try:
        with pytest.raises(ConfigError, match=words):
            given(names, *held)
    finally:
        for each in held:
            each.close()


@pytest.mark.parametrize("count", ["many", "-1", "65"])
def test_a_senseless_number_is_refused(count: str) -> None:
    with pytest.raises(ConfigError, match="is not a number of sockets"):
        given(None, LISTEN_FDS=count)


def test_what_is_no_socket_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        given("http", LISTEN_FDS="1")
    file = os.open(tmp_path / "file", os.O_CREAT)
    os.dup2(file, FIRST)
    try:
        with pytest.raises(ConfigError, match="is no socket"):
            given("http", LISTEN_FDS="1")
    finally:
        os.close(file)
        os.close(FIRST)
