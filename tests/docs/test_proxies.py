"""A daemon behind nginx and behind Caddy, set up as docs/guides/proxies.md says."""

import asyncio
import io
import json
import ssl
import tomllib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import aiohttp
import pytest

from hookbundle.tests.docs.following import free_ports
from hookbundle.tests.docs.pages import DOCS, FENCED
from hookbundle.tests.docs.proxied import NAME, caddy, nginx, program
from hookbundle.tests.in_process import event
from hookbundle.tests.program import TIMEOUT_S, serving
from hookbundle.tests.receivers import FixedResolver

Proxy = Callable[[Path, str, str], AbstractContextManager[None]]
SOURCE = "/v1/sources/t0ken-of-a-source"


def settings_of_the_page() -> dict[str, str]:
    """The configuration that the page wants, as variables of the environment."""
    page = (DOCS / "guides" / "proxies.md").read_text(encoding="utf-8")
    (text,) = [match[3] for match in FENCED.finditer(page) if match[1] == "toml"]
    document = tomllib.loads(text.replace("hooks.example.com", NAME))
    return {
        "HTTP__HOSTS": ",".join(document["http"]["hosts"]),
        "CONSOLE__URL": document["console"]["url"],
    }


def trusting() -> ssl.SSLContext:
    """Which certificate the proxy has is not what is tried here."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.mark.parametrize("proxy", [nginx, caddy])
async def test_a_daemon_behind_a_proxy(proxy: Proxy, tmp_path: Path) -> None:
    if program(proxy.__name__) is None:
        pytest.skip(f"no {proxy.__name__} here: `make proxies` fetches it")
    daemon, port = free_ports(2)
    folder = tmp_path / "proxy"
    folder.mkdir()
    site = f"https://{NAME}:{port}"
    with (
        serving(tmp_path, LISTEN=f"127.0.0.1:{daemon}", **settings_of_the_page()) as hookbundle,
        proxy(folder, daemon, port),
    ):
        await hookbundle("workspace", "set", "acme", "--name", "A", "--owner-email", "o@a.example")
        token = (await hookbundle("token", "create", "--scope", "admin")).out.strip()
        connector = aiohttp.TCPConnector(ssl=trusting(), resolver=FixedResolver(["127.0.0.1"]))
        given = {"Authorization": f"Bearer {token}"}
        async with (
            asyncio.timeout(TIMEOUT_S),
            aiohttp.ClientSession(site, connector=connector, headers=given) as session,
            session.get("/v1/events?since=now") as feed,
        ):
            large = [event(message_id=f"m{number}", text="x" * 60_000) for number in range(30)]
            posted = await session.post(
                "/v1/workspaces/acme/messages", data=io.BytesIO(json.dumps(large).encode())
            )
            assert posted.status == 202
            unknown = await session.post(SOURCE, data="{}")
            sign_in = await session.get("/console/sign-in")
            seen = b""
            while b"message.received" not in seen:  # while the stream goes on
                seen += await feed.content.readany()

    assert unknown.status == 404
    assert sign_in.status == 200
    log = (folder / "hookbundle.log").read_text()
    assert "/v1/workspaces/acme/messages" in log
    assert "/v1/sources/..." in log
    logs = [path.read_text() for path in folder.glob("*.log")]
    assert [text for text in logs if "t0ken-of-a-source" in text or token in text] == []
