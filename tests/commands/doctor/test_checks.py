"""Each check of `doctor` where what it looks for is wrong, and where it is not."""

import os
import socket
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.loading import load
from hookbundle.commands.doctor import data, machine, settings
from hookbundle.commands.doctor.findings import Finding, Machine
from hookbundle.storage.database import files
from hookbundle.storage.database.files import Marker
from hookbundle.storage.database.records import SCHEMA

NOTHING: Mapping[str, str] = {}


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A sound data directory."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    return directory


def looking(
    directory: Path, environ: Mapping[str, str] = NOTHING, *read: Path, pid: int | None = None
) -> Machine:
    given = {"HOOKBUNDLE_DATA": str(directory), "HOOKBUNDLE_STORAGE__FLOOR": "1MiB", **environ}
    config = load({}, given, read)
    control = directory.parent / "run" / "control.sock"
    return Machine(config, read, paths.data_directory(config), control, pid)


def said(check: Callable[[Machine], Iterable[Finding]], found: Machine) -> list[tuple[str, str]]:
    return [(each.level, each.what) for each in check(found)]


def test_a_sound_directory_has_no_findings(at: Path) -> None:
    for check in (data.rights, data.room, data.schema, machine.control_socket):
        assert said(check, looking(at)) == []


def test_a_directory_that_others_may_enter_is_said_with_the_command(at: Path) -> None:
    at.chmod(0o755)

    (finding,) = data.rights(looking(at))

    assert finding.level == "note"
    assert finding.mend == f"chmod 0700 {at}"


def test_a_file_of_the_database_that_is_a_link_is_a_fault(at: Path) -> None:
    (at / "lock").symlink_to("/tmp/elsewhere")

    ((level, what),) = said(data.rights, looking(at))

    assert level == "fault"
    assert "is a symbolic link" in what


def test_a_data_directory_that_is_a_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    assert said(data.rights, looking(tmp_path / "data")) == [
        ("fault", f"{tmp_path / 'data'} is no directory")
    ]


@pytest.mark.parametrize(("floor", "level"), [("16TiB", "fault"), ("0", None)])
def test_room_is_judged_by_what_the_daemon_keeps_free(
    at: Path, floor: str, level: str | None
) -> None:
    environ = {"HOOKBUNDLE_STORAGE__FLOOR": floor, "HOOKBUNDLE_STORAGE__RESERVE": "0"}

    assert [found[0] for found in said(data.room, looking(at, environ))] == (
        [level] if level else []
    )


@pytest.mark.parametrize(
    ("kind", "level"),
    [
        ("nfs4", "fault"),
        ("fuse.sshfs", None),
        ("overlay", "note"),
        ("tmpfs", "note"),
        ("ext4", None),
    ],
)
def test_a_file_system_that_loses_or_shares_data_is_said(
    at: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: str | None
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
        f"2 1 0:5 / {at} rw - {kind} none rw\n"
        f"3 1 0:5 / {at}2 rw - nfs none rw\n"
    )
    monkeypatch.setattr(data, "MOUNTS", mounts)

    assert [found[0] for found in said(data.file_system, looking(at))] == ([level] if level else [])


@pytest.mark.parametrize(
    ("marker", "level", "word"),
    [
        (Marker("e", SCHEMA + 1), "fault", "this program knows"),
        (Marker("e", SCHEMA - 1), "note", "this program has"),
        (Marker("e", SCHEMA, "backup"), "fault", "is a backup"),
        (Marker("e", SCHEMA, "restoring"), "fault", "was cut short"),
    ],
    ids=str,
)
def test_a_database_that_no_daemon_can_use_is_said(
    at: Path, marker: Marker, level: str, word: str
) -> None:
    files.write_marker(at, marker)

    ((found, what),) = said(data.schema, looking(at))

    assert found == level
    assert word in what


def test_a_file_with_a_secret_that_others_read_or_change_is_a_fault(
    at: Path, tmp_path: Path
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[smtp]\npassword = "hunter2"\n')
    file.chmod(0o666)

    findings = list(settings.permissions(looking(at, NOTHING, file)))
    file.chmod(0o600)

    assert [each.mend for each in findings] == [f"chmod go-w {file}", f"chmod o-rwx {file}"]
    assert "hunter2" not in str(findings)
    assert said(settings.permissions, looking(at, NOTHING, file)) == []


def test_a_password_that_goes_in_clear_is_a_fault(at: Path) -> None:
    given = {"HOOKBUNDLE_SMTP__PASSWORD": "hunter2", "HOOKBUNDLE_SMTP__SECURITY": "none"}

    assert [found[0] for found in said(settings.secrets_in_clear, looking(at, given))] == ["fault"]
    assert said(settings.secrets_in_clear, looking(at)) == []


@pytest.mark.parametrize(
    ("listen", "hosts", "count"),
    [
        ("0.0.0.0:8470", "", 1),
        ("0.0.0.0:8470", "hooks.example", 0),
        ("127.0.0.1:8470", "", 0),
        ("off", "", 0),
    ],
)
def test_a_daemon_for_others_has_to_know_its_name(
    at: Path, listen: str, hosts: str, count: int
) -> None:
    given = {"HOOKBUNDLE_LISTEN": listen, "HOOKBUNDLE_HTTP__HOSTS": hosts}

    assert len(said(settings.hosts, looking(at, given))) == count


def test_a_port_in_use_is_a_fault_unless_the_daemon_has_it(at: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        given = {"HOOKBUNDLE_LISTEN": listen}

        alone = said(machine.port, looking(at, given))
        running = said(machine.port, looking(at, given, pid=os.getpid()))

    assert alone == [("fault", f"nothing can listen on {listen}: address already in use")]
    assert running == []
    assert said(machine.port, looking(at, given)) == []


def test_more_files_than_the_process_may_open_are_said(at: Path) -> None:
    given = {"HOOKBUNDLE_DELIVERY__IN_FLIGHT_MAX": "1000000"}

    ((level, what),) = said(machine.descriptors, looking(at, given, pid=os.getpid()))

    assert level == "note"
    assert "its settings ask for 1001256" in what


def test_a_mail_server_that_is_not_there_is_a_fault_without_the_password(at: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    given = {
        "HOOKBUNDLE_SMTP__HOST": "127.0.0.1",
        "HOOKBUNDLE_SMTP__PORT": str(port),
        "HOOKBUNDLE_SMTP__PASSWORD": "hunter2",
    }

    findings = list(machine.mail_server(looking(at, given)))

    assert [each.what for each in findings] == [
        f"the mail server 127.0.0.1:{port} can't be used: Connection refused"
    ]
    assert "hunter2" not in str(findings)
    assert said(machine.look_ups, looking(at, given)) == []


def test_a_name_that_nobody_knows_is_a_fault(at: Path) -> None:
    given = {"HOOKBUNDLE_SMTP__HOST": "mail.invalid"}

    ((level, what),) = said(machine.look_ups, looking(at, given))

    assert level == "fault"
    assert "mail.invalid can't be looked up" in what
