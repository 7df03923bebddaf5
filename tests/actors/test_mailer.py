"""E-mails to owners, taken by a real SMTP server: encryption, login, trouble, hostile names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from hookbundle.actors import mailer
from hookbundle.actors.mailer import Outbox
from hookbundle.actors.virtual_actors import INTENSITY
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import Failed
from hookbundle.server.console import catalogues
from hookbundle.storage.database.delivery_records import Attempt
from hookbundle.storage.transitions.attempting import BeginAttempt, Begun, FinishAttempt
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.tests.actors.stores import SECRET, Stored, storing
from hookbundle.tests.in_process import System, daemon_in, event, receiving
from hookbundle.tests.mail_server import MailServer

IMPATIENT = BackoffPolicy(steps_ms=(1,), errors_max=1)


@asynccontextmanager
async def disabled(
    folder: Path,
    server: MailServer,
    settings: dict[str, Any] | None = None,
    status: int = 500,
    **smtp: Any,
) -> AsyncIterator[System]:
    """A daemon in which the receiver's errors have disabled the webhook of `acme`."""
    config = server.config(**smtp)
    async with (
        receiving() as receiver,
        daemon_in(folder, policy=IMPATIENT, smtp=config) as system,
    ):
        receiver.answers(status)
        await system.make("acme", receiver, url=f"{receiver.url()}?token=hidden")
        await system.ask("PATCH", "/v1/workspaces/acme", settings or {})
        await system.accept("acme", event("m1", text="a secret of somebody"))
        await system.facts.until("webhook.disabled")
        yield system


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
@pytest.mark.parametrize("login", [False, True])
async def test_the_owner_gets_the_mail_over_any_security(
    tmp_path: Path, security: Literal["none", "starttls", "tls"], login: bool
) -> None:
    async with MailServer(tmp_path, security, login) as server, disabled(tmp_path, server):
        taken = await server.next()

        assert taken.to == ("owner@acme.example",)
        assert taken.mail["Subject"] == "A webhook was disabled (workspace acme)"


async def test_the_mail_says_what_happened_and_what_to_do_and_nothing_of_messages(
    tmp_path: Path,
) -> None:
    async with (
        MailServer(tmp_path) as server,
        disabled(tmp_path, server, console_url="https://console.example"),
    ):
        text = (await server.next()).text

    assert "host 127[.]0[.]0[.]1; last error: status 500" in text
    assert "webhook outbound, disabled at" in text
    assert "Held until then: 1 message (1 request)." in text
    assert "    https://console.example/console/w/acme/outbound\n" in text
    assert "hookbundle workspace" not in text
    assert "hidden" not in text
    assert "a secret of somebody" not in text


async def test_one_disabling_sends_one_mail(tmp_path: Path) -> None:
    async with MailServer(tmp_path) as server, disabled(tmp_path, server) as system:
        await server.next()
        await system.facts.until("mail.sent")

        system.clock.move(3_600_000)
        await system.switch("acme", "enable", {})
        await system.facts.until("webhook.disabled", 2)
        await system.facts.until("mail.sent", 2)

        assert len(server.tries) == 2
        assert len({taken.mail["Message-ID"] for taken in server.tries}) == 2


async def test_a_refused_mail_is_tried_again_as_the_same_mail(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path, refusals=2) as server,
        disabled(tmp_path, server) as system,
    ):
        for failures in (1, 2):
            await system.facts.until("mail.failed", failures)
            system.clock.move(300_000)

        await server.next()

        assert len(server.tries) == 3
        assert len({taken.mail["Message-ID"] for taken in server.tries}) == 1
        assert len({taken.raw for taken in server.tries}) == 1


async def test_a_server_that_is_down_gets_the_mail_when_it_is_up_again(tmp_path: Path) -> None:
    server = MailServer(tmp_path)
    async with server:
        pass
    async with disabled(tmp_path, server) as system:
        (failure,) = await system.facts.until("mail.failed")
        async with server:
            system.clock.move(60_000)

            await server.next()
            await system.facts.until("mail.sent", tries=2)

    assert "connect" in failure["data"]["error"].lower()


async def test_a_server_with_an_unknown_certificate_gets_nothing(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path, "tls") as server,
        disabled(tmp_path, server, ca_file="") as system,
    ):
        await system.facts.until("mail.failed")

        assert server.tries == []


async def test_a_server_without_starttls_gets_nothing_if_it_is_wanted(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path) as server,
        disabled(tmp_path, server, security="starttls") as system,
    ):
        await system.facts.until("mail.failed")

        assert server.tries == []


async def test_a_hostile_name_leaves_the_headers_clean(tmp_path: Path) -> None:
    name = "Acme\r\nBcc: evil@x.example\r\n\r\n<b>\u2028\x00 " + "ש" * 500
    async with (
        MailServer(tmp_path) as server,
        disabled(tmp_path, server, {"name": name}),
    ):
        taken = await server.next()

    assert taken.to == ("owner@acme.example",)
    assert taken.mail["Bcc"] is None
    assert [str(a) for a in taken.mail["To"].addresses] == ["owner@acme.example"]
    assert taken.mail["Subject"] == "A webhook was disabled (workspace acme)"
    assert "Name of the workspace: \u2068Acme Bcc: evil[at]x[.]example <b> שש" in taken.text
    assert all(len(line) <= 998 for line in taken.raw.splitlines())


async def test_a_mail_that_cant_be_written_holds_up_no_other(tmp_path: Path) -> None:
    async with (
        MailServer(tmp_path) as server,
        receiving() as receiver,
        daemon_in(tmp_path, policy=IMPATIENT, smtp=server.config()) as system,
    ):
        receiver.answers(500)
        for ws in ("broken", "sound"):
            await system.make(ws, receiver, ws)
        # The API refuses such an address, but the mailer must not rely on that.
        await system.daemon.partition.store_queue.do(
            addressed("broken", "a@[b", system), WorkspaceChanged
        )
        await system.accept("broken", event("m1"))
        await system.facts.until("webhook.disabled", workspace="broken")
        for _ in range(3):
            system.clock.move(31_000)

        await system.accept("sound", event("m1"))
        taken = await server.next()

        assert taken.to == ("owner@sound.example",)
        assert not system.daemon.failed.done()


async def test_a_mail_that_was_accepted_is_not_sent_again_because_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "STORE_AGAIN_S", 0.01)
    async with MailServer(tmp_path) as server, storing(tmp_path) as store:
        await disable(store)
        outbox = outbox_of(store, server)
        store.disk.full = True

        outbox.send(1)
        await server.next()
        await store.disk.failed(3)
        outbox.send(1)
        store.disk.full = False
        await outbox.stop()

        assert len(server.tries) == 1
        assert store.reads.meta().mails == 0


def outbox_of(store: Stored, server: MailServer, **smtp: Any) -> Outbox:
    quarantined: list[int] = []
    return Outbox(
        store.reads,
        store.store_queue,
        store.clock,
        server.config(**smtp),
        "epoch",
        catalogues.translations_of,
        INTENSITY,
        lambda number, error: quarantined.append(number),
    )


async def disable(store: Stored, ws: str = "acme", error: str = "timeout", **settings: Any) -> None:
    """The webhook of a workspace was disabled by errors, and one more mail is in the outbox."""
    number = await store.workspace(ws, owner_email="owner@acme.example", **settings)
    await store.do(store.accepting(number, "m1"))
    for attempt in (1, 2):
        store.clock.move(60_000)
        begun = await store.do(BeginAttempt(number, store.clock.now_ms()))
        assert isinstance(begun, Begun)
        await store.do(
            FinishAttempt(
                webhook=number,
                delivery=begun.delivery.number,
                attempt=attempt,
                outcome=Failed(error),
                result=Attempt(at_ms=0, url=begun.url, request_headers=(), outcome="failed"),
                now_ms=store.clock.now_ms(),
                spread=0,
                policy=IMPATIENT,
                go_on=False,
            )
        )


def addressed(ws: str, owner_email: str, system: System) -> ChangeWorkspace:
    return ChangeWorkspace(
        workspace_id=ws,
        changes=Changes(owner_email=owner_email),
        precondition=None,
        may_create=False,
        new_secret=SECRET,
        now_ms=system.clock.now_ms(),
        caller="test",
    )
