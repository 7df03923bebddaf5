"""What authorizes a webhook at its receiver stands in one record, and is told to nobody.

Every secret is a canary, and everything that the daemon says and stores is searched for it: as it
is, as JSON writes it, and in base64.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lmdb
import msgspec

from hookbundle.storage.database import keyspace
from hookbundle.tests.crm.requests.oauth_server import OAuthServer, oauth_server
from hookbundle.tests.crm.requests.proxy_server import proxy_server
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import event, facts_of, receiving
from hookbundle.tests.mail_server import MailServer
from hookbundle.tests.program import Program, program_in
from hookbundle.tests.running import Running, running
from hookbundle.tests.server.console.plain import visitor

HEADER = "canary/header value=1"
TOKEN = "canary.bearer-token=="
USER = "canary-user"
PASSWORD = 'canary"pass & word'
KEY = "canary-key-of-a-header"
SECRET = "canary/oauth+secret"
ACCESS = "access-canary-1"  # what the stand-in gives first
PROXY = "canary-proxy-password"
PAIR = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
STORED = (HEADER, TOKEN, USER, PASSWORD, KEY, SECRET)
EVERY = (*STORED, PAIR, ACCESS, PROXY)
KINDS = ("bearer", "basic", "header", "oauth2")
TEMPLATE = {"note": "made: {{ messages[0].text }}"}


def auths(endpoint: OAuthServer) -> dict[str, dict[str, Any]]:
    return {
        "bearer": {"type": "bearer", "token": TOKEN},
        "basic": {"type": "basic", "username": USER, "password": PASSWORD},
        "header": {"type": "header", "name": "X-Key", "value": KEY},
        "oauth2": endpoint.auth(),
    }


def forms(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    yield msgspec.json.encode(secret)[1:-1]
    yield base64.b64encode(secret.encode())


def found_in(content: bytes) -> list[str]:
    return [secret for secret in EVERY if any(form in content for form in forms(secret))]


@dataclass(slots=True)
class Said:
    """What the daemon has said, by where."""

    where: dict[str, bytes] = field(default_factory=dict)

    async def reads(self, daemon: Running, *paths: str) -> None:
        for path in paths:
            answer = await daemon.ask("GET", path)
            assert answer.status == 200, (path, answer)
            self.where[path] = repr(answer.headers).encode() + answer.body

    async def is_refused(self, daemon: Running, document: Any) -> None:
        answer = await daemon.ask("PATCH", "/v1/workspaces/acme/webhooks/bearer", document)
        assert answer.status == 422, (document, answer)
        self.where[f"refused {document}"] = answer.body

    def check(self) -> None:
        assert len(self.where) > 30
        leaks = {where: leaked for where, said in self.where.items() if (leaked := found_in(said))}
        assert leaks == {}


def echoing(*secrets: str) -> Answer:
    """The receiver repeats what it got, and so does its 500."""
    said = [*secrets, *(base64.b64encode(each.encode()).decode() for each in secrets)]
    headers = tuple((f"X-Echo-{n}", each) for n, each in enumerate(said))
    return Answer(500, headers, msgspec.json.encode({"you sent": said}))


@contextmanager
def opened(folder: Path) -> Iterator[dict[bytes, bytes]]:
    """The rows of the database there."""
    with lmdb.open(str(folder), readonly=True, lock=False, max_dbs=8) as env, env.begin() as txn:
        yield {bytes(key): bytes(value) for key, value in txn.cursor()}


def places(folder: Path) -> dict[str, set[bytes]]:
    """By secrets, in rows of which first letters they stand."""
    with opened(folder) as rows:
        return {
            secret: {key[:1] for key, value in rows.items() if found(secret, key + value)}
            for secret in EVERY
        }


def found(secret: str, content: bytes) -> bool:
    return any(form in content for form in forms(secret))


def raw(folder: Path) -> list[str]:
    """The secrets that are in any file there, free pages too."""
    content = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
    return found_in(content)


async def console(daemon: Running, said: Said, webhook: str, delivery: str) -> None:
    host, port = (await daemon.says("ready"))["tcp"]
    made = await daemon.ask("POST", "/v1/tokens", {"scope": "admin"})
    async with visitor(f"http://{host}:{port}") as person:
        await person.sign_in(made.document["token"])
        for path in (
            *("/console/workspaces", "/console/w/acme/webhooks", "/console/w/acme/deliveries"),
            *("/console/w/acme/activity", f"/console/w/acme/webhooks/{webhook}"),
            f"/console/w/acme/deliveries/{delivery}",
            *(f"/console/w/acme/requests/{number}?webhook={webhook}" for number in (0, 1)),
        ):
            seen = await person.get(path)
            assert seen.status == 200, (path, seen)
            said.where[path] = f"{seen.status}{seen.headers}{seen.text}".encode()
        for kind in KINDS:
            path = f"/console/w/acme/webhooks/{kind}/format"
            form = {"format": "template", "template": msgspec.json.encode(TEMPLATE).decode()}
            seen = await person.post(path, {**form, "do": "try"})
            assert seen.status == 200, (path, seen)
            assert "made: text of" in seen.text
            said.where[f"preview {path}"] = f"{seen.headers}{seen.text}".encode()


async def formats(daemon: Running, said: Said) -> None:
    """Formats are tried: one that is well, one that asks for what no template may see, and one that
    can't be rendered."""
    for kind in KINDS:
        for what, template, status in (
            ("sound", TEMPLATE, 200),
            ("curious", {"all": "{{ request.headers }}{{ webhook.auth }}{{ options.token }}"}, 422),
            ("wrong", {"x": "{{ chat.full_name | ms }}"}, 200),
        ):
            path = f"/v1/workspaces/acme/webhooks/{kind}/format-test"
            tried = await daemon.ask("POST", path, {"format": {"template": template}})
            assert tried.status == status, (path, tried)
            assert what != "sound" or b"made: text of" in tried.body
            said.where[f"{what} {path}"] = repr(tried.headers).encode() + tried.body


def program_of(folder: Path, mail: MailServer, proxy_port: int) -> Program:
    return program_in(
        folder,
        LISTEN="127.0.0.1:0",
        LOG__LEVEL="debug",
        DELIVERY__BACKOFF="1ms",
        DELIVERY__PROXY=f"http://hook:{PROXY}@127.0.0.1:{proxy_port}",
        SMTP__HOST="127.0.0.1",
        SMTP__PORT=str(mail.port),
        SMTP__SECURITY="none",
    )


async def test_secrets_are_in_the_settings_and_nowhere_else(tmp_path: Path) -> None:
    said, data = Said(), tmp_path / "data"
    async with (
        MailServer(tmp_path) as server,
        receiving() as receiver,
        oauth_server(secret=SECRET) as endpoint,
        proxy_server() as proxy,
    ):
        program = program_of(tmp_path, server, proxy.port)
        async with running(program) as daemon, facts_of(program.socket_path) as facts:
            await daemon.make("acme", receiver, "plain", enabled=False)
            in_use = {"bearer": [TOKEN], "basic": [USER, PASSWORD, PAIR], "header": [KEY]}
            for kind, auth in auths(endpoint).items():
                secrets = in_use.get(kind, [SECRET, ACCESS])
                receiver.answers(echoing(HEADER, *secrets))
                hook = {
                    "id": kind,
                    "url": receiver.url(kind),
                    "aggregation": "none",
                    "request": {"headers": {"X-Tenant": HEADER}, "auth": auth},
                }
                key = {"Idempotency-Key": f"canary-{kind}"}
                made = await daemon.ask("POST", "/v1/workspaces/acme/webhooks", hook, headers=key)
                assert made.status == 201, made
                receiver.trust(made.document["secret"], kind)
                said.where[f"made {kind}"] = made.body
                tested = await daemon.ask("POST", f"/v1/workspaces/acme/webhooks/{kind}/test")
                said.where[f"tested {kind}"] = tested.body
                await daemon.accept("acme", event(f"m-{kind}"))
                await facts.until("webhook.disabled", 1, webhook=kind)
                said.where[f"log {kind}"] = (
                    await daemon.ask("GET", f"/v1/workspaces/acme/log?webhook={kind}")
                ).body
            said.where["mail"] = (await server.next()).raw
            for wrong in (
                {"headers": {"Host": HEADER}},
                {"headers": {"X-A": f"{HEADER}\r\nX-B: 1"}},
                {"headers": {"X-A": [HEADER]}},
                {"headers": [HEADER]},
                {"auth": {"type": "bearer", "token": f"{TOKEN}\n"}},
                {"auth": {"type": "bearer", "token": [TOKEN]}},
                {"auth": {"type": "bearer", "tokn": TOKEN}},
                {"auth": {"type": "basic", "username": f"{USER}:x", "password": PASSWORD}},
                {"auth": {**endpoint.auth(), "client_secret": f"{SECRET}\n"}},
                {"auth": {**endpoint.auth(), "scope": f"{SECRET}\r\nX-B: 1"}},
            ):
                await said.is_refused(daemon, {"request": wrong})
            listed = await daemon.get("/v1/workspaces/acme/deliveries")
            first = listed["deliveries"][0]["id"]
            await said.reads(
                daemon,
                *("/v1/status", "/v1/workspaces", "/v1/workspaces/acme", "/metrics"),
                *(f"/v1/workspaces/acme/{each}" for each in ("activity", "webhooks", "log")),
                *("/v1/workspaces/acme/deliveries", f"/v1/deliveries/{first}"),
                *(f"/v1/workspaces/acme/webhooks/{kind}" for kind in KINDS),
            )
            await formats(daemon, said)
            await console(daemon, said, "bearer", first)
            backup = await program("backup", str(tmp_path / "backup"))
            assert backup.code == 0, backup
            said.where["feed"] = repr(facts.seen).encode()
            dropped = {"request": {"headers": {}, "auth": {"type": "none"}}}
            for kind in KINDS[1:]:
                await daemon.ask("PATCH", f"/v1/workspaces/acme/webhooks/{kind}", dropped)
            await daemon.ask("DELETE", f"/v1/workspaces/acme/webhooks/{KINDS[0]}")
            daemon.process.terminate()
            assert daemon.process.stderr is not None
            logged = (await daemon.process.stderr.read()).decode() + repr(daemon.said)
            said.where["log"] = logged.encode()
            assert await daemon.ended() == 0
        await program("compact")

    assert b"you sent" in said.where["log bearer"]
    assert b"[hidden]" in said.where["log bearer"]
    said.check()
    kept = places(tmp_path / "backup")
    assert kept == {secret: {keyspace.WEBHOOKS} if secret in STORED else set() for secret in EVERY}
    assert sorted(raw(tmp_path / "backup")) == sorted(STORED)
    assert raw(data) == []
