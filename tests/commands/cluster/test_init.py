"""`hookbundle cluster init` against real log servers: what it makes, and what it refuses."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.generations import join
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats import api, membership
from hookbundle.actors.replication.nats.client import Servers
from hookbundle.actors.replication.nats.connection import Connection
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.actors.replication.nats.records import Records, pack
from hookbundle.engine.errors import ClusterUnusable
from hookbundle.engine.replication.cluster import ClusterRecord, NodeRecord, key_id
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.log_servers import faults_of
from hookbundle.engine.replication.names import Names
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.replication.base import NewCopy
from hookbundle.tests.log_servers import certificate
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.server import LogServer
from hookbundle.tests.program import Program, Ran, program_in

WITHIN_S = 30.0
ALONE = ("--replicas", "1", "--insecure")


def program_for(folder: Path, servers: LogServers, name: str) -> Program:
    return program_in(folder, CLUSTER__SERVERS=",".join(servers.urls), CLUSTER__NAME=name)


async def asked(servers: Servers, work: Any) -> Any:
    connection = Connection(servers, "tests")
    await connection.open(WITHIN_S)
    try:
        return await work(connection)
    finally:
        await connection.close()


async def test_a_cluster_has_a_record_a_key_and_an_empty_database_for_each_partition(
    nats: LogServers, tmp_path: Path
) -> None:
    name = nats.new_cluster()
    program = program_for(tmp_path, nats, name)

    ran = await program("cluster", "init", "--partitions", "3", *ALONE, "--json")

    key = tmp_path / "data" / "cluster.key"
    assert ran.document["key"] == str(key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert str(key) in ran.err

    async def read(connection: Connection) -> set[str]:
        record = await membership.cluster(Records(connection, Names(name)))
        assert record is not None
        assert (record.format, record.partitions, record.id) == (1, 3, ran.document["id"])
        assert record.key_id == key_id(bytes.fromhex(key.read_text().strip()))
        return {await joined(connection, name, partition, tmp_path) for partition in range(3)}

    epochs = await asked(Servers(urls=nats.urls), read)
    assert len(epochs) == 3  # ids of one partition are never valid in another


async def joined(connection: Connection, name: str, partition: int, folder: Path) -> str:
    """A node gets a copy of the partition, and can follow it. The epoch of its database."""
    raw = NatsLog(connection, Names(name), partition, 1)
    path = folder / f"copy{partition}"
    assert await raw.oldest() == Generation(1, 0)
    assert await join(raw, lambda: NewCopy(path), at_once) is not None
    env = open_environment(path, 1)
    try:
        await Follower(raw, env, Life("b1", 2, lambda: 0), at_once).catch_up()
        return env.identity.epoch
    finally:
        env.close()


async def at_once(work: Any) -> Any:
    return work()


async def test_a_cluster_is_made_once_and_keeps_the_key_that_is_there(
    nats: LogServers, tmp_path: Path
) -> None:
    program = program_for(tmp_path, nats, nats.new_cluster())
    first = await program("cluster", "init", "--partitions", "1", *ALONE)
    key = (tmp_path / "data" / "cluster.key").read_text()

    again = await program("cluster", "init", "--partitions", "1", *ALONE)
    other = await program("cluster", "init", "--name", nats.new_cluster(), *ALONE)

    assert (first.code, again.code, other.code) == (0, 6, 0)
    assert "already" in again.err
    assert (tmp_path / "data" / "cluster.key").read_text() == key


async def test_who_types_init_at_a_second_node_is_told_how_nodes_join_and_gets_no_key(
    nats: LogServers, tmp_path: Path
) -> None:
    name = nats.new_cluster()
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    made = await program_for(first, nats, name)("cluster", "init", "--partitions", "1", *ALONE)
    again = await program_for(second, nats, name)("cluster", "init", *ALONE)

    assert (made.code, again.code) == (0, 6), again
    assert "with 1 partitions: a node joins it by its settings and a copy of its key" in again.err
    # With a key of its own it would be refused later, and it would look as if it had the right one.
    assert not (second / "data" / "cluster.key").exists()


async def test_what_was_cut_short_is_begun_again(nats: LogServers, tmp_path: Path) -> None:
    name = nats.new_cluster()
    names = Names(name)

    async def cut_short(connection: Connection) -> None:
        await Records(connection, names).make(1)
        raw = NatsLog(connection, names, 0, 1)
        await raw.make(Generation(1, 0))
        await raw.publish(Generation(1, 0), {"Hb-Prev": "0"}, b"?")
        await NatsLog(connection, names, 9, 1).make(Generation(1, 0))

    await asked(Servers(urls=nats.urls), cut_short)
    ran = await program_for(tmp_path, nats, name)("cluster", "init", "--partitions", "1", *ALONE)

    async def read(connection: Connection) -> list[str]:
        await joined(connection, name, 0, tmp_path)
        return await api.streams(connection, f"hb.{name}.log.>")

    assert ran.code == 0, ran
    assert await asked(Servers(urls=nats.urls), read) == [f"HB_{name}_000_1x0"]


@pytest.mark.parametrize(
    ("arguments", "env", "code", "words"),
    [
        (("--replicas", "1"), {}, 2, "--insecure makes it all the same"),
        ((), {}, 6, "does not want TLS; secrets .*; it lets everybody in"),
        (("--name", "Our Cluster"), {}, 2, "cluster.name: 'Our Cluster' must have"),
        (("--servers", "http://127.0.0.1:1"), {}, 2, "must begin with nats:// or tls://"),
        (("--servers", "nats://me:secret@127.0.0.1:1"), {}, 2, "belongs into cluster.creden"),
        (("--servers", ""), {}, 2, "name the log servers"),
        (("--servers", "nats://127.0.0.1:1"), {}, 3, "no log server could be reached"),
        ((), {"HOOKBUNDLE_CLUSTER__CREDENTIALS": "me"}, 2, "must be USER:PASSWORD"),
        ((), {"HOOKBUNDLE_CLUSTER__TLS_CA": "/nowhere/ca.pem"}, 2, "there is no file"),
        (("--partitions", "257"), {}, 2, "must be 1 to 256"),
        (("--replicas", "2", "--insecure"), {}, 6, "can't be stored on 2 log servers: .*replicas"),
    ],
)
async def test_what_can_not_be_is_refused_with_a_sentence(
    nats: LogServers,
    tmp_path: Path,
    arguments: tuple[str, ...],
    env: dict[str, str],
    code: int,
    words: str,
) -> None:
    program = program_for(tmp_path, nats, nats.new_cluster())

    ran = await program("cluster", "init", *arguments, env=env)

    assert ran.code == code, ran
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(ran.err.replace("\n", " "))


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[LogServer]:
    (tmp_path / "key.pem").write_text(certificate.KEY)
    (tmp_path / "ca.pem").write_text(certificate.CERTIFICATE)
    tls = f'tls {{ cert_file: "{tmp_path}/ca.pem", key_file: "{tmp_path}/key.pem" }}'
    users = 'authorization { user: me, password: "secret" }'
    server = LogServer(tmp_path / "secured", more=f"{tls}\n{users}")
    server.start()
    yield server
    server.kill()


async def test_with_tls_and_a_password_nothing_is_missing_but_replicas(
    secured: LogServer, tmp_path: Path
) -> None:
    def variables(password: str) -> dict[str, str]:
        return {
            "CLUSTER__SERVERS": secured.url.replace("nats://", "tls://"),
            "CLUSTER__CREDENTIALS": f"me:{password}",
            "CLUSTER__TLS_CA": str(tmp_path / "ca.pem"),
        }

    secure = program_in(tmp_path, **variables("secret"))
    made = await secure("cluster", "init", "--partitions", "1", *ALONE)
    wrong = await program_in(tmp_path, **variables("wrong"))("cluster", "init", "--name", "c2")

    assert made.code == 0, made
    assert (wrong.code, "uthorization" in wrong.err) == (3, True), wrong
    assert (wrong.out, wrong.err.count("\n"), "wrong" in wrong.err) == ("", 1, False)


def test_each_fault_of_a_server_is_named() -> None:
    sound = {"version": "2.15.1", "jetstream": True, "max_payload": 1 << 20}

    assert faults_of(sound, insecure=True) == []
    assert len(faults_of(sound, insecure=False)) == 2
    assert faults_of(sound | {"tls_required": True, "auth_required": True}, insecure=False) == []
    for wrong, words in (
        ({"version": "2.11.9"}, "must be 2.12 or newer"),
        ({"version": "dev"}, "NATS dev"),
        ({"jetstream": False}, "no JetStream"),
        ({"max_payload": 65_536}, "max_payload is 65536"),
    ):
        (found,) = faults_of(sound | wrong, insecure=True)
        assert words in found


async def test_without_the_client_one_sentence_says_how_to_install_it(tmp_path: Path) -> None:
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'nats'\", name='nats')"
    )
    program = program_in(tmp_path, CLUSTER__SERVERS="nats://127.0.0.1:1")

    ran: Ran = await program("cluster", "init", env={"PYTHONPATH": str(tmp_path)})

    assert ran.code == 1
    assert ran.err.strip().splitlines()[-1].endswith("pip install 'hookbundle[cluster]'")


async def test_a_node_is_in_the_cluster_only_with_its_key_and_a_schema_that_it_reads(
    nats: LogServers,
) -> None:
    async def enter(connection: Connection) -> None:

        records, key = Records(connection, Names(nats.new_cluster())), bytes(32)
        node = NodeRecord("a", "1.0", 2, 1_000)
        with pytest.raises(ClusterUnusable, match="there is no cluster"):
            await membership.enter(records, node, key)
        await records.make(1)
        record = ClusterRecord(1, "id", 4, 2, 0, key_id(key))
        assert await records.put("cluster", pack(record), 0)
        with pytest.raises(ClusterUnusable, match=r"cluster\.key is another"):
            await membership.enter(records, node, b"x" * 32)
        with pytest.raises(ClusterUnusable, match="writes schema 2"):
            await membership.enter(records, NodeRecord("a", "0.9", 1, 0), key)

        assert await membership.enter(records, node, key) == record
        later = NodeRecord("a", "1.1", 3, 2_000)
        await asyncio.gather(*(membership.enter(records, later, key) for _ in range(3)))
        await membership.enter(records, NodeRecord("b", "1.0", 2, 3_000), key)
        found = await membership.nodes(records)
        assert found == [NodeRecord("a", "1.1", 3, 1_000), NodeRecord("b", "1.0", 2, 3_000)]

    await asked(Servers(urls=nats.urls), enter)


@pytest.mark.parametrize("written", [b"", b"\xff", b"[]", json.dumps({"format": 1}).encode()])
async def test_a_record_that_can_not_be_read_is_said_to_be(
    nats: LogServers, written: bytes
) -> None:
    async def read(connection: Connection) -> None:

        records = Records(connection, Names(nats.new_cluster()))
        await records.make(1)
        assert await records.put("cluster", written, 0)
        with pytest.raises(ClusterUnusable, match="record can't be read"):
            await membership.cluster(records)
        newer = ClusterRecord(2, "id", 4, 2, 0, "")
        assert await records.put("cluster", pack(newer), 1)
        with pytest.raises(ClusterUnusable, match="format 2"):
            await membership.cluster(records)

    await asked(Servers(urls=nats.urls), read)
