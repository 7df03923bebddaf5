"""The feed over a takeover: what readers are told comes to what the API says, and to the copies."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.log import Life
from hookbundle.actors.replication.nats.log import NatsLog
from hookbundle.storage.database.files import DATA
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.database.records import SCHEMA
from hookbundle.tests.folding import Fold, stored
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.audit import _here
from hookbundle.tests.reliability.cluster.clients import traffic
from hookbundle.tests.reliability.cluster.feed_folding import Folded, same_totals
from hookbundle.tests.reliability.cluster.nodes import ClusterProcesses, cluster_of

WORKSPACES = 6
COLLECTING = ("slow1", "slow2", "slow3", "slow4")
WITHIN_S = 90.0


async def test_the_feed_folds_to_what_is_stored_though_an_owner_is_killed(
    tmp_path: Path, nats: LogServers
) -> None:
    """One reader is at a node that lives, the other at the one that is killed, and moves on."""
    async with (
        receiving() as receiver,
        cluster_of(tmp_path, nats, nodes=3, partitions=4) as made,
    ):
        left = [node.socket_path.with_name("feed.sock") for node in made.nodes]
        stays, moves = Folded(), Folded()
        places = iter([left[1], *[left[2]] * 1_000])
        readers = [
            asyncio.create_task(stays.read(lambda: left[0])),
            asyncio.create_task(moves.read(lambda: next(places))),
        ]
        async with (
            traffic(made.nodes, receiver, WORKSPACES) as clients,
            connected(made.node("c").socket_path) as session,
        ):
            await _collected(Api(session), receiver, "before")
            await clients.more(10)
            made.node("b").kill()
            await clients.more(15)
            await _collected(Api(session), receiver, "after")
        status = await _quiet(made, [stays, moves])
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        tailed = Folded()
        ran = await made.node("c").program("tail", "--until", "now", "--json")
        tailed.take([msgspec.json.decode(line) for line in ran.out.splitlines()])
        async with connected(made.node("c").socket_path) as session:
            shown = {
                name: await Api(session).get(f"/v1/workspaces/{name}") for name in stays.workspaces
            }
        for node in (made.node("a"), made.node("c")):
            assert await node.stop() == 0
        copies = await _stored(made)

    acknowledged = clients.acknowledged
    print(
        f"feed over a takeover: {acknowledged} acknowledged, {stays.events} events, "
        f"{moves.losses} reader moved on; silent {stays.silent} {moves.silent}"
    )
    assert (stays.losses, moves.losses) == (0, 1)
    assert stays.totals["accepted"] == acknowledged + 2 * len(COLLECTING)
    assert ran.code == 0, ran.err
    for told in (stays, moves, tailed):
        assert same_totals(told.totals, status)
        assert {epoch: fold.workspaces for epoch, fold in told.folds.items()} == {
            epoch: fold.workspaces for epoch, fold in copies.items()
        }
        assert {epoch: fold.totals for epoch, fold in told.folds.items()} == {
            epoch: fold.totals for epoch, fold in copies.items()
        }
    assert len(shown) == WORKSPACES + len(COLLECTING)
    for name, document in shown.items():
        state = stays.workspaces[name]
        assert document["webhook"]["url"] == state.hooks["outbound"].settings["url"]
        assert document["counts"]["windows"] == len(state.windows) == 2 * (name in COLLECTING)
        assert document["counts"]["queued"] == len(state.queue) == 0


async def _collected(api: Api, receiver: HookReceiver, chat: str) -> None:
    """A message of the chat waits in an open window of each of the workspaces that collect."""
    for name in COLLECTING:
        if (await api.ask("GET", f"/v1/workspaces/{name}")).status == 404:
            await api.make(name, receiver, name, aggregation="6h")
        await api.accept(name, event(f"of {chat}", chat))


async def _quiet(made: ClusterProcesses, readers: list[Folded]) -> dict[str, Any]:
    """The status once nothing waits but what is collected, and all readers have read everything."""
    async with connected(made.node("a").socket_path) as session, asyncio.timeout(WITHIN_S):
        while True:
            answer = await Api(session).ask("GET", "/v1/status")
            status: dict[str, Any] = answer.document
            if answer.status == 200 and not (
                status["windows"] != 2 * len(COLLECTING) or status["queued"] or status["sending"]
            ):
                told = status["feed"]["next"] - made.partitions
                if all(reader.events == told for reader in readers):
                    return status
            await asyncio.sleep(0.1)


async def _stored(made: ClusterProcesses) -> dict[str, Fold]:
    """What the copies have come to, by their epochs, followed to the end of the log."""
    found = {}
    connection = await made.connection()
    try:
        for number in range(made.partitions):
            raw = NatsLog(connection, made.names, number, made.servers.replicas)
            paths = [made.node(name).copies / f"{number:03}" for name in ("a", "c")]
            path = next(path for path in paths if (path / DATA).exists())
            env = open_environment(path, 1)
            try:
                await Follower(raw, env, Life("test", SCHEMA, lambda: 1), _here).catch_up()
                found[env.identity.epoch] = stored(env)
            finally:
                env.close()
    finally:
        await connection.close()
    return found
