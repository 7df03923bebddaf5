"""A backup of all partitions, made by one node of several, and a cluster out of it."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.assignment import partition_of
from hookbundle.server.cluster.backing_up import reaching, taking
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions.placing import of_workspace
from hookbundle.storage.database import codec, keyspace, rows
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.opening import open_read_only
from hookbundle.storage.database.records import Meta
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.copying import Tick
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.storage.maintenance.splitting.of_backups import split_backup
from hookbundle.tests.in_process import event
from hookbundle.tests.server.cluster.backing_up.three_nodes import (
    NAMES,
    PARTITIONS,
    texts_in,
    three,
    wanted,
)


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


async def test_of_a_copy_that_cannot_be_read_the_log_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = backups.back_up
    async with three(tmp_path) as (_, nodes, api):
        copies = nodes[0].config.data
        for name in NAMES:
            await api.accept(name, event("m1", text=f"text of {name}."))

        def back_up(env: Environment, into: Path, tick: Tick, go_on: Tick) -> backups.Copied:
            if copies in env.path.parents:
                raise CorruptRecord("a page of the copy is damaged")
            return really(env, into, tick, go_on)

        monkeypatch.setattr(backups, "back_up", back_up)
        answer = await wanted(api, tmp_path / "backup")

    assert answer.status == 200, answer
    assert {each["source"] for each in answer.document["partitions"]} == {"log"}
    texts = texts_in(tmp_path / "backup")
    assert all(f"text of {name}.".encode() in texts for name in NAMES)


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
