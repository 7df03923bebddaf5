"""The lane of a node answers as its application does, and waits for the log no longer than that."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from hookbundle.engine.replication.assignment import partition_of
from hookbundle.server.cluster.node import Node
from hookbundle.server.cluster.partitions import under_way
from hookbundle.server.cluster.partitions.node_lane import KnownHere, NodeLane
from hookbundle.server.cluster.tokens import NodeTokens
from hookbundle.server.http.lane.heads import Asked
from hookbundle.server.http.wire import Connection, OwnServer
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.database.settings import Token
from hookbundle.storage.transitions.tokens import CreateToken, digest_of
from hookbundle.tests.in_process import until
from hookbundle.tests.server.cluster.in_memory import MemoryCluster, cluster
from hookbundle.tests.server.http.lane import twins
from hookbundle.tests.server.http.lane.test_twins import ALL, differing
from hookbundle.tests.server.http.lane.twins import TOKEN, Twin, message, request

PARTITIONS = 2
SOME = ALL[::4]


@dataclass(frozen=True, slots=True)
class Alone:
    """As the tests of a daemon's lane want it."""

    daemon: Node


@asynccontextmanager
async def node_in(
    folder: Path, workspaces: Iterable[str], *, lane: bool = True
) -> AsyncIterator[tuple[MemoryCluster, Node, Twin]]:
    async with cluster(folder, PARTITIONS) as made:
        node = await made.start("a", guard=twins.LIMITS, body_s=twins.BODY_S)
        twin = Twin(cast("Any", Alone(node)))
        if not lane:
            server_of(node).connection = Connection
        hook = {"url": "http://127.0.0.1:8099/", "aggregation": "24h"}
        for workspace in workspaces:
            path = f"/v1/workspaces/{workspace}"
            assert (await twins.asked(twin.system, "PUT", path, {"webhook": hook}))["id"]
        token = CreateToken(
            digest=digest_of(TOKEN), scope="intake", workspace_id="", now_ms=1, caller="test"
        )
        await node.owned[0].partition.store_queue.done(token)
        yield made, node, twin


def server_of(node: Node) -> OwnServer:
    server = node.listeners._runner.server
    assert isinstance(server, OwnServer)
    return server


def lane_of(node: Node) -> NodeLane:
    made = server_of(node).connection
    assert isinstance(made, partial)
    lane = made.args[0]
    assert isinstance(lane, NodeLane)
    return lane


async def test_what_is_odd_is_answered_as_by_the_application_of_a_node(tmp_path: Path) -> None:
    workspaces = [said.name.split()[0] for said in SOME]
    async with (
        node_in(tmp_path / "with", workspaces) as (_, node, with_lane),
        node_in(tmp_path / "without", workspaces, lane=False) as (_, _, without),
    ):
        found, _ = await differing((with_lane, without), list(SOME))
        taken = node.meters.lane.answered

    assert found == []
    assert taken > len(SOME)


async def test_a_request_that_the_log_does_not_decide_is_answered_and_holds_its_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node_in(tmp_path, ["acme"]) as (made, node, twin):
        number = partition_of("acme", PARTITIONS)
        owned = node.owned[number]
        reader, writer = await twin.line("tcp")

        async def answered(count: int) -> bytes:
            writer.write(request("acme", message(count)))
            async with asyncio.timeout(twins.ENDS_S):
                return await twins._answer(reader)

        first = [await answered(1), await answered(2)]
        monkeypatch.setattr(under_way, "STALLED_S", 0.2)
        made.logs[number].is_up.clear()
        refused = await answered(3)
        held = owned.intake.store.places.used
        all_made = asyncio.create_task(owned.under_way.all_made())
        at_once = await answered(4)
        was_made = all_made.done()
        made.logs[number].is_up.set()
        await all_made
        await until(lambda: owned.intake.store.places.used == 0)
        again = await answered(3)
        writer.close()
        taken = node.meters.lane.answered

    assert all(b" 202 " in each for each in first)
    for each in (refused, at_once):
        assert b" 503 " in each
        assert b"Retry-After: 1" in each
        assert json.loads(each.partition(b"\r\n\r\n")[2])["code"] == "log_waits"
    assert held > 0
    assert not was_made, "it is given away too soon"
    assert b'"duplicate":1' in again
    assert taken == 3, "the second, the one that was told, and the last"


async def test_what_a_node_may_own_no_more_is_not_for_its_lane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with node_in(tmp_path, ["acme"]) as (_, node, _):
        lane, body = lane_of(node), message(1)
        asked = Asked("acme", 0, len(body))
        with monkeypatch.context() as patched:
            patched.setattr(Node, "is_doubtful", lambda *_: True)
            doubtful = lane.take(asked, body, ndjson=False)
        taken = lane.take(asked, body, ndjson=False)

    assert doubtful is None
    assert taken is not None


class NoCopies:
    def followed(self, partition: int) -> Environment | None:
        return None


def test_a_token_that_was_never_found_is_looked_for_nowhere_by_the_lane(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be anybody's invention; aiohttp's way has turns for those."""
    tokens, looked = NodeTokens(PARTITIONS, {}, NoCopies()), list[int]()
    monkeypatch.setattr(tokens, "_in", lambda partition, _: looked.append(partition))

    assert KnownHere(tokens).find(digest_of("guessed")) is None
    assert looked == []


def test_what_another_node_has_said_of_a_token_is_not_for_the_lane() -> None:
    tokens, digest = NodeTokens(PARTITIONS, {}, NoCopies()), digest_of("another")
    token = Token(id="t1", scope="intake", workspace_id="acme", created_ms=1)

    with tokens.having(digest, token):
        assert tokens.find(digest) is token
        assert KnownHere(tokens).find(digest) is None
