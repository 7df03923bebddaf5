"""One mail an hour of a workspace, whatever the mail server does."""

import asyncio
from pathlib import Path

from hookbundle.actors.mailer import SmtpConfig
from hookbundle.tests.actors.test_mailer import IMPATIENT, disabled
from hookbundle.tests.in_process import daemon_in, event, receiving, until
from hookbundle.tests.mail_server import MailServer


async def test_what_is_disabled_within_the_hour_comes_in_the_next_mail(tmp_path: Path) -> None:
    async with MailServer(tmp_path) as server, disabled(tmp_path, server) as system:
        await server.next()
        await system.facts.until("mail.sent")
        for count in (2, 3, 4):
            await system.switch("acme", "enable", {})
            await system.facts.until("webhook.disabled", count)
        assert len(server.tries) == 1
        assert (await system.get("/v1/status"))["mails"] == 1

        system.clock.move(3_600_000)
        taken = await server.next()

    assert taken.mail["Subject"] == "Webhooks were disabled 3 times (workspace acme)"
    assert taken.text.count("webhook outbound, disabled at") == 3
    assert len(server.tries) == 2


async def test_a_mail_server_that_says_nothing_keeps_nobody_from_disabling(tmp_path: Path) -> None:
    server = MailServer(tmp_path)
    async with server:
        pass
    async with disabled(tmp_path, server) as system:
        await system.facts.until("mail.failed")
        for count in range(2, 25):
            await system.switch("acme", "enable", {})
            await system.facts.until("webhook.disabled", count)
        waiting = (await system.get("/v1/status"))["mails"]
        async with server:
            system.clock.move(60_000)
            text = (await server.next()).text

    assert waiting == 1
    assert text.count("webhook outbound, disabled at") == 20
    assert "and 4 earlier, which are not listed." in text


async def test_a_workspace_takes_one_connection_of_a_server_that_says_nothing(
    tmp_path: Path,
) -> None:
    connections: list[asyncio.BaseTransport] = []

    class Silent(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            connections.append(transport)

    silent = await asyncio.get_running_loop().create_server(Silent, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    smtp = SmtpConfig(host="127.0.0.1", port=port, security="none")
    async with (
        silent,
        receiving() as receiver,
        daemon_in(tmp_path, policy=IMPATIENT, smtp=smtp, stop_within_s=0.1) as system,
    ):
        receiver.answers(500)
        for ws in ("acme", "blue"):
            await system.make(ws, receiver, ws)
        await system.accept("acme", event("m1"))
        for count in range(1, 7):
            await system.facts.until("webhook.disabled", count, workspace="acme")
            await system.switch("acme", "enable", {})
        await system.accept("blue", event("m1"))
        await system.facts.until("webhook.disabled", workspace="blue")
        await until(lambda: len(connections) == 2)
        waiting = (await system.get("/v1/status"))["mails"]

    assert (waiting, len(connections)) == (2, 2)


async def test_the_owner_s_address_stands_in_no_failure(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path, refusals=1, quotes=True) as server,
        disabled(tmp_path, server) as system,
    ):
        (failed,) = await system.facts.until("mail.failed")

    assert "owner@acme.example" not in str(system.facts.seen).lower()
    assert "no mailbox (the owner)" in failed["data"]["error"]


async def test_a_mail_goes_to_the_owner_as_he_is_when_it_leaves(tmp_path: Path) -> None:
    server = MailServer(tmp_path)
    async with server:
        pass
    async with disabled(tmp_path, server) as system:
        await system.facts.until("mail.failed")
        await system.ask("PATCH", "/v1/workspaces/acme", {"owner_email": "new@acme.example"})
        async with server:
            system.clock.move(60_000)
            taken = await server.next()

    assert taken.to == ("new@acme.example",)
