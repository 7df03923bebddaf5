"""Hostile names, ids and texts in all output of the daemon: mails, feed, downloads, metrics."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from pathlib import Path

import aiohttp
import msgspec
from prometheus_client.parser import text_string_to_metric_families

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.storage.transitions.settings import Changes, ChangeWorkspace, WorkspaceChanged
from hookbundle.tests.actors.stores import SECRET
from hookbundle.tests.in_process import System, daemon_in, event, receiving
from hookbundle.tests.mail_server import MailServer, Taken
from hookbundle.tests.reliability.harness.hostile import ADDRESSES, TEXTS, control_characters

IMPATIENT = BackoffPolicy(steps_ms=(1,), errors_max=1)
ISOLATED = [repr("\u2068"), repr("\u2069")]
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"),
    *("Content-Language", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
}
HEADER_LINE = re.compile(rb"[A-Za-z-]+: .+|[ \t].+")
QUIET = "quiet name"


@asynccontextmanager
async def failing(folder: Path, server: MailServer) -> AsyncIterator[System]:
    """A daemon whose receiver answers every request with an error; two disable a webhook."""
    async with (
        receiving() as receiver,
        daemon_in(folder, policy=IMPATIENT, smtp=server.config()) as system,
    ):
        receiver.answers(500)
        for number in range(len(TEXTS) + len(ADDRESSES) + 1):
            await system.make(f"ws{number}", receiver, f"ws{number}")
        yield system


async def test_a_hostile_name_is_only_a_name_in_the_mail(tmp_path: Path) -> None:
    async with MailServer(tmp_path) as server, failing(tmp_path, server) as system:
        for number, text in enumerate((QUIET, *TEXTS)):
            named = await system.ask("PATCH", f"/v1/workspaces/ws{number}", {"name": text})
            assert named.status == 200, named
            await system.accept(f"ws{number}", event("m1", text[:150], text=text))
        taken = [await server.next() for _ in range(len(TEXTS) + 1)]
        await system.facts.until("mail.sent", len(taken))

    mails = {one.to[0]: one for one in taken}
    assert set(mails) == {f"owner@ws{number}.example" for number in range(len(TEXTS) + 1)}
    lines = mails["owner@ws0.example"].text.count("\n")
    for number, text in enumerate(TEXTS, 1):
        one = mails[f"owner@ws{number}.example"]
        check_form(one, f"owner@ws{number}.example")
        assert one.text.count("\n") == lines, f"{text!r} has made a line of its own"
        for word in re.findall(r"[A-Za-z]{3,30}", text):
            assert word in one.text, f"{word} of {text!r} is missing"


async def test_nobody_but_the_owner_gets_a_mail_whatever_the_address_says(tmp_path: Path) -> None:
    async with MailServer(tmp_path) as server, failing(tmp_path, server) as system:
        for number, address in enumerate(ADDRESSES, 1):
            refused = await system.ask(
                "PATCH", f"/v1/workspaces/ws{number}", {"owner_email": address}
            )
            assert refused.status == 422, f"{address!r}: {refused}"
            # The API refuses it, but an older database may hold it already.
            await system.daemon.partition.store_queue.do(
                addressed(f"ws{number}", address, system), WorkspaceChanged
            )
            await system.accept(f"ws{number}", event("m1"))
        await system.facts.until("webhook.disabled", len(ADDRESSES))
        await system.accept("ws0", event("m1"))
        await system.facts.until("mail.sent", workspace="ws0")
        failed = len(system.facts.known("mail.failed"))
        sent = [server.taken.get_nowait() for _ in range(server.taken.qsize())]

        assert not system.daemon.failed.done()

    evil = [one.to for one in sent if any("x.example" in each for each in one.to)]
    assert evil == []
    assert [one.to for one in sent if len(one.to) != 1] == []
    assert failed + len(sent) > len(ADDRESSES) / 2


async def test_each_event_of_the_feed_is_one_line_with_the_text_as_sent(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        for number, text in enumerate(TEXTS):
            await system.accept("acme", event(f"{number}{text}", text[:150], text=text))
        await system.facts.until("delivery.delivered", len(TEXTS))
        facts = system.facts.known("message.received")
        async with system.session.get("http://hookbundle/v1/events?since=oldest") as stream:
            lines = [line async for line in until_event(stream, "message.received", len(TEXTS))]
        log = await system.ask("GET", "/v1/workspaces/acme/log?format=ndjson")
        figures = (await system.ask("GET", "/metrics")).body.decode()

    assert [fact["chat"] for fact in facts] == [text[:150] for text in TEXTS]
    frames = [msgspec.json.decode(line[6:]) for line in lines if line.startswith(b"data: {")]
    kept = [frame for frame in frames if frame["type"] == "message.received"]
    assert [frame["chat"] for frame in kept] == [text[:150] for text in TEXTS]
    assert all(re.fullmatch(rb"(:|id:|event:|data:|retry:).*\n|\n", line) for line in lines)
    assert "forged" not in figures
    assert list(text_string_to_metric_families(figures))
    entries = [msgspec.json.decode(line) for line in log.body.splitlines()]
    assert len(entries) == len(TEXTS)
    bodies = [msgspec.json.decode(entry["request"]["body"]) for entry in reversed(entries)]
    assert [body["message"]["text"] for body in bodies] == list(TEXTS)


def check_form(taken: Taken, owner: str) -> None:
    """The mail is one mail, with known headers, to one address."""
    mail: EmailMessage = taken.mail
    head = taken.raw.partition(b"\r\n\r\n")[0]
    assert taken.to == (owner,)
    assert set(mail.keys()) == HEADERS
    assert [address.addr_spec for address in mail["To"].addresses] == [owner]
    assert all(HEADER_LINE.fullmatch(line) for line in head.split(b"\r\n")), head
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\x00", taken.raw)
    assert max(map(len, taken.raw.split(b"\r\n"))) <= 998
    assert control_characters(str(mail["Subject"])) == []
    for line in taken.text.splitlines():
        # A name of the tenant's is isolated, so that its direction ends with it.
        assert control_characters(line) in ([], ISOLATED), line


async def until_event(
    stream: aiohttp.ClientResponse, name: str, count: int
) -> AsyncIterator[bytes]:
    """The lines of the stream up to the end of the `count`-th event of that name."""
    line = b""
    while count:
        line = await stream.content.readline()
        yield line
        count -= line == b"event: %b\n" % name.encode()
    while line != b"\n":
        line = await stream.content.readline()
        yield line


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
