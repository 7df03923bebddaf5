"""The settings of a cluster: what a node makes of them, and what it refuses."""

import socket
from pathlib import Path

import pytest

from hookbundle.actors.replication.nats.client import Servers
from hookbundle.commands.cluster import settings
from hookbundle.commands.configuration.loading import load
from hookbundle.commands.configuration.settings import AT_START_ONLY, SETTINGS, Configuration
from hookbundle.engine.errors import ConfigError
from hookbundle.engine.replication.cluster import ClusterConfig

KEY = bytes(range(32))


def configured(folder: Path, **values: str) -> Configuration:
    given = {"key": str(folder / "cluster.key"), **values}
    return load({f"cluster.{name}": value for name, value in given.items()}, {}, [])


def write_key(folder: Path, content: str = KEY.hex() + "\n", mode: int = 0o600) -> None:
    (folder / "cluster.key").write_text(content)
    (folder / "cluster.key").chmod(mode)


def test_a_node_has_sound_defaults_and_its_machine_s_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "web-1.example.com")
    write_key(tmp_path)

    assert settings.cluster_config(configured(tmp_path)) == ClusterConfig(
        name="hookbundle",
        node="web-1",
        copies=2,
        dead_after_s=3.0,
        generation_bytes=256 * 1024 * 1024,
        erase_within_ms=86_400_000,
        key=KEY,
    )


def test_all_copies_are_as_many_as_there_can_be_nodes(tmp_path: Path) -> None:
    write_key(tmp_path)

    assert settings.cluster_config(configured(tmp_path, copies="all", node="a")).copies == 256


@pytest.mark.parametrize("name", ["a.b", "a b", "*", "x" * 65, "-x"])
def test_a_node_s_name_can_be_part_of_a_subject_and_a_command(tmp_path: Path, name: str) -> None:
    write_key(tmp_path)

    with pytest.raises(ConfigError, match=r"cluster\.node"):
        settings.cluster_config(configured(tmp_path, node=name))


def test_servers_have_the_password_from_its_own_setting(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    config = configured(
        tmp_path,
        servers="tls://n1:4222,tls://n2:4222",
        credentials="me:a:b",
        tls_ca=str(tmp_path / "ca.pem"),
    )

    assert settings.servers(config) == Servers(
        urls=("tls://n1:4222", "tls://n2:4222"),
        user="me",
        password="a:b",
        ca_file=str(tmp_path / "ca.pem"),
    )


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (KEY.hex(), 0o640, "chmod 600"),
        ("zz", 0o600, "does not hold a key"),
        ("\u00e9", 0o600, "does not hold a key"),
        ("00" * 31, 0o600, "has 31 bytes"),
        ("", 0o600, "has 0 bytes"),
    ],
)
def test_a_key_that_is_no_good_is_refused(
    tmp_path: Path, content: str, mode: int, words: str
) -> None:
    write_key(tmp_path, content, mode)

    with pytest.raises(ConfigError, match=words):
        settings.cluster_config(configured(tmp_path))


def test_a_key_that_the_service_manager_gives_may_look_as_if_its_group_could_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    write_key(tmp_path, mode=0o440)
    assert settings.cluster_config(configured(tmp_path, node="a")).key == KEY

    (tmp_path / "cluster.key").chmod(0o444)
    with pytest.raises(ConfigError, match="chmod 600"):
        settings.cluster_config(configured(tmp_path))


def test_a_key_that_is_not_there_is_never_made_by_a_node(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="copy the file"):
        settings.cluster_config(configured(tmp_path))

    key, is_new = settings.made_key(tmp_path / "cluster.key")
    again = settings.made_key(tmp_path / "cluster.key")
    assert (len(key), is_new) == (32, True)
    assert again == (key, False)


def test_all_of_them_are_taken_at_the_start_alone() -> None:
    assert {s.name for s in SETTINGS if s.name.startswith("cluster.")} <= AT_START_ONLY
