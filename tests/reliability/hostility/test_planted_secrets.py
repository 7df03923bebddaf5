"""Secrets and texts that a daemon was given appear only where they must.

Each contains a marker, and all output and all files of the daemon are searched for the markers.
"""

from pathlib import Path

import aiohttp
import msgspec

from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import Api, event, facts_of, receiving
from hookbundle.tests.mail_server import PASSWORD, USERNAME, MailServer
from hookbundle.tests.program import program_in
from hookbundle.tests.running import running

TEXT = "Zebra42Text"
QUERY = "Zebra42Query"
OWNER = "Zebra42Owner@acme.example"
HEADER = "Zebra42Header"
# A receiver may repeat what it was called with.
REPEATING = Answer(500, (("Location", f"/elsewhere?key={QUERY}"),), f"<p>no key {QUERY}".encode())
WRONG = "Zebra42WrongToken"
DESCRIPTIONS = (
    "/v1/status",
    "/v1/workspaces",
    "/v1/workspaces/acme",
    "/v1/workspaces/acme/activity",
    "/v1/workspaces/acme/deliveries",
    "/v1/tokens",
    "/v1/chats",
    "/metrics",
    "/openapi.json",
)


async def test_no_secret_and_no_text_is_in_the_output_of_the_daemon(tmp_path: Path) -> None:
    async with MailServer(tmp_path, login=True) as server, receiving() as receiver:
        program = program_in(
            tmp_path,
            LISTEN="127.0.0.1:0",
            LOG__LEVEL="debug",
            DELIVERY__BACKOFF="1ms",
            SMTP__HOST="127.0.0.1",
            SMTP__PORT=str(server.port),
            SMTP__SECURITY="none",
            SMTP__USERNAME=USERNAME,
            SMTP__PASSWORD=PASSWORD,
        )
        async with running(program) as daemon, facts_of(program.socket_path) as facts:
            url = f"{receiver.url()}?key={QUERY}"
            receiver.answers(REPEATING)
            secrets = [await daemon.make("acme", receiver, url=url), *await rotated(daemon)]
            receiver.secrets["hook"] += secrets[1:]
            made = await daemon.ask("POST", "/v1/tokens", {"scope": "admin"})
            token = made.document["token"]
            await daemon.ask("PATCH", "/v1/workspaces/acme", {"owner_email": OWNER})
            await daemon.accept("acme", event("m1", text=TEXT))
            await facts.until("mail.sent")
            mail = (await server.next()).raw.decode()
            problems = await refusals((await daemon.says("ready"))["tcp"], token)
            documents = [await described(daemon, path) for path in DESCRIPTIONS]
            await daemon.ask("POST", "/v1/workspaces/acme/webhook/test")
            await facts.until("webhook.tested")
            requests = (await daemon.ask("GET", "/v1/workspaces/acme/log")).body.decode()
            daemon.process.terminate()
            assert daemon.process.stderr is not None
            log = (await daemon.process.stderr.read()).decode() + repr(daemon.said)
            code = await daemon.ended()

    feed = repr(facts.seen)
    keys = [*secrets, *(secret.removeprefix("whsec_") for secret in secrets), token, PASSWORD]
    for key in keys:
        for where in (log, feed, mail, problems, requests, *documents):
            assert key not in where, where
    for where in (log, feed, mail, problems, *documents):
        assert TEXT not in where, where
    for where in (log, mail, problems):
        assert WRONG not in where, where
    settings = ("/v1/workspaces", "/v1/workspaces/acme")  # which show what is set to who may set it
    others = [
        text for path, text in zip(DESCRIPTIONS, documents, strict=True) if path not in settings
    ]
    for where in (log, feed, problems, requests, *others):
        assert QUERY not in where, where
        assert OWNER.lower() not in where.lower(), where
        assert HEADER not in where, where
    assert QUERY not in mail
    stored = b"".join(file.read_bytes() for file in (tmp_path / "data").iterdir() if file.is_file())
    assert token.encode() not in stored
    assert PASSWORD.encode() not in stored
    assert TEXT in requests, "the search finds nothing anywhere"
    assert code == 0


async def test_after_deletion_and_compaction_no_secret_is_in_the_data_file(tmp_path: Path) -> None:
    async with MailServer(tmp_path, refusals=1, quotes=True) as server, receiving() as receiver:
        program = program_in(
            tmp_path,
            DELIVERY__BACKOFF="1ms",
            SMTP__HOST="127.0.0.1",
            SMTP__PORT=str(server.port),
            SMTP__SECURITY="none",
        )
        data = tmp_path / "data" / "data.mdb"
        async with running(program) as daemon, facts_of(program.socket_path) as facts:
            receiver.answers(REPEATING)
            await daemon.make("acme", receiver, url=f"{receiver.url()}?key={QUERY}")
            await daemon.ask("PATCH", "/v1/workspaces/acme", {"owner_email": OWNER})
            await daemon.accept("acme", event("m1", text=TEXT))
            await facts.until("mail.failed")
            await daemon.ask("POST", "/v1/workspaces/acme/webhook/test")
            before = data.read_bytes()
            await daemon.ask("DELETE", "/v1/workspaces/acme")
            await facts.until("workspace.erased")
        compacted = await program("compact")
        after = data.read_bytes()

    assert compacted.code == 0, compacted
    for secret in (QUERY, OWNER, TEXT):
        assert secret.encode() in before, "the search finds nothing anywhere"
        assert secret.lower().encode() not in after.lower(), secret


async def described(daemon: Api, path: str) -> str:
    answer = await daemon.ask("GET", path)
    assert answer.status == 200, (path, answer)
    return answer.body.decode()


async def rotated(daemon: Api) -> list[str]:
    answer = await daemon.ask("POST", "/v1/workspaces/acme/webhook/rotate-secret", {})
    assert answer.status == 200, answer
    return [answer.document["secret"]]


async def refusals(tcp: tuple[str, int], token: str) -> str:
    """The answers to callers with a wrong token, and to requests that are invalid."""
    answers = []
    async with aiohttp.ClientSession("http://{}:{}".format(*tcp)) as session:
        for caller in (WRONG, f"{token}x", token):
            headers = {"Authorization": f"Bearer {caller}"}
            for method, path, document in (
                ("POST", "/v1/workspaces/acme/messages", [{"text": TEXT}]),
                ("POST", "/v1/workspaces/acme/messages", event("m", text=[TEXT])),
                ("PATCH", "/v1/workspaces/acme", {"webhook": {"url": f"ftp://x/?{QUERY}"}}),
                ("GET", f"/v1/deliveries/nothing?{QUERY}", None),
            ):
                data = msgspec.json.encode(document)
                async with session.request(
                    method, path, data=data, headers={**headers, "X-Token": HEADER}
                ) as answer:
                    assert answer.status >= 400, (method, path, caller)
                    answers.append(f"{answer.headers} {await answer.text()}")
    return "\n".join(answers)
