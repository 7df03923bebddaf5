"""`hookbundle cluster init --from`: what it says, and what it refuses."""

import os
from pathlib import Path

import pytest

from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import Program, program_in
from hookbundle.tests.storage.scratch import ScratchDatabase

ALONE = ("--partitions", "2", "--replicas", "1", "--insecure")

pytestmark = pytest.mark.skipif(bool(os.environ.get("CLUSTER")), reason="needs a daemon alone")


def program_for(folder: Path, servers: LogServers, name: str) -> Program:
    return program_in(folder, CLUSTER__SERVERS=",".join(servers.urls), CLUSTER__NAME=name)


def made(path: Path) -> Path:
    """The directory of a daemon that has stopped, with a window and a delivery."""
    db = ScratchDatabase(path)
    db.workspace()
    db.accept("m1", "m2")
    db.accept("m3", chat="other")
    db.seal("other")
    db.close()
    return path


async def test_the_workspaces_of_a_daemon_are_in_the_cluster(
    nats: LogServers, tmp_path: Path
) -> None:
    source = made(tmp_path / "alone")
    before = (source / DATA).read_bytes()
    program = program_for(tmp_path, nats, nats.new_cluster())

    ran = await program("cluster", "init", "--from", str(source), *ALONE, "--json")

    assert (ran.document["workspaces"], ran.document["partitions"]) == (1, 2)
    assert "1 open windows and 1 queued deliveries" in ran.err
    assert (source / DATA).read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["cluster.key"]


async def test_what_a_split_that_was_killed_has_left_is_removed(
    nats: LogServers, tmp_path: Path
) -> None:
    source = made(tmp_path / "alone")
    open_environment(tmp_path / "data" / "splitting" / "000", 1).close()
    program = program_for(tmp_path, nats, nats.new_cluster())

    ran = await program("cluster", "init", "--from", str(source), *ALONE, "--json")

    assert ran.document["workspaces"] == 1
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["cluster.key"]


async def test_a_database_in_use_is_refused(nats: LogServers, tmp_path: Path) -> None:
    source = made(tmp_path / "alone")
    program = program_for(tmp_path, nats, nats.new_cluster())
    env = open_environment(source, 1)
    try:
        ran = await program("cluster", "init", "--from", str(source), *ALONE)
    finally:
        env.close()

    assert ran.code == 6, ran
    assert "is in use by" in ran.err
    assert "stop it first" in ran.err
    assert (await program("cluster", "init", "--from", str(source), *ALONE)).code == 0


async def test_a_name_that_has_a_cluster_is_refused_and_the_cluster_stays(
    nats: LogServers, tmp_path: Path
) -> None:
    source = made(tmp_path / "alone")
    program = program_for(tmp_path, nats, nats.new_cluster())
    assert (await program("cluster", "init", *ALONE)).code == 0

    ran = await program("cluster", "init", "--from", str(source), *ALONE)

    assert ran.code == 6, ran
    assert "already" in ran.err
    assert not (tmp_path / "data" / "splitting").exists()


async def test_a_directory_that_a_node_could_not_use_or_that_has_nothing_is_refused(
    nats: LogServers, tmp_path: Path
) -> None:
    program = program_for(tmp_path, nats, nats.new_cluster())
    own, nothing = made(tmp_path / "data"), tmp_path / "nothing"

    same = await program("cluster", "init", "--from", str(own), *ALONE)
    none = await program("cluster", "init", "--from", str(nothing), *ALONE)

    assert (same.code, none.code) == (2, 1), (same, none)
    assert "rename it" in same.err
    assert "there is no database" in none.err
