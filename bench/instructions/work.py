"""Instructions of the daemon for a message and for a delivery, its loop's and its Store's apart.

    single       one message a request, 64 connections of the Unix socket; windows are open
    single_tcp   the same over TCP, with a token
    single_new   as single, and each message opens a window
    many         batches of 100 messages to 100 chats, 16 connections; windows are open
    many_new     the same, and each message opens a window
    one          batches of 100 messages to one chat, 16 connections
    delivery     deliveries of one message, of 60 webhooks at once
    handler, client   what bare aiohttp needs for a request of `single` and of `delivery`

Each of intake is the difference between a run of many requests and one of few on as many
connections, so that what a connection costs is in neither. Deliveries are counted while a receiver
holds its answers: from the first answer to each webhook until as many requests have come again.
Run it as `python bench/instructions/work.py [--quick]`, or `make bench-instructions`.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from hookbundle.bench import filling, harness
from hookbundle.bench.harness import Value
from hookbundle.bench.instructions.counting import Count, Counted, can_count
from hookbundle.bench.processes import calls

WEBHOOKS = 60
WARM_ANSWERS = 3  # to each webhook, before it is counted
DAY_MS = 86_400_000
CHATS = 2_000
NEW = 1_000  # the first request to chats that nobody has written to


class Kind(NamedTuple):
    """Requests of the short and of the long run, each on so many connections."""

    load: str
    messages: int
    connections: int
    few: int
    many: int
    first: int = 0
    over_tcp: bool = False


KINDS = {
    "single": Kind("single", 1, 64, few=128, many=1_152),
    "single_tcp": Kind("single", 1, 64, few=128, many=1_152, over_tcp=True),
    "single_new": Kind("single", 1, 64, few=128, many=1_152, first=CHATS),
    "many": Kind("many", 100, 16, few=16, many=48),
    "many_new": Kind("new", 100, 16, few=16, many=48, first=NEW),
    "one": Kind("one", 100, 16, few=16, many=80),
}
Figures = dict[str, Value]


class Listener(NamedTuple):
    """Where requests go, with a token over TCP."""

    address: str
    token: str = ""

    def load(self, kind: Kind, tag: str, first: int, requests: int) -> None:
        chats = 2 * CHATS if kind.first else CHATS  # those that nobody has written to come after
        options = ("--first", first, "--chats", chats, "--token", self.token)
        arguments = (self.address, kind.connections, requests, kind.load, tag, *options)
        harness.run_once("load.py", *arguments)


def run(quick: bool) -> Figures:
    """Thousands of instructions a message, a delivery, or a request of a baseline."""
    if not can_count():
        return {}
    each = 8 if quick else 20
    with harness.data_directory() as data:
        return {**_of_daemon(data, each, quick), **_of_handler(data, quick), **_of_client(data)}


def _of_daemon(data: Path, each: int, quick: bool) -> Figures:
    with harness.Process("instructions/holding.py") as receiver:
        url, deliveries = receiver.hear()["url"], WARM_ANSWERS + each + 1
        filling.fill(data / "data", 10, aggregation_ms=DAY_MS, url=filling.NEVER_CALLED)
        filling.fill(
            data / "data", WEBHOOKS, aggregation_ms=0, url=url, deliveries=deliveries, prefix="out"
        )
        with Counted(data, "serve.py", data, "--counted", from_start=False) as daemon:
            ready = daemon.process.hear()
            sock = Listener(ready["socket"])
            tcp = Listener(ready["tcp"], calls.new_token(ready["socket"]))
            # Not counted yet, and ten times as fast. Chats of both are of different workspaces.
            sock.load(KINDS["many"], "warm", 0, CHATS // 100)
            sock.load(KINDS["single"], "warm-single", 0, 1_280)
            found = _deliveries(daemon, receiver, each)
            for name, kind in KINDS.items():
                found |= _intake(daemon, name, kind, tcp if kind.over_tcp else sock, quick)
    return found


def _deliveries(daemon: Counted, receiver: harness.Process, each: int) -> Figures:
    receiver.ask(f"{WARM_ANSWERS} {WEBHOOKS * (WARM_ANSWERS + 1)}")
    daemon.begin()
    receiver.ask(f"{WARM_ANSWERS + each} {WEBHOOKS * (WARM_ANSWERS + each + 1)}")
    return _figures("delivery", daemon.end(), WEBHOOKS * each)


def _intake(daemon: Counted, name: str, kind: Kind, listener: Listener, quick: bool) -> Figures:
    """A message's share of what the long run took more than the short one."""
    counts, first = [], kind.first
    many = kind.few + (kind.many - kind.few) // (2 if quick else 1)
    for requests in (kind.few, many):
        daemon.begin()
        listener.load(kind, f"{name}{requests}", first, requests)
        counts.append(daemon.end())
        first += requests
    few, more = counts
    between = Count(*(b - a for a, b in zip(few, more, strict=True)))
    return _figures(name, between, (many - kind.few) * kind.messages)


def _of_handler(data: Path, quick: bool) -> Figures:
    kind = KINDS["single"]
    with Counted(data, "peers.py", "handler", data / "bare", from_start=False) as handler:
        listener = Listener(handler.process.hear()["socket"])
        listener.load(kind, "warm", 0, kind.few)
        found = _intake(handler, "handler", kind, listener, quick)
        return {"handler_thousand": found["handler_loop"]}


def _of_client(data: Path) -> Figures:
    """The difference between a whole run of many requests and one of few."""
    few, many = 5, 25
    counts = []
    with harness.Process("peers.py", "receiver") as receiver:
        url = receiver.hear()["url"]
        for each in (few, many):
            with Counted(data, "peers.py", "client", url, WEBHOOKS, each) as client:
                counts.append(client.whole().main)
    thousand = (counts[1] - counts[0]) / (WEBHOOKS * (many - few)) / 1_000
    return {"client_thousand": round(thousand, 1)}


def _figures(name: str, count: Count, of: int) -> Figures:
    parts = {"loop": count.main, "store": count.busiest, "others": count.others}
    found: Figures = {f"{name}_{part}": round(n / of / 1_000, 1) for part, n in parts.items()}
    return {**found, f"{name}_thousand": round(count.all / of / 1_000, 1)}


if __name__ == "__main__":
    harness.show("Thousands of instructions", run("--quick" in sys.argv))
