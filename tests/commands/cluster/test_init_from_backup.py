"""What commands say of a backup of a cluster: `cluster init --from`, `check` and `restore`."""

import os
from pathlib import Path

import pytest

from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.replication.names import Names
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import HOUR_MS
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.program import Program, program_in
from hookbundle.tests.storage.maintenance import cluster_backups

NAMES = [f"ws{number}" for number in range(6)]
LESS = ("--replicas", "1", "--insecure", "--json")

pytestmark = pytest.mark.skipif(bool(os.environ.get("CLUSTER")), reason="needs a daemon alone")


def program_for(folder: Path, servers: LogServers) -> Program:
    urls = ",".join(servers.urls)
    return program_in(folder, CLUSTER__SERVERS=urls, CLUSTER__NAME=servers.new_cluster())


async def test_a_cluster_has_as_many_partitions_as_the_backup_unless_a_multiple_is_wanted(
    nats: LogServers, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    cluster_backups.made(backup, 2, NAMES)

    refused = await program_for(tmp_path / "0", nats)(
        "cluster", "init", "--from", str(backup), "--partitions", "3", *LESS
    )
    same = await program_for(tmp_path / "1", nats)("cluster", "init", "--from", str(backup), *LESS)
    held = await program_for(tmp_path / "2", nats)(
        "cluster", "init", "--from", str(backup), "--partitions", "4", "--hold", *LESS
    )

    assert refused.code == 1
    assert "or a multiple of them, and not 3" in refused.err
    assert (same.document["partitions"], same.document["workspaces"]) == (2, len(NAMES))
    assert f"{len(NAMES)} open windows and {len(NAMES)} queued deliveries" in same.err
    assert "They are sent again" in same.err
    assert (held.document["partitions"], held.document["held"]) == (4, len(NAMES))
    assert "are held" in held.err


async def test_its_logs_begin_with_a_generation_that_the_cluster_before_never_had(
    nats: LogServers, tmp_path: Path
) -> None:
    cluster_backups.made(tmp_path / "backup", 1, NAMES)
    program = program_for(tmp_path / "node", nats)

    ran = await program("cluster", "init", "--from", str(tmp_path / "backup"), *LESS)
    connection = Connection(Servers(urls=nats.urls), "tests")
    await connection.open(TIMEOUT_S)
    try:
        first = await NatsLog(connection, Names(ran.document["name"]), 0, 1).oldest()
    finally:
        await connection.close()

    assert first is not None
    assert first.number * 1_000 > SystemClock().wall_ms() - HOUR_MS
    assert first.epoch == cluster_backups.AT.epoch + 1


async def test_one_that_is_not_finished_or_not_whole_makes_no_cluster(
    nats: LogServers, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    cluster_backups.made(backup, 2, NAMES)
    program = program_for(tmp_path / "node", nats)
    text = (backup / manifest.FILE).read_text()
    (backup / manifest.FILE).unlink()
    unfinished = await program("cluster", "init", "--from", str(backup), *LESS)
    (backup / manifest.FILE).write_text(text)
    manifest.folder_of(backup, 1).rename(tmp_path / "elsewhere")
    part = await program("cluster", "init", "--from", str(backup), *LESS)
    (tmp_path / "elsewhere").rename(manifest.folder_of(backup, 1))

    assert (unfinished.code, part.code) == (1, 1)
    assert "not a finished backup of a cluster" in unfinished.err
    assert "partitions 1 is not what" in part.err
    assert (await program("cluster", "init", "--from", str(backup), *LESS)).code == 0


async def test_a_backup_of_several_partitions_does_not_become_one_database(tmp_path: Path) -> None:
    cluster_backups.made(tmp_path / "several", 2, NAMES)
    cluster_backups.made(tmp_path / "one", 1, NAMES)
    program = program_in(tmp_path)

    checked = await program("check", "--data", str(tmp_path / "several"), "--json")
    refused = await program("restore", str(tmp_path / "several"))
    done = await program("restore", str(tmp_path / "one"), "--json")

    assert checked.document["findings"] == []
    assert checked.document["records"] > 0
    assert refused.code == 6
    assert "cluster init --from" in refused.err
    assert done.document["windows"] == len(NAMES)


async def test_hold_is_for_what_is_brought(nats: LogServers, tmp_path: Path) -> None:
    ran = await program_for(tmp_path, nats)("cluster", "init", "--hold", *LESS)

    assert ran.code == 2
