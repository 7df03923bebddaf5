"""A hundred thousand windows due at once after a downtime, nine in ten of them of one workspace.

While they are sealed and delivered, intake is kept busy, and twenty other workspaces get a message
now and then, which is sent at once. Measured are: how long intake takes to answer, how long a
message of the twenty takes to the receiver, how soon each of the hundred small workspaces of the
herd gets its first bundle, and memory. The same times are measured before on the idle daemon.
Run it as `python bench/herd.py [--quick]`.
"""

import asyncio
import itertools
import json
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import aiohttp

from hookbundle.bench import filling, harness
from hookbundle.bench.filling import OpenWindow
from hookbundle.bench.harness import Process, Value, percentile
from hookbundle.bench.processes.load import EVENT

GIANT_SHARE = 0.9
QUIET = 100  # workspaces that share the other tenth
INSTANT = 20  # workspaces whose messages are sent at once
PROBES_PER_S = 40
HOUR_MS = 3_600_000
DUE_IN_S = 8.0  # from the end of filling: time to start, and to measure the waits without a herd
CALM_S = 4.0
AFTER_S = 5.0  # probing continues for this time after the last of the hundred is served
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def run(quick: bool) -> dict[str, Value]:
    """Times are milliseconds unless the name says seconds."""
    bundles = 20_000 if quick else 100_000
    with harness.data_directory() as data, Process("herd.py", "receiver") as receiver:
        due_ms = _fill(data, receiver.hear()["url"], bundles)
        with (
            harness.running_daemon(data) as (daemon, ready),
            Process("herd.py", "prober", ready["socket"], due_ms) as prober,
        ):
            calm = prober.hear()
            before_bytes = daemon.private_bytes()
            most_bytes = _watch(receiver, daemon, bundles)
            busy, heard = prober.ask(), receiver.ask()
    waits = _waits("calm", calm, heard) | _waits("herd", busy, heard)
    return {
        "bundles_due_at_once": bundles,
        "of_one_workspace": int(bundles * GIANT_SHARE),
        **{name: round(value, 1) for name, value in waits.items()},
        "quiet_first_served_s": round(heard["first_s_most"], 2),
        "quiet_all_served_s": round(heard["last_s_most"], 2),
        "giant_served_meanwhile": heard["giant"],
        "bundles_per_s": round(heard["per_s"]),
        "more_memory_mib": round((most_bytes - before_bytes) / 2**20, 1),
    }


def _waits(name: str, probed: dict[str, Any], heard: dict[str, Any]) -> dict[str, float]:
    """Times of answers and of deliveries, in ms. Raises if a probe never arrived."""
    arrived_s, sent_s = heard["probes"], probed["sent_s"]
    delivered_ms = sorted((arrived_s[one] - sent_s[one]) * 1_000 for one in sent_s)
    answers_ms = sorted(probed["answers_ms"])
    return {
        f"{what}_{share}_ms_{name}": percentile(times_ms, part)
        for what, times_ms in (("intake", answers_ms), ("delivered", delivered_ms))
        for share, part in (("p50", 50), ("p99", 99))
    }


def _fill(data: Path, url: str, bundles: int) -> int:
    """Fills the data with the herd; returns the time at which all windows are due."""
    filling.fill(data / "data", 1 + QUIET, aggregation_ms=HOUR_MS, url=url)
    filling.fill(data / "data", INSTANT, aggregation_ms=0, url=url, prefix="now")
    due_ms = filling.now_ms() + round((DUE_IN_S + bundles / 12_000) * 1_000)
    giant = int(bundles * GIANT_SHARE)
    windows = (
        OpenWindow(0 if n < giant else 1 + n % QUIET, f"c{n}", due_ms) for n in range(bundles)
    )
    filling.open_windows(data / "data", windows, HOUR_MS)
    if filling.now_ms() + CALM_S * 1_000 > due_ms:
        raise RuntimeError("filling took longer than expected")
    return due_ms


def _watch(receiver: Process, daemon: Process, bundles: int) -> int:
    """The peak memory of the daemon until shortly after the quiet workspaces were served."""
    quiet, most_bytes, until_s = bundles - int(bundles * GIANT_SHARE), 0, time.monotonic() + 300
    while receiver.ask()["quiet"] < quiet:
        if time.monotonic() > until_s:
            raise RuntimeError("the quiet workspaces were not served in 300 s")
        most_bytes = max(most_bytes, daemon.private_bytes())
        time.sleep(0.5)
    time.sleep(AFTER_S)
    return max(most_bytes, daemon.private_bytes())


# ---- the receiver


class Receiving(asyncio.Protocol):
    """Answers at once; records when each workspace was first served and each probe arrived."""

    transport: asyncio.Transport
    served_s: ClassVar[dict[int, list[float]]] = {}
    probes_s: ClassVar[dict[str, float]] = {}

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, content = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(content) < length:
            return
        self._received = b""
        self.transport.write(ANSWER)
        now_s, body = time.time(), content[:length]
        if b'"message_id":"probe' in body:
            Receiving.probes_s[json.loads(body)["message"]["message_id"]] = now_s
        else:
            delivery = head.lower().partition(b"webhook-id:")[2].strip()
            Receiving.served_s.setdefault(int(delivery[14:22], 16), []).append(now_s)


async def receive() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Receiving, "127.0.0.1", 0, backlog=4_096)
    port = server.sockets[0].getsockname()[1]
    harness.say({"url": f"http://127.0.0.1:{port}/hook"})
    while await asyncio.to_thread(sys.stdin.readline):
        harness.say(_served())


def _served() -> dict[str, object]:
    """Workspace 1 is the giant. Times count from the first bundle of all workspaces."""
    served = Receiving.served_s
    quiet = [times for number, times in served.items() if number != 1]
    everybody = [times for times in served.values() if times]
    first_s = min((times[0] for times in everybody), default=0.0)
    last_s = max((times[-1] for times in quiet), default=first_s)
    meanwhile = sum(1 for times in everybody for at_s in times if at_s <= last_s)
    return {
        "quiet": sum(map(len, quiet)),
        "giant": sum(1 for at_s in served.get(1, []) if at_s <= last_s),
        "first_s_most": max((times[0] - first_s for times in quiet), default=0.0),
        "last_s_most": last_s - first_s,
        "per_s": meanwhile / max(last_s - first_s, 0.001),
        "probes": Receiving.probes_s,
    }


# ---- the prober


async def probe(path: str, due_ms: int, per_s: int = PROBES_PER_S) -> None:
    """Sends messages to the instant workspaces, shortly before the herd and during it."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, asked.set)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as session:
        before = asyncio.Event()
        asyncio.get_running_loop().call_later(due_ms / 1_000 - time.time() - 0.5, before.set)
        harness.say(await _probe(session, "calm", before, per_s))
        await asyncio.sleep(max(due_ms / 1_000 - time.time(), 0))
        harness.say(await _probe(session, "herd", asked, per_s))


async def _probe(
    session: aiohttp.ClientSession, tag: str, until: asyncio.Event, per_s: int
) -> dict[str, object]:
    """The time each probe was sent, and the time its answer took."""
    answers_ms: list[float] = []
    sent_s: dict[str, float] = {}

    async def one(number: int) -> None:
        began_s = sent_s[f"probe-{tag}-{number}"] = time.time()
        event = EVENT % {"chat": number, "tag": f"probe-{tag}", "number": number}
        url = f"http://localhost/v1/workspaces/now{number % INSTANT}/messages"
        async with session.post(url, data=event) as answer:
            assert answer.status == 202, await answer.text()
        answers_ms.append((time.time() - began_s) * 1_000)

    async with asyncio.TaskGroup() as running:
        for number in itertools.count():
            if until.is_set():
                break
            running.create_task(one(number))
            await asyncio.sleep(1 / per_s)
    return {"answers_ms": answers_ms, "sent_s": sent_s}


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["receiver"]:
            asyncio.run(receive())
        case ["prober", path, *numbers]:
            asyncio.run(probe(path, *map(int, numbers)))
        case _:
            harness.show("A herd", run(quick="--quick" in sys.argv))
