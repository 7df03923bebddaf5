"""What `make cluster-demo` shows: three log servers, three nodes, and one that is killed.

It ends by itself in under two minutes, and leaves nothing behind.
"""

import asyncio
import tempfile
import time
from pathlib import Path

import structlog

from hookbundle.tests.in_process import receiving
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.reliability.cluster.audit import arrived, copies_of
from hookbundle.tests.reliability.cluster.clients import traffic
from hookbundle.tests.reliability.cluster.nodes import cluster_of

PARTITIONS = 6
WORKSPACES = 8
LOST = "b"


def main() -> None:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hookbundle-cluster-") as name:
        folder = Path(name)
        servers = LogServers(folder / "servers", 3)
        try:
            say("Three log servers start, each of which syncs every entry to its disk.")
            servers.start()
            asyncio.run(play(folder, servers))
        finally:
            servers.stop()
    say(f"Everything was stopped and removed. It took {time.monotonic() - began_s:.0f} s.")


async def play(folder: Path, servers: LogServers) -> None:
    async with (
        receiving() as receiver,
        cluster_of(folder, servers, partitions=PARTITIONS) as made,
        traffic(made.nodes, receiver, WORKSPACES) as clients,
    ):
        say(f"Three nodes share {PARTITIONS} partitions: a, b and c.")
        say(f"{WORKSPACES} clients post messages, one after another, to any of the nodes.")
        await clients.more(40)
        say(f"{clients.acknowledged} messages were acknowledged.")
        clients.begin_gaps()
        say(f"\nNode {LOST} is killed (kill -9).")
        made.node(LOST).kill()
        await clients.more(40)
        say(f"The longest that a client waited for an answer: {clients.gap_s:.1f} s.")
        say(f"Node {LOST} is started again.")
        made.node(LOST).start()
        await made.node(LOST).until_says("ready", 2)
        clients.begin_gaps()
        await clients.more(20)
        say(f"It got its share back; the longest wait meanwhile: {clients.gap_s:.1f} s.")
        clients.ended.set()
        found = await arrived(clients, receiver)
        await asyncio.gather(*(node.stop() for node in made.nodes))
        found = await copies_of(made, found)
    say(
        f"\nOf {found.acknowledged} acknowledged messages {found.lost} are lost, and {found.twice} "
        f"are in two deliveries; {found.disordered} chats are out of order.\n"
        f"{found.again} requests were sent again with the same webhook-id, because nobody knew "
        "whether they had arrived.\n"
        f"{found.copies} copies with {found.records} records were compared with the log: "
        f"{found.differing} differ."
    )
    if not found.is_clean:
        raise SystemExit(1)


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
