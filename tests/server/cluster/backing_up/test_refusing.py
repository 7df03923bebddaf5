"""A backup of a cluster that can't be whole is none, and leaves nothing."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from hookbundle.engine.errors import Unusable
from hookbundle.server.cluster import routing
from hookbundle.server.cluster.backing_up import reaching
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.replication import manifest
from hookbundle.tests.hook_receiver import TIMEOUT_S
from hookbundle.tests.server.cluster.backing_up.three_nodes import (
    BACKUP,
    three,
    wanted,
)


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
