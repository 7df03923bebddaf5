"""A daemon that is in no cluster has nothing of one."""

import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.storage.database import files
from hookbundle.storage.database.opening import open_environment
from hookbundle.tests.server.cluster.in_memory import cluster

IMPORTED = """
import sys
from hookbundle.commands.daemon import run
from hookbundle.server.daemon import process
print([name for name in sys.modules if name.startswith(
    ("nats", "hookbundle.server.cluster", "hookbundle.actors.replication"))])
"""


def test_a_daemon_alone_imports_nothing_of_a_cluster() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTED], capture_output=True, text=True, check=True
    )

    assert ran.stdout.strip() == "[]"


def test_a_daemon_alone_refuses_the_directory_of_a_node(tmp_path: Path) -> None:
    (tmp_path / files.PARTITIONS).mkdir()

    with pytest.raises(Unusable, match="--cluster"):
        open_environment(tmp_path, 1)


def test_a_daemon_alone_refuses_a_backup_of_a_cluster(tmp_path: Path) -> None:
    (tmp_path / files.BACKUP_OF_ALL).write_text("{}")

    with pytest.raises(Unusable, match="cluster init --from"):
        open_environment(tmp_path, 1)


async def test_a_node_refuses_a_backup_of_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "a" / "data").mkdir(parents=True)
    (tmp_path / "a" / "data" / files.BACKUP_OF_ALL).write_text("{}")
    async with cluster(tmp_path, 1) as made:
        with pytest.raises(Unusable, match="cluster init --from"):
            await made.start("a")


async def test_a_node_refuses_the_directory_of_a_daemon_alone(tmp_path: Path) -> None:
    open_environment(tmp_path / "a" / "data", 1).close()
    async with cluster(tmp_path, 1) as made:
        with pytest.raises(Unusable, match="in no cluster"):
            await made.start("a")
