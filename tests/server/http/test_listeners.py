"""The listeners: their files' permissions, what is in their way, and what they answer."""

import socket
import stat
from pathlib import Path

import aiohttp
import pytest

from hookbundle.commands.demo.clock import MovableClock
from hookbundle.engine.errors import ConfigError, Unusable
from hookbundle.server.daemon.process import Daemon
from hookbundle.server.http.listeners import ListenersConfig, parse_listen, unix_socket
from hookbundle.tests.in_process import config_of, daemon_in


async def test_the_socket_is_for_its_owner_alone(tmp_path: Path) -> None:
    async with daemon_in(tmp_path):
        folder = tmp_path / "run"
        control = (folder / "control.sock").stat().st_mode

        assert stat.S_ISSOCK(control)
        assert stat.S_IMODE(control) == 0o600
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert stat.S_IMODE((tmp_path / "data" / "data.mdb").stat().st_mode) == 0o600


async def test_a_stop_leaves_no_socket_behind(tmp_path: Path) -> None:
    async with daemon_in(tmp_path):
        pass

    assert list((tmp_path / "run").iterdir()) == []


async def test_a_socket_left_over_from_a_crash_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "run" / "control.sock"))

    async with daemon_in(tmp_path) as system:
        assert (await system.ask("GET", "/healthz")).status == 200


async def test_a_file_in_the_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    path = tmp_path / "run" / "control.sock"
    path.write_text("somebody's notes")

    with pytest.raises(ConfigError, match="is in the way"):
        async with daemon_in(tmp_path):
            pass

    assert path.read_text() == "somebody's notes"


async def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    target = tmp_path / "target"
    (tmp_path / "run" / "control.sock").symlink_to(target)

    with pytest.raises(ConfigError, match="is in the way"):
        async with daemon_in(tmp_path):
            pass

    assert not target.exists()


async def test_a_second_daemon_takes_neither_the_data_nor_the_socket(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        other = config_of(tmp_path, data=tmp_path / "other")

        with pytest.raises(Unusable, match="is in use by the process with pid"):
            await Daemon(config_of(tmp_path), MovableClock()).start()
        with pytest.raises(ConfigError, match="listening on"):
            await Daemon(other, MovableClock()).start()

        assert (await system.ask("GET", "/healthz")).status == 200
        assert (tmp_path / "run" / "control.sock").exists()


async def test_on_tcp_only_health_is_open(tmp_path: Path) -> None:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", "127.0.0.1:0")
    async with (
        daemon_in(tmp_path, listeners=listeners) as system,
        aiohttp.ClientSession() as session,
    ):
        assert system.daemon.listeners.tcp is not None
        host, port = system.daemon.listeners.tcp

        async def status(path: str, **headers: str) -> tuple[int, str]:
            async with session.get(f"http://{host}:{port}{path}", headers=headers) as answer:
                return answer.status, answer.headers.get("WWW-Authenticate", "")

        open_ones = [await status(path) for path in ("/healthz", "/readyz")]
        closed = [
            await status("/v1/status"),
            await status("/v1/workspaces", Authorization="Bearer wrong"),
            await status("/v1/workspaces", Authorization="Basic dTpw"),
            await status("/v1/nothing"),
        ]

        assert [code for code, _ in open_ones] == [200, 200]
        assert closed == [(401, 'Bearer realm="hookbundle"')] * 4


async def test_a_port_that_is_taken_is_said_so_and_no_door_stays_open(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        listeners = ListenersConfig(tmp_path / "run" / "control.sock", listen)

        with pytest.raises(ConfigError, match="can't listen"):
            async with daemon_in(tmp_path, listeners=listeners):
                pass

    assert not (tmp_path / "run" / "control.sock").exists()
    async with daemon_in(tmp_path) as system:
        assert (await system.ask("GET", "/healthz")).status == 200


@pytest.mark.parametrize("listen", ["8470", "host:", ":x", "[::1]:99999", "a:-1"])
async def test_a_senseless_address_is_refused_and_no_door_stays_open(
    tmp_path: Path, listen: str
) -> None:
    listeners = ListenersConfig(tmp_path / "run" / "control.sock", listen)

    with pytest.raises(ConfigError, match="is not HOST:PORT"):
        async with daemon_in(tmp_path, listeners=listeners):
            pass

    assert not (tmp_path / "run" / "control.sock").exists()


@pytest.mark.parametrize(
    ("listen", "where"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:80", ("::1", 80)),
        (":0", ("127.0.0.1", 0)),
        ("localhost:8470", ("localhost", 8470)),
    ],
)
def test_an_address_is_a_host_and_a_port(listen: str, where: tuple[str, int]) -> None:
    assert parse_listen(listen) == where


def test_a_path_too_long_for_a_socket_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too long"):
        unix_socket(tmp_path / ("x" * 120))
