"""What `doctor` says of a node's cluster: settings, key, directory, log servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hookbundle.commands.cluster.answering import Looked
from hookbundle.commands.configuration.loading import load
from hookbundle.commands.doctor import cluster
from hookbundle.commands.doctor.findings import Finding, Machine
from hookbundle.storage.database import files
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.instead import KEY, init
from hookbundle.tests.log_servers.ports import free_port
from hookbundle.tests.log_servers.server import LogServer
from hookbundle.tests.shared_work import plain_logs

THREE = "tls://n1:4222,tls://n2:4222,tls://n3:4222"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    yield
    plain_logs.begin()


def machine(folder: Path, key: bytes | None = KEY, **given: str) -> Machine:
    if key is not None:
        path = folder / "cluster.key"
        path.touch(mode=0o600)
        path.write_text(key.hex())
    settings = {f"cluster.{name}": value for name, value in given.items()}
    config = load({"data": str(folder), **settings}, {}, [])
    return Machine(config, (), folder, folder / "control.sock", None)


def texts(found: list[Finding], level: str) -> str:
    return "\n".join(each.what for each in found if each.level == level)


def test_a_daemon_alone_hears_of_no_cluster(tmp_path: Path) -> None:
    found = machine(tmp_path)

    assert not cluster.is_meant(found.config)
    assert list(cluster.leftovers(found)) == []


def test_settings_of_a_cluster_without_servers_are_noticed(tmp_path: Path) -> None:
    (finding,) = cluster.leftovers(machine(tmp_path, node="a", copies="3"))

    assert finding.level == "note"
    assert "cluster.copies, cluster.node is set" in finding.what


def test_sound_settings_have_no_findings(tmp_path: Path) -> None:
    found = machine(tmp_path, servers=THREE, credentials="me:secret", node="a")

    assert list(cluster.settings(found)) == []
    assert list(cluster.directory(found)) == []


def test_each_fault_of_the_settings_is_named_and_no_secret_is(tmp_path: Path) -> None:
    creds = tmp_path / "user.creds"
    creds.write_text("secret words")
    creds.chmod(0o644)
    found = list(
        cluster.settings(
            machine(tmp_path, None, servers="nats://n1:4222", credentials=str(creds), copies="1")
        )
    )

    faults, notes = texts(found, "fault"), texts(found, "note")
    assert "there is no" in faults  # the key
    assert "must be USER:PASSWORD" in faults
    assert f"{creds} holds a secret and can be read by everybody" in faults
    assert "names 1 of the log servers" in notes
    assert "are nats://" in notes
    assert "cluster.copies is 1" in notes
    assert "secret words" not in repr(found)


def test_the_directory_of_a_daemon_alone_is_no_node_s(tmp_path: Path) -> None:
    (tmp_path / files.DATA).touch()

    (finding,) = cluster.directory(machine(tmp_path, servers=THREE))

    assert finding.level == "fault"
    assert "a daemon that is in no cluster" in finding.what


def test_servers_are_looked_at_one_by_one_and_then_asked_for_the_cluster(
    tmp_path: Path, nats: LogServers
) -> None:
    name, gone = nats.new_cluster(), f"nats://127.0.0.1:{free_port()}"
    servers = f"{nats.urls[0]},{gone}"

    without = list(cluster.log_servers(machine(tmp_path, servers=servers, name=name, node="a")))
    init(nats, name, 1)
    other = machine(tmp_path, bytes(range(32)), servers=servers, name=name, node="a")
    with_another_key = list(cluster.log_servers(other))
    sound = list(cluster.log_servers(machine(tmp_path, servers=servers, name=name, node="a")))

    assert f"the log server {gone.removeprefix('nats://')} can't be used" in texts(sound, "fault")
    assert "does not want TLS" in texts(sound, "note")
    assert "its logs are on 1 log server" in texts(sound, "note")
    assert f"there is no cluster {name}" in texts(without, "fault")
    assert "another key than the cluster was made with" in texts(with_another_key, "fault")
    assert "another key" not in texts(sound, "fault")


def test_a_server_that_is_cut_off_from_the_others_is_named_and_nothing_is_said_of_the_record(
    tmp_path: Path, nats: LogServers
) -> None:
    name = nats.new_cluster()
    init(nats, name, 1)
    cut_off = LogServer(tmp_path / "cut", "n9", [free_port()], free_port())
    cut_off.start()
    try:
        servers = f"{cut_off.url},{nats.urls[0]}"
        found = list(cluster.log_servers(machine(tmp_path, servers=servers, name=name, node="a")))
    finally:
        cut_off.kill()

    (fault,) = (each for each in found if each.level == "fault")
    host = cut_off.url.removeprefix("nats://")
    assert fault.what.startswith(f"the log server {host} runs, and can't say what is stored")
    assert "`routes`" in fault.mend


@pytest.mark.parametrize(
    ("why", "mend"),
    [
        ("certificate verify failed: certificate has expired (_ssl.c:1006)", "a new certificate"),
        ("unable to get local issuer certificate (_ssl.c:1006)", "set cluster.tls_ca"),
        ("Hostname mismatch, certificate is not valid for 'n1'", "as its certificate does"),
        ("nats: 'Authorization Violation'", "set cluster.credentials"),
        ("[Errno 111] Connect call failed ('10.0.0.1', 4222)", "start it"),
        ("no answer", "look whether it runs"),
    ],
)
def test_what_helps_is_said_of_each_fault(why: str, mend: str) -> None:
    (found,) = cluster._of_server("tls://n1:4222", Looked(unreachable=why))

    assert mend in found.mend


def test_servers_that_are_all_gone_are_asked_for_nothing(tmp_path: Path) -> None:
    found = machine(tmp_path, servers=f"nats://127.0.0.1:{free_port()}", node="a")

    (finding,) = cluster.log_servers(found)

    assert "can't be used" in finding.what
