"""The cluster of a node: its settings, its key, its directory, and the log servers as they answer.

Nothing is changed, and no node hears of it: servers are asked what they are and for the record of
the cluster, and beats are listened to for a second.
"""

import asyncio
import stat
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hookbundle.commands.configuration.settings import DEFAULT, Configuration
from hookbundle.commands.doctor.findings import Finding, Machine, fault, note
from hookbundle.commands.terminal.client import Control
from hookbundle.commands.terminal.failures import CONFLICT, CommandFailure
from hookbundle.engine.errors import ConfigError

if TYPE_CHECKING:
    from hookbundle.commands.cluster.answering import Looked, Seen

ABOUT = "cluster"
SERVERS_LEAST = 3
INSTALL = "pip install 'hookbundle[cluster]'"
SIGNED_BY = "set cluster.tls_ca to the authority that signed its certificate; restart the node"
MENDS = (
    ("certificate has expired", "give that server a new certificate, and restart it"),
    ("certificate is not yet valid", "look at the clocks of this machine and of that server"),
    ("local issuer", SIGNED_BY),
    ("self-signed", SIGNED_BY),
    ("mismatch", "name it in cluster.servers as its certificate does; restart the node"),
    ("uthorization", "set cluster.credentials to a user that it knows; restart the node"),
    ("secure connection not available", "give it certificates: `tls` in its configuration"),
    ("Connect call failed", "start it; is its port the one in cluster.servers?"),
)
"""What helps against what a server says, or its client."""
LOOK = "look whether it runs, at cluster.credentials and cluster.tls_ca; its log says more"
IN_CLEAR = "texts and secrets go over the network in clear"


def is_meant(config: Configuration) -> bool:
    """Whether the daemon is to be a node of a cluster."""
    return bool(config.get("cluster.servers", tuple))


def leftovers(machine: Machine) -> Iterator[Finding]:
    """Settings of a cluster, and no cluster."""
    config = machine.config
    names = [
        name
        for name, value in config.values.items()
        if name.startswith("cluster.") and value.origin != DEFAULT and value.written
    ]
    if names and not is_meant(config):
        yield note(
            ABOUT,
            f"{', '.join(sorted(names))} is set, and cluster.servers is not",
            "the daemon runs alone, in no cluster",
            "set cluster.servers, or leave the others out",
        )


def settings(machine: Machine) -> Iterator[Finding]:
    """What contradicts itself, or leaves something open."""
    if find_spec("nats") is None:
        yield fault(
            ABOUT, "the client of the log servers is not installed", "no node starts", INSTALL
        )
        return
    from hookbundle.commands.cluster import settings as of_cluster

    for read in (of_cluster.servers, of_cluster.cluster_config):
        try:
            read(machine.config)
        except ConfigError as exc:
            yield fault(ABOUT, str(exc), "no node starts with it", "correct it")
    yield from _of_servers(machine.config)
    if machine.config.get("cluster.copies", int) == 1:
        yield note(
            ABOUT,
            "cluster.copies is 1",
            "when a node is lost, its partitions are read from the log before they go on",
            "set cluster.copies to 2",
        )
    yield from _credentials_file(machine.config)


def _of_servers(config: Configuration) -> Iterator[Finding]:
    urls = config.get("cluster.servers", tuple)
    if len(urls) < SERVERS_LEAST:
        yield note(
            ABOUT,
            f"cluster.servers names {len(urls)} of the log servers",
            "a node that starts while these are down does not find the others",
            "name all of them, three at least",
        )
    is_secure = bool(config.get("cluster.tls_ca", str) or config.get("cluster.tls_cert", str))
    if not is_secure and not any(url.startswith("tls://") for url in urls):
        yield note(ABOUT, "cluster.servers are nats://", IN_CLEAR, "name them as tls://HOST:PORT")


def _credentials_file(config: Configuration) -> Iterator[Finding]:
    given = config.get("cluster.credentials", str)
    path = Path(given).expanduser()
    if given.startswith(("/", "~")) and path.is_file() and path.stat().st_mode & stat.S_IROTH:
        yield fault(
            ABOUT,
            f"{path} holds a secret and can be read by everybody",
            "who has it may read all and send in your name",
            f"chmod o-rwx {path}",
        )


def directory(machine: Machine) -> Iterator[Finding]:
    from hookbundle.storage.database import files

    if (machine.data / files.DATA).exists():
        yield fault(
            ABOUT,
            f"{machine.data} has the database of a daemon that is in no cluster",
            "a node has a directory of its own, and does not start on this one",
            "see 'From one daemon to a cluster' in docs/cluster.md",
        )


def log_servers(machine: Machine) -> Iterator[Finding]:
    """Each server by itself, and what they say of the cluster."""
    if find_spec("nats") is None:
        return
    from hookbundle.commands.cluster import settings as of_cluster
    from hookbundle.commands.cluster.answering import looked_at, seen_by

    try:
        servers, names = of_cluster.servers(machine.config), of_cluster.names(machine.config)
    except ConfigError:
        return  # a finding of the settings
    found = {
        url: asyncio.run(looked_at(replace(servers, urls=(url,)), names)) for url in servers.urls
    }
    for url, looked in found.items():
        yield from _of_server(url, looked)
    reached = tuple(url for url, looked in found.items() if not looked.unreachable)
    if not reached:
        return
    able = tuple(url for url in reached if not found[url].silent)
    seen = asyncio.run(seen_by(replace(servers, urls=able or reached), names))
    yield from _of_record(machine.config, seen)
    yield from _of_beats(machine, seen)


def _of_server(url: str, looked: "Looked") -> Iterator[Finding]:
    host = url.rpartition("/")[2]
    if looked.unreachable:
        yield fault(
            ABOUT,
            f"the log server {host} can't be used: {looked.unreachable}",
            "with two of three nothing is lost; without a majority nothing is acknowledged",
            _mend(looked.unreachable),
        )
    if looked.silent:
        yield fault(
            ABOUT,
            f"the log server {host} runs, and can't say what is stored: {looked.silent}",
            "it is cut off from the others, or there are too few of them",
            "look at its log, and at `routes`, names and passwords under `cluster` in its "
            "configuration",
        )
    for each in looked.faults:
        yield fault(
            ABOUT, f"the log server {host}: {each}", "no cluster works on it", "change that"
        )
    for each in looked.lacks:
        yield note(ABOUT, f"the log server {host}: {each}", IN_CLEAR, "change its configuration")


def _mend(why: str) -> str:
    return next((mend for words, mend in MENDS if words in why), LOOK)


def _of_record(config: Configuration, seen: "Seen") -> Iterator[Finding]:
    from hookbundle.commands.cluster import settings as of_cluster
    from hookbundle.commands.cluster.answering import is_made_with
    from hookbundle.storage.database.records import SCHEMA

    if seen.why:
        yield fault(ABOUT, f"the cluster's record: {seen.why}", "no node starts", "see above")
        return
    if seen.record is None:
        name = config.get("cluster.name", str)
        yield fault(
            ABOUT,
            f"there is no cluster {name} on these servers",
            "no node starts",
            "`hookbundle cluster init`, once; or correct cluster.name",
        )
        return
    if seen.record.schema > SCHEMA:
        yield fault(
            ABOUT,
            f"the cluster writes schema {seen.record.schema}, and this program reads {SCHEMA}",
            "this node does not start",
            "use the version that the other nodes have",
        )
    if seen.replicas < SERVERS_LEAST:
        yield note(
            ABOUT,
            f"its logs are on {seen.replicas} log server{'s' if seen.replicas > 1 else ''}",
            "the loss of one stops the cluster, or loses data",
            "three servers, and a cluster made with --replicas 3",
        )
    try:
        key = of_cluster.read_key(of_cluster.key_file(config))
    except ConfigError:
        return
    if not is_made_with(seen.record, key):
        yield fault(
            ABOUT,
            f"{of_cluster.key_file(config)} is another key than the cluster was made with",
            "this node does not start",
            "copy cluster.key from where `hookbundle cluster init` wrote it",
        )


def _of_beats(machine: Machine, seen: "Seen") -> Iterator[Finding]:
    from hookbundle.commands.cluster import settings as of_cluster

    try:
        own = of_cluster.node(machine.config)
    except ConfigError:
        return
    for name, ahead_ms in sorted(seen.ahead_ms.items()):
        if name == own and machine.pid is None:
            yield fault(
                ABOUT,
                f"a node called {name} runs on another machine",
                "two of one name do not start",
                "give one of them another cluster.node",
            )
        elif name != own and seen.is_apart(name):
            yield note(
                ABOUT,
                f"the clock of {name} is {ahead_ms / 1_000:+.0f} s off that of this machine",
                "a partition that changes hands counts on from the later one",
                "sudo timedatectl set-ntp true, on both",
            )


def of_daemon(machine: Machine, control: Control) -> Iterator[Finding]:
    """What the node that runs has heard of the others."""
    try:
        found = control.get("/v1/cluster")
    except CommandFailure as exc:
        if exc.exit_code != CONFLICT:
            raise
        yield fault(
            ABOUT,
            "cluster.servers is set, and the daemon that runs is in no cluster",
            "it was started before that was set",
            "see 'From one daemon to a cluster' in docs/cluster.md",
        )
        return
    for warning in found["warnings"]:
        yield note(ABOUT, warning, "it needs a person", "`hookbundle cluster status` shows more")
