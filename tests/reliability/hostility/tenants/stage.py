"""A daemon, its healthy workspaces and one scenario of hostile work, in processes of their own."""

import asyncio
import json
import os
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from hookbundle.tests.program import PROGRAM, TIMEOUT_S, program_in
from hookbundle.tests.reliability.hostility.tenants import name_server, speech
from hookbundle.tests.reliability.hostility.tenants.bystander import WORKSPACES
from hookbundle.tests.reliability.hostility.tenants.speech import Helper
from hookbundle.tests.reliability.hostility.tenants.town import OPERATOR_S, Scenario, asked
from hookbundle.tests.reliability.hostility.tenants.wire import Address

MIB = 2**20
FAILURES = (
    "delivery.failed",
    "delivery.dead_lettered",
    "webhook.disabled",
    "workspace.secret_rotated",
)
IN_DIGITS = "http://127.0.0.1:{}/hook"
COMMON = {"LISTEN": "127.0.0.1:0", "LOG__FORMAT": "json"}
SAMPLE_S = 0.05
TICKS_S = os.sysconf("SC_CLK_TCK")
PREPARE_S = 400.0
LONG_S = 150.0  # for the bystander, which waits for what is missing
SAMPLE = re.compile(r"^(hookbundle_\w+?)(\{[^}]*\})? (\S+)$", re.MULTILINE)
IN_THE_LANE = re.compile(r'http_lane_requests_total\{outcome="(\w+)"\} (\S+)')
# Where a healthy request or delivery may have waited; sums of seconds, and of transitions.
WATCHED = (
    "hookbundle_loop_lag_seconds_sum",
    "hookbundle_loop_lag_seconds_count",
    "hookbundle_store_commit_duration_seconds_sum",
    "hookbundle_store_commits_total",
    "hookbundle_store_transitions_total",
)


@dataclass(slots=True)
class Peak:
    """The most that the process had, since `begin`."""

    memory_bytes: int = 0
    files: int = 0

    def take(self, pid: int) -> None:
        self.memory_bytes = max(self.memory_bytes, memory_bytes(pid))
        self.files = max(self.files, len(os.listdir(f"/proc/{pid}/fd")))


def memory_bytes(pid: int) -> int:
    """Private memory: what is mapped of the data file is the kernel's to take back."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


@dataclass(slots=True)
class DaemonProcess:
    """The process, where it listens, and how often it logged what."""

    process: asyncio.subprocess.Process
    socket: str
    address: Address = ("", 0)
    peak: Peak = field(default_factory=Peak)
    said: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def pid(self) -> int:
        """Of the daemon itself."""
        return self.process.pid

    async def read_log(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            try:
                event = json.loads(line)
            except ValueError:
                self.errors[line[:200].decode(errors="replace")] += 1
                continue
            self.said[event["event"]] += 1
            if event["level"] in ("error", "critical"):
                self.errors[event["event"]] += 1
            if event["event"] == "ready":
                self.address = (event["tcp"][0], event["tcp"][1])
                self.ready.set()

    async def watch(self) -> None:
        while self.process.returncode is None:
            self.peak.take(self.pid)
            await asyncio.sleep(SAMPLE_S)


@dataclass(slots=True)
class Stage:
    daemon: DaemonProcess
    bystander: Helper
    attacker: Helper
    operator: aiohttp.ClientSession
    url: str = ""  # of the healthy receiver; with a place for a part of its name if it has one

    async def ask(self, method: str, path: str, document: object = None) -> Any:
        return await asked(self.operator, method, path, document)

    async def prepare(self) -> None:
        address, path = list(self.daemon.address), self.daemon.socket
        await self.attacker.ask(PREPARE_S, do="prepare", address=address, socket=path)

    async def attack(self) -> None:
        """The hostile work has begun."""
        self.daemon.peak = Peak()
        await self.attacker.ask(LONG_S, do="attack")
        if "%s" in self.url:
            for name in WORKSPACES:  # new names, which are in no cache
                webhook = {"url": self.url % "-moved"}
                await self.ask("PATCH", f"/v1/workspaces/{name}", {"webhook": webhook})

    async def answered(self, *each: str) -> None:
        """The hostile, or who came with them, have had answers that begin with each of these."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                answers = (await self.attacker.ask(do="answers"))["answers"]
                if all(any(one.startswith(begin) for one in answers) for begin in each):
                    return
                await asyncio.sleep(SAMPLE_S)

    async def stop(self) -> dict[str, Any]:
        """The hostile work is over. `over`: whether it had come to its end by itself."""
        return await self.attacker.ask(LONG_S, do="stop")

    async def phase(self, seconds: float) -> None:
        """The healthy work for so long; after it, a part of what is missing is waited for."""
        await self.bystander.ask(do="begin")
        await asyncio.sleep(seconds)
        await self.bystander.ask(LONG_S, do="end")

    async def handful(self, each: int) -> None:
        """The healthy post so many messages on each connection, and wait for their delivery."""
        await self.bystander.ask(LONG_S, do="handful", each=each)

    async def report(self) -> dict[str, Any]:
        """What the healthy saw in the last phase; all that is missing was waited for."""
        return await self.bystander.ask(LONG_S, do="report")

    async def failures(self) -> Counter[str]:
        """What went wrong with deliveries of the healthy, as the event feed has it, and how often.

        Their secret is rotated, which is the last event that is read.
        """
        feed = str(Path(self.daemon.socket).with_name("feed.sock"))
        reader, writer = await asyncio.open_unix_connection(feed, limit=2**22)
        hello = {"hello": 1, "since": "oldest", "workspaces": list(WORKSPACES), "types": FAILURES}
        writer.write(json.dumps(hello).encode() + b"\n")
        await self.ask("POST", "/v1/workspaces/single/webhook/rotate-secret")
        found: Counter[str] = Counter()
        async with asyncio.timeout(LONG_S):
            while (event := json.loads(await reader.readline())).get("type") != FAILURES[-1]:
                if "seq" in event:
                    found[f"{event['type']}: {event['data'].get('error', '')}"] += 1
        writer.transport.abort()
        return found

    async def in_the_lane(self) -> float:
        """How many requests with messages were answered there."""
        async with self.operator.get("http://hookbundle/metrics") as answer:
            samples = dict(IN_THE_LANE.findall(await answer.text()))
        return float(samples.get("answered", 0))

    async def counters(self) -> dict[str, float]:
        async with self.operator.get("http://hookbundle/metrics") as answer:
            text = await answer.text()
        found = {name: 0.0 for name in WATCHED}
        for name, _, value in SAMPLE.findall(text):
            if name in found:
                found[name] += float(value)
        return {**found, "cpu_s": cpu_s(self.daemon.pid), "at_s": time.monotonic()}


@asynccontextmanager
async def staged(
    folder: Path, scenario: type[Scenario], scale: float = 1.0, **settings: str
) -> AsyncIterator[Stage]:
    """All is started, and the healthy workspaces are there; everything ends with the block."""
    async with AsyncExitStack() as closing:
        enter = closing.enter_async_context
        bystander = await enter(speech.helper("bystander"))
        met = await bystander.hear()
        attacker = await enter(speech.helper("attacker", scenario.__name__, str(scale)))
        given = {**COMMON, **(await attacker.hear())["settings"], **settings}
        program = program_in(folder, **given)
        command = [PROGRAM]
        if scenario.needs_names:
            command = name_server.command_with(met["names"], folder)
        process = await asyncio.create_subprocess_exec(
            *command, "run", env=program.env, stderr=asyncio.subprocess.PIPE, limit=2**22
        )
        closing.push_async_callback(killed, process)
        daemon = DaemonProcess(process, str(program.socket_path))
        tasks = [asyncio.create_task(daemon.read_log())]
        async with asyncio.timeout(TIMEOUT_S):
            await daemon.ready.wait()
        tasks.append(asyncio.create_task(daemon.watch()))
        for task in tasks:
            closing.callback(task.cancel)
        connector = aiohttp.UnixConnector(daemon.socket)
        timeout = aiohttp.ClientTimeout(total=OPERATOR_S)
        operator = await enter(aiohttp.ClientSession(connector=connector, timeout=timeout))
        stage = Stage(daemon, bystander, attacker, operator)
        url = "http://receiver%s.sound.test:{}/closing" if scenario.needs_names else IN_DIGITS
        stage.url = url.format(met["port"])
        await meet(stage, scenario.format)
        yield stage


async def meet(stage: Stage, written: Mapping[str, object] | None) -> None:
    """The healthy workspaces are made, with this format, and the bystander knows their tokens."""
    tokens = {"socket": stage.daemon.socket}
    for name, aggregation in WORKSPACES.items():
        url = stage.url.replace("%s", "")
        webhook = {"url": url, "aggregation": aggregation, "format": written}
        await stage.ask(
            "PUT",
            f"/v1/workspaces/{name}",
            {"name": name, "owner_email": f"owner@{name}.example", "webhook": webhook},
        )
        wanted = {"scope": "intake", "workspace": name}
        tokens[name] = (await stage.ask("POST", "/v1/tokens", wanted))["token"]
    await stage.bystander.ask(do="meet", address=list(stage.daemon.address), tokens=tokens)


async def killed(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()
