"""Prometheus, with the configuration of docs/observability.md, scrapes a daemon."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.tests.docs.following import free_ports
from hookbundle.tests.docs.pages import FENCED
from hookbundle.tests.in_process import event
from hookbundle.tests.log_servers.cluster import LogServers
from hookbundle.tests.log_servers.instead import KEY, init
from hookbundle.tests.observability.pack import PACK, PAGE, RULES, program, queries
from hookbundle.tests.observability.test_rules import promtool
from hookbundle.tests.program import TIMEOUT_S, Program, serving

CONFIGURATION = "/etc/prometheus/prometheus.yml"
FAILED = 'hookbundle_attempts_total{outcome="failed"}'
# What a daemon without sources, formats and more connections than it may have does not have yet.
NOT_SHOWN = re.compile(
    "hookbundle_source_events|hookbundle_http_connections_cut|hookbundle_http_wrong_tokens|> 0$"
)
# What a daemon alone never has.
OF_A_CLUSTER = re.compile(
    "hookbundle_(partition_|log_append|log_lag|takeovers|void_|generation_|cluster_)"
)
# What only several nodes have, or one whose partitions have no owner.
NOT_OF_ONE = re.compile("hookbundle_log_lag_entries|== 0|> 0$")


class Prometheus:
    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def asked(self, path: str, **parameters: str) -> Any:
        async with self._session.get(f"/api/v1/{path}", params=parameters) as answer:
            document = await answer.json()
        assert document["status"] == "success", document
        return document["data"]

    async def finds(self, query: str) -> list[Any]:
        found: list[Any] = (await self.asked("query", query=query))["result"]
        return found

    async def until(self, query: str, holds: Callable[[list[Any]], object] = bool) -> list[Any]:
        async with asyncio.timeout(TIMEOUT_S):
            while not holds(found := await self.finds(query)):
                pass
        return found

    async def rules(self) -> dict[str, Any]:
        """All of them by their names, once each was evaluated."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                groups = (await self.asked("rules"))["groups"]
                found = {rule["name"]: rule for group in groups for rule in group["rules"]}
                if all(rule["health"] != "unknown" for rule in found.values()):
                    return found


@asynccontextmanager
async def prometheus(folder: Path, daemon: str, token: str) -> AsyncIterator[Prometheus]:
    (port,) = free_ports(1)
    configured(folder, daemon, token)
    promtool("check", "config", folder / "prometheus.yml")
    with _running(folder, port):
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield Prometheus(session)


def configured(folder: Path, daemon: str, token: str) -> None:
    """The files as the page has them, but for paths, the port and how often it looks."""
    page = PAGE.read_text(encoding="utf-8")
    (text,) = [match[3] for match in FENCED.finditer(page) if match[2] == CONFIGURATION]
    for there, here in (
        ("/etc/prometheus/hookbundle-token", str(folder / "token")),
        ("/etc/prometheus/hookbundle", str(folder / "rules")),
        ("127.0.0.1:8470", f"127.0.0.1:{daemon}"),
        ("15s", "250ms"),
    ):
        assert there in text
        text = text.replace(there, here)
    (folder / "rules").mkdir(parents=True)
    for name in RULES:
        (folder / "rules" / name).write_bytes((PACK / name).read_bytes())
    (folder / "token").write_text(token)
    (folder / "prometheus.yml").write_text(text)


@contextmanager
def _running(folder: Path, port: str) -> Iterator[None]:
    with subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        try:
            said = []
            for line in running.stderr:
                said.append(line)
                if "Server is ready" in line:
                    break
            assert running.poll() is None, said
            yield
        finally:
            running.kill()


async def failing(hookbundle: Program, folder: Path, name: str) -> None:
    """A workspace whose receiver is not there gets a message."""
    (closed,) = free_ports(1)
    message = folder / "message.json"
    message.write_text(json.dumps(event("m1")))
    url = f"http://127.0.0.1:{closed}/"
    settings = ("--name", name, "--owner-email", "o@a.example", "--url", url)
    await hookbundle("workspace", "set", name, *settings, "--aggregation", "none")
    assert (await hookbundle("send", name, str(message))).code == 0


async def test_prometheus_scrapes_a_daemon_whose_receivers_are_down(tmp_path: Path) -> None:
    program("prometheus")
    (port,) = free_ports(1)
    with serving(tmp_path, LISTEN=f"127.0.0.1:{port}") as hookbundle:
        token = (await hookbundle("token", "create", "--scope", "admin")).out.strip()
        async with prometheus(tmp_path / "prometheus", port, token) as watcher:
            await watcher.until('up{job="hookbundle"} == 1')
            await failing(hookbundle, tmp_path, "acme")
            await watcher.until(FAILED)
            await failing(hookbundle, tmp_path, "bolt")
            (ratio,) = await watcher.until("instance:hookbundle_attempts_failed:ratio15m > 0")
            await watcher.until("rate(hookbundle_messages_total[1m]) > 0")
            rules = await watcher.rules()
            alone = [query for query in queries() if not OF_A_CLUSTER.search(query)]
            empty = [query for query in alone if not await watcher.finds(query)]

    assert ratio["value"][1] == "1"
    assert {name: rule["lastError"] for name, rule in rules.items() if "lastError" in rule} == {}
    states = {name: rule["state"] for name, rule in rules.items() if "state" in rule}
    assert states["HookbundleNoMail"] == "pending"
    assert [name for name, state in states.items() if state == "firing"] == []
    assert [query for query in empty if not NOT_SHOWN.search(query)] == []


@pytest.mark.skipif(bool(os.environ.get("CLUSTER")), reason="makes a node of its own")
async def test_prometheus_scrapes_a_node_of_a_cluster(tmp_path: Path, nats: LogServers) -> None:
    program("prometheus")
    (port,) = free_ports(1)
    name = nats.new_cluster()
    await asyncio.to_thread(init, nats, name, 2)
    key = tmp_path / "cluster.key"
    key.write_text(KEY.hex())
    key.chmod(0o600)
    settings = {"SERVERS": ",".join(nats.urls), "NAME": name, "NODE": "a", "KEY": str(key)}
    cluster = {f"CLUSTER__{each}": value for each, value in settings.items()}
    with serving(tmp_path, LISTEN=f"127.0.0.1:{port}", **cluster) as node:
        token = (await node("token", "create", "--scope", "admin")).out.strip()
        async with prometheus(tmp_path / "prometheus", port, token) as watcher:
            await watcher.until("sum(hookbundle_partition_owner) == 2")
            await watcher.until("rate(hookbundle_log_append_seconds_count[1m]) > 0")
            await watcher.until("instance:hookbundle_log_append_seconds:p99_5m")
            rules = await watcher.rules()
            of_cluster = [query for query in queries() if OF_A_CLUSTER.search(query)]
            empty = [query for query in of_cluster if not await watcher.finds(query)]

    assert {name: rule["lastError"] for name, rule in rules.items() if "lastError" in rule} == {}
    assert [name for name, rule in rules.items() if rule.get("state") == "firing"] == []
    assert [query for query in empty if not NOT_OF_ONE.search(query)] == []
