"""A backup of all partitions, made by one node of several, and a cluster out of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.engine.replication.assignment import partition_of
from hookbundle.server.cluster import routing
from hookbundle.server.cluster.backing_up import reaching, taking
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.opening import open_read_only
from hookbundle.storage.database.records import Meta
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.splitting.of_backups import split_backup
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.in_process import Answer, Api, connected, event
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster, shared_out

PARTITIONS = 3
NAMES = [f"ws{number}" for number in range(12)]  # some in each partition
BACKUP = "/v1/backup"


@asynccontextmanager
async def three(folder: Path) -> AsyncIterator[tuple[MemoryCluster, tuple[Node, ...], Api]]:
    """Three nodes with two copies of each partition, of which the first has no copy of one. And
    its API."""
    async with cluster(folder, PARTITIONS) as made:
        nodes = await made.start("b"), await made.start("a"), await made.start("c")
        await shared_out(*nodes)
        async with connected(nodes[0].config.listeners.socket_path) as session:
            api = Api(session)
            for name in NAMES:
                assert (await api.ask("POST", "/v1/workspaces", {"id": name})).status == 201
            yield made, nodes, api


def texts_in(backup: Path, partitions: int = PARTITIONS) -> bytes:
    folders = [manifest.folder_of(backup, number) for number in range(partitions)]
    return b"".join((folder / "data.mdb").read_bytes() for folder in folders)


async def wanted(api: Api, into: Path) -> Answer:
    return await api.ask("POST", BACKUP, {"directory": str(into)})


async def test_everything_acknowledged_is_in_a_backup_whoever_has_it(tmp_path: Path) -> None:
    into = tmp_path / "backup"
    async with three(tmp_path) as (_, nodes, api):
        for number in range(3):
            for name in NAMES:
                await api.accept(name, event(f"m{number}", text=f"text {number} of {name}."))
        answer = await wanted(api, into)
        owned = set(nodes[0].owned)
        again = await wanted(api, into)

    assert answer.status == 200, answer
    found = answer.document
    assert found["findings"] == []
    sources = {each["number"]: each["source"] for each in found["partitions"]}
    assert sorted(sources) == list(range(PARTITIONS))
    assert {sources[number] for number in owned} == {"copy"}
    assert "log" in sources.values(), "this node had a copy of each partition"
    texts = texts_in(into)
    for number in range(3):
        for name in NAMES:
            assert f"text {number} of {name}.".encode() in texts
    listed = manifest.read(into)
    assert listed is not None
    manifest.check_whole(into, listed)
    assert list(manifest.findings(into, listed, lambda: None)) == []
    assert sum(each.records for each in listed.partitions) == found["records"]
    assert sorted(path.name for path in into.iterdir()) == [
        *(f"{number:03}" for number in range(PARTITIONS)),
        "backup.json",
    ]
    assert (again.status, again.code) == (409, "directory_not_empty")


@pytest.mark.parametrize("partitions", [PARTITIONS, 3 * PARTITIONS])
async def test_as_many_partitions_or_a_multiple_can_be_made_of_it(
    tmp_path: Path, partitions: int
) -> None:
    into, parts = tmp_path / "backup", tmp_path / "parts"
    async with three(tmp_path) as (_, _nodes, api):
        for name in NAMES:
            await api.accept(name, event(f"m-{name}", text=f"text of {name}."))
        assert (await wanted(api, into)).status == 200
    listed = manifest.read(into)
    assert listed is not None
    parts.mkdir()

    place = partial(partition_of, partitions=partitions)
    done = split_backup(into, listed, parts, partitions, place, 1, lambda: None, hold=False)

    assert done.workspaces == len(NAMES)
    epochs, windows = set(), 0
    for number in range(partitions):
        env = open_read_only(parts / f"{number:03}", lock=False)
        with env.read() as txn:
            there = {bytes(key[1:]).decode() for key, _ in rows.rows(txn, keyspace.WORKSPACES)}
            meta = codec.unpack(keyspace.META, rows.get_raw(txn, keyspace.META) or b"", Meta)
            assert rows.get_raw(txn, keyspace.POSITION) is None
        env.close()
        assert there == {name for name in NAMES if of_workspace(name, partitions) == number}
        epochs.add(env.identity.epoch)
        windows += meta.windows
    assert not epochs & {each.identity for each in listed.partitions}
    assert len(epochs) == partitions
    assert windows == done.windows


async def test_a_copy_that_is_behind_is_waited_for_or_the_log_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "OWN_WITHIN_S", 0.0)
    async with three(tmp_path) as (_, nodes, api):
        number = next(
            n for n in range(PARTITIONS) if nodes[0].followed(n) and n not in nodes[0].owned
        )
        name = next(each for each in NAMES if of_workspace(each, PARTITIONS) == number)
        host = nodes[0].hosts[number]
        await nodes[0].assigning.close()  # nothing is followed from now on
        await api.accept(name, event("late", text="what the copy does not have."))
        answer = await wanted(api, tmp_path / "backup")
        behind = reaching.reached_by(host.role.state.follower.env)  # type: ignore[union-attr]

    (part,) = [each for each in answer.document["partitions"] if each["number"] == number]
    assert part["source"] == "log"
    assert part["seq"] > behind.seq
    assert b"what the copy does not have." in texts_in(tmp_path / "backup")


async def test_a_copy_that_is_given_up_while_it_is_read_is_read_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with three(tmp_path) as (_, nodes, api):
        number = min(nodes[0].owned)
        name = next(each for each in NAMES if of_workspace(each, PARTITIONS) == number)
        await api.accept(name, event("m1", text="it is in the backup."))
        ends = _closing_once(monkeypatch, nodes[0], number)
        answer = await wanted(api, tmp_path / "backup")

    assert answer.status == 200, answer
    assert ends == [number]
    assert b"it is in the backup." in texts_in(tmp_path / "backup")


def _closing_once(monkeypatch: pytest.MonkeyPatch, node: Node, number: int) -> list[int]:
    """The first time that the partition's copy is read, it is closed, as for a rewrite."""
    loop, ended = asyncio.get_running_loop(), list[int]()
    really = backups.back_up
    follower = node.hosts[number].role.state.follower
    assert follower is not None
    closing = follower.env

    def back_up(env: object, *given: object) -> object:
        if env is closing and not ended:
            ended.append(number)
            closing._is_closing = True  # as close() does first, and then waits for readers
            loop.call_soon_threadsafe(setattr, closing, "_is_closing", False)
            closing.ends_if_told()
        return really(env, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(backups, "back_up", back_up)
    return ended


async def test_partitions_that_do_not_answer_are_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "OWNER_WITHIN_S", 0.1)
    into = tmp_path / "backup"
    async with three(tmp_path) as (made, nodes, api):
        lost = ", ".join(map(str, sorted(nodes[1].owned)))
        made.nodes["a"].is_cut = True
        monkeypatch.setattr(made.nodes["b"], "may_judge", False)
        monkeypatch.setattr(made.nodes["c"], "may_judge", False)
        answer = await wanted(api, into)

    assert (answer.status, answer.code) == (503, "parts_missing")
    assert lost in answer.document["detail"]
    assert not into.exists()


async def test_log_servers_that_do_not_answer_are_waited_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "WITHIN_S", 0.2)
    into = tmp_path / "backup"
    async with three(tmp_path) as (made, _nodes, api):
        for log in made.logs:
            log.is_up.clear()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = await wanted(api, into)
        finally:
            for log in made.logs:
                log.is_up.set()

    assert (answer.status, answer.code) == (503, "parts_missing")
    assert not into.exists()


async def test_a_backup_that_fails_leaves_nothing_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "backup"
    async with three(tmp_path) as (_, _nodes, api):
        with monkeypatch.context() as broken:
            broken.setattr(manifest, "of_partition", _failing_at(2))
            failed = await wanted(api, into)
            left = list(into.iterdir())
        answer = await wanted(api, into)

    assert failed.status == 503, failed
    assert left == []
    assert answer.status == 200


def _failing_at(failing: int) -> object:
    really = manifest.of_partition

    def of_partition(folder: Path, number: int, *given: int) -> object:
        if number == failing:
            raise Unusable("the disk has an error")
        return really(folder, number, *given)

    return of_partition


async def test_one_backup_at_a_time_and_a_node_that_stops_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "backup"
    async with three(tmp_path) as (_, nodes, api):
        reading = asyncio.Event()
        loop = asyncio.get_running_loop()
        backing_up = nodes[0].serving.backing_up

        def endless(env: object, into: Path, tick: object, go_on: object) -> object:
            loop.call_soon_threadsafe(reading.set)
            into.mkdir()
            while True:
                go_on()  # type: ignore[operator]

        monkeypatch.setattr(backups, "back_up", endless)
        first = asyncio.create_task(wanted(api, into))
        async with asyncio.timeout(TIMEOUT_S):
            await reading.wait()
        second = await wanted(api, tmp_path / "other")
        await backing_up.close()
        await asyncio.gather(first, return_exceptions=True)
        left = list(into.iterdir())

    assert (second.status, second.code) == (409, "maintenance_under_way")
    assert left == []


async def test_only_the_control_socket_may_ask_and_for_a_folder_outside_the_data(
    tmp_path: Path,
) -> None:
    async with three(tmp_path) as (_, nodes, api):
        inside = await wanted(api, nodes[0].config.data / "backup")
        relative = await wanted(api, Path("backup"))
        nowhere = await wanted(api, tmp_path / "no" / "folder")
        token = (await api.ask("POST", "/v1/tokens", {"scope": "admin"})).document["token"]
        tcp = nodes[0].listeners.tcp
        assert tcp is not None
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
            session.post(
                f"http://{tcp[0]}:{tcp[1]}{BACKUP}", json={"directory": str(tmp_path / "by-tcp")}
            ) as by_tcp,
        ):
            pass

    assert (inside.status, inside.code) == (409, "directory_inside_data")
    assert (relative.status, nowhere.status) == (422, 422)
    assert by_tcp.status == 403
