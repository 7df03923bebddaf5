"""What log servers lose, and two nodes that find it out."""

from collections.abc import Callable
from typing import Any

from hookbundle.actors.replication.messages import Recover, Recovered
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import CopyAt
from hookbundle.tests.actors.replication.clusters import FIRST, Cluster
from hookbundle.tests.reliability.replication.simulated.fake_log import Stored
from hookbundle.tests.reliability.replication.simulated.node import Node
from hookbundle.tests.storage.scratch import incoming

Damage = Callable[[Cluster], None]


def at(node: Node) -> CopyAt:
    return node.role.state.copy_at()


async def recovered(cluster: Cluster, node: Node, *above: Generation) -> Recovered | Any:
    answer: Any = cluster.loop.create_future()
    cluster.servers.is_recovered = True
    node.role.actor_ref.tell(Recover(above=above, then=answer.set_result))
    done: Recovered | HookbundleError = await answer
    await cluster.rest()
    return done


async def looked(cluster: Cluster, node: Node, *live: Node, **how: Any) -> None:
    """Often enough to be sure that a log is shorter than it was."""
    for _ in range(2):
        await cluster.look(node, *live, **how)


async def two_nodes(cluster: Cluster) -> tuple[Node, Node]:
    """An owner with a message, and a node that follows it."""
    await cluster.begin()
    a, b = cluster.start("a"), cluster.start("b")
    await cluster.look(b)
    await cluster.look(a, b, owns=True)
    assert await cluster.ask(a, cluster.db.accepting(incoming("m1", text="one"), chat="c"))
    await cluster.look(b, a)
    return a, b


def gone(cluster: Cluster) -> None:
    cluster.servers.streams.clear()


def all_gone(cluster: Cluster) -> None:
    gone(cluster)
    cluster.servers.first = None


def shortened(cluster: Cluster) -> None:
    del cluster.servers.streams[FIRST][-1]


def another(cluster: Cluster) -> None:
    """As long, with something else in the place of the last entry."""
    stream = cluster.servers.streams[FIRST]
    last = stream[-1]
    stream[-1] = Stored(last.at_s, {**last.headers, "Hb-Id": "other.1"}, last.body)


def longer(cluster: Cluster) -> None:
    another(cluster)
    stream = cluster.servers.streams[FIRST]
    stream += [Stored(0.0, {"Nats-Other": "1"}, b"?")] * 3


DAMAGES = [gone, all_gone, shortened, another, longer]
