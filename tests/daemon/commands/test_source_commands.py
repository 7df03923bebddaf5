"""`source ...` against a real daemon: the address, settings, secrets, requests, and its end."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, Ran
from hookbundle.tests.server.http.resources.sources.posting import waha

NUMBERS = count(1)
HEADER = "number\tat\tmethod\tstatus\tsize\toutcomes\tfaults\n"
SECRET = "s3cret-that-nobody-sees"


@dataclass(frozen=True, slots=True)
class Scene:
    """A workspace without sources, and the other systems."""

    program: Program
    api: Api
    ws: str
    folder: Path

    async def __call__(self, action: str, *arguments: str, given: bytes = b"") -> Ran:
        return await self.program("source", action, self.ws, *arguments, given=given)

    async def added(self, kind: str, *arguments: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self("add", kind, *arguments, "--json")).document
        return document

    async def shown(self, source: str) -> dict[str, Any]:
        document: dict[str, Any] = (await self("show", source, "--json")).document
        return document

    async def post(self, path: str, body: dict[str, Any]) -> int:
        return (await self.api.ask("POST", path, body)).status

    def file(self, text: str) -> str:
        path = self.folder / f"secret{next(NUMBERS)}"
        path.write_text(f"{text}\n")
        return f"@{path}"


@pytest.fixture
async def scene(program: Program, tmp_path: Path) -> AsyncIterator[Scene]:
    async with receiving() as receiver, connected(program.socket_path) as session:
        scene = Scene(program, Api(session), f"sources{next(NUMBERS)}", tmp_path)
        await scene.api.make(scene.ws, receiver)
        yield scene


async def test_the_address_is_all_of_stdout_and_what_to_do_next_is_said(scene: Scene) -> None:
    ran = await scene("add", "meta", "--name", "sales")

    address = ran.out.removesuffix("\n")
    assert address.startswith("/v1/sources/src_")
    assert "docs/sources/meta.md" in ran.err
    assert f"hookbundle source requests {scene.ws} meta-1 --follow" in ran.err
    assert "set app_secret or header if" in ran.err
    assert "Before it belongs https://" in ran.err
    assert await scene.post(address, {"object": "whatsapp_business_account", "entry": []}) == 200
    told = await scene("show", "meta-1")
    assert address.rpartition("/")[2] not in told.out + told.err
    assert ["name", "sales"] in told.rows


async def test_with_its_proof_set_nobody_is_warned(scene: Scene) -> None:
    ran = await scene("add", "waha", "--setting", f"hmac_key={scene.file(SECRET)}")

    assert ran.code == 0
    assert "Who knows the address" not in ran.err


async def test_a_secret_is_read_from_a_file_or_stdin_and_never_shown(scene: Scene) -> None:
    await scene("add", "waha", "--setting", f"hmac_key={scene.file(SECRET)}")
    made = await scene("add", "green-api", "--setting", "webhook_token=-", given=b"Bearer abc\nx\n")
    assert made.code == 0, made

    shown = await scene("show", "waha-1")
    refused = await scene.post(made.out.strip(), {"typeWebhook": "incomingCall"})
    headers = {"Authorization": "Bearer abc"}
    body = b'{"typeWebhook": "incomingCall"}'
    taken = await scene.api.ask("POST", made.out.strip(), data=body, headers=headers)

    assert SECRET not in shown.out + shown.err
    assert ["settings.hmac_key", "set"] in shown.rows
    assert ["proven", "yes"] in shown.rows
    assert (refused, taken.status) == (401, 200)


async def test_a_secret_is_asked_on_a_terminal(scene: Scene) -> None:
    ours, theirs = os.openpty()
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "source", "add", scene.ws, "waha", "--setting", "hmac_key=-", "--json"),
        env=scene.program.env,
        stdin=theirs,
        stdout=pipe,
        stderr=pipe,
        start_new_session=True,  # without a terminal of the one who runs the tests
    )
    assert process.stderr is not None
    async with asyncio.timeout(TIMEOUT_S):
        asked = await process.stderr.readuntil(b": ")
        os.write(ours, f"{SECRET}\n".encode())
        out, err = await process.communicate()
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):  # the terminal has shown nothing of it
        os.read(ours, 1_000)
    os.close(ours)
    os.close(theirs)

    assert asked == b"hmac_key: "
    assert msgspec.json.decode(out)["settings"] == {"hmac_key": {"set": True}}
    assert SECRET.encode() not in out + err


@pytest.mark.parametrize(
    "setting", [f"hmac_key={SECRET}", f"header.value={SECRET}", f'header={{"value":"{SECRET}"}}']
)
async def test_a_secret_in_the_command_line_is_refused_and_not_repeated(
    scene: Scene, setting: str
) -> None:
    ran = await scene("add", "waha", "--setting", setting)

    assert ran.code == 2
    assert "every user of this machine can see" in ran.err
    assert SECRET not in ran.err
    assert (await scene("list", "--json")).document == []


async def test_two_secrets_are_good_while_one_replaces_the_other(scene: Scene) -> None:
    made = await scene.added(
        "generic",
        *("--setting", 'fields={"message_id": "id", "chat_id": "chat", "text": "text"}'),
        *("--setting", "header.name=X-Hook-Secret"),
        *("--setting", f"header.value={scene.file('new')}"),
        *("--setting", f"header.value={scene.file('old')}"),
    )

    statuses = []
    for secret in ("new", "old", "other"):
        headers = {"X-Hook-Secret": secret}
        answer = await scene.api.ask("POST", made["url"], data=b"{}", headers=headers)
        statuses.append(answer.status)

    assert statuses == [200, 200, 401]


async def test_a_part_of_a_setting_is_changed_and_the_rest_stays(scene: Scene) -> None:
    await scene.added(
        "waha",
        *("--setting", "account.full_name=Nadia Haddad"),
        *("--setting", "chat_url=https://inbox.example/{chat_id}"),
        *("--setting", "numbers.my.session.full_name=Omar"),
        *("--setting", "accept.groups=false"),
        *("--setting", "fold_numbers=true"),
    )

    changed = await scene(
        "set",
        "waha-1",
        *("--setting", "account.email=nadia@acme.example"),
        *("--setting", "numbers.my.session.email=omar@acme.example"),
        *("--setting", "chat_url=none"),
        *("--name", "sales"),
        "--json",
    )

    assert changed.document["name"] == "sales"
    assert changed.document["settings"] == {
        "account": {"full_name": "Nadia Haddad", "email": "nadia@acme.example"},
        "numbers": {"my.session": {"full_name": "Omar", "email": "omar@acme.example"}},
        "accept": {"groups": False},
        "fold_numbers": True,
    }


async def test_a_list_is_words_with_commas_or_json(scene: Scene) -> None:
    await scene.added("chatwoot", "--setting", "channels=Channel::Api, Channel::Whatsapp")
    first = (await scene.shown("chatwoot-1"))["settings"]
    await scene("set", "chatwoot-1", "--setting", 'channels=["Channel::Api"]')

    assert first == {"channels": ["Channel::Api", "Channel::Whatsapp"]}
    assert (await scene.shown("chatwoot-1"))["settings"] == {"channels": ["Channel::Api"]}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "wahaa"), 2, "'waha'"),
        (("add", "waha", "--setting", "hmac_key"), 2, "write NAME=VALUE"),
        (("add", "waha", "--setting", "hmac_kee=1"), 2, "settings.hmac_kee"),
        (("add", "waha", "--setting", "app_secret=@/dev/null"), 2, "no secret in what was read"),
        (("add", "waha", "--setting", "hmac_key=@/nowhere"), 2, "/nowhere can't be read"),
        (("add", "waha", "--setting", "account={"), 2, "this is no account in JSON"),
        (("add", "waha", "--setting", "chat_url=a", "--setting", "chat_url=b"), 2, "given twice"),
        (("add", "waha", "--setting", "fold_numbers=perhaps"), 2, "settings.fold_numbers"),
        (("show", "waha-7"), 5, "waha-7"),
        (("set", "waha-7", "--name", "x"), 5, "waha-7"),
        (("remove", "waha-7"), 5, "waha-7"),
        (("requests", "waha-7", "--follow"), 5, "waha-7"),
        (("rotate-token", "waha-7", "--keep", "soon"), 2, "keep"),
    ],
)
async def test_what_is_wrong_is_said_with_its_exit_code(
    scene: Scene, arguments: tuple[str, ...], code: int, said: str
) -> None:
    ran = await scene(*arguments)

    assert ran.code == code, ran
    assert ran.out in ("", HEADER)
    assert said in ran.err


async def test_a_source_too_many_is_a_conflict(scene: Scene) -> None:
    for _ in range(20):
        made = await scene.api.ask("POST", f"/v1/workspaces/{scene.ws}/sources", {"kind": "waha"})
        assert made.status == 201

    assert (await scene("add", "waha")).code == 6


async def test_what_came_is_listed_and_its_requests_are_shown(scene: Scene) -> None:
    made = await scene.added("waha")
    await scene.post(made["url"], waha("A1"))
    await scene.shown("waha-1")  # what came so far is written
    await scene.post(made["url"], {"event": "message.ack", "payload": {}})

    (header, row) = (await scene("list")).rows
    requests = (await scene("requests", "waha-1")).rows
    in_full = (await scene("requests", "waha-1", "--limit", "1", "--json")).document

    listed = dict(zip(header, row, strict=True))
    assert (listed["id"], listed["proven"], listed["accepted"]) == ("waha-1", "no", "1")
    assert requests[0] == ["number", "at", "method", "status", "size", "outcomes", "faults"]
    assert [(each[0], each[3], each[5]) for each in requests[1:]] == [
        ("2", "200", "ignored.ack 1"),
        ("1", "200", "accepted 1"),
    ]
    assert [each["number"] for each in in_full] == [2]
    assert '"message.ack"' in in_full[0]["body"]


async def test_following_shows_what_comes_until_it_is_interrupted(scene: Scene) -> None:
    made = await scene.added("waha")
    await scene.post(made["url"], waha("A1"))
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "source", "requests", scene.ws, "waha-1", "--follow", "--no-header"),
        env=scene.program.env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(TIMEOUT_S):
        before = await process.stdout.readline()
        await scene.post(made["url"], waha("A2"))
        await scene.post(made["url"], waha("A3"))
        after = [await process.stdout.readline() for _ in range(2)]
        os.kill(process.pid, signal.SIGINT)
        rest, err = await process.communicate()

    assert [line.split(b"\t")[0] for line in (before, *after)] == [b"1", b"2", b"3"]
    assert (process.returncode, rest, err) == (0, b"", b"")


async def test_removing_asks_and_then_the_address_is_unknown(scene: Scene) -> None:
    made = await scene.added("waha")
    await scene.post(made["url"], waha("A1"))

    nobody = await scene("remove", "waha-1")
    no = await scene("remove", "waha-1", given=b"n\n")
    still = await scene.post(made["url"], waha("A2"))
    yes = await scene("remove", "waha-1", given=b"y\n")

    assert (nobody.code, no.code, still, yes.code) == (1, 1, 200, 0)
    assert "Remove waha-1 (waha) from" in no.err
    assert "1 entry of its memory and 1 request that it keeps are" in no.err
    assert await scene.post(made["url"], waha("A3")) == 404


async def test_another_address_is_shown_once_and_the_former_one_ends(scene: Scene) -> None:
    made = await scene.added("waha")

    kept = await scene("rotate-token", "waha-1", "--keep", "1h")
    former = await scene.post(made["url"], waha("A1"))
    ended = await scene("rotate-token", "waha-1", "--keep", "0s")
    asked = await scene.program.asked("source", "rotate-token", scene.ws, "waha-1", answer="n")

    assert "The former address is good until " in kept.err
    assert former == 200
    assert "No other address is good." in ended.err
    assert await scene.post(kept.out.strip(), waha("A2")) == 404
    assert await scene.post(ended.out.strip(), waha("A3")) == 200
    assert asked.code == 1
    assert "the former one is refused after 24h" in asked.err


async def test_sources_complete_in_a_shell(scene: Scene) -> None:
    await scene.added("waha")
    await scene.added("meta")

    async def completed(*words: str) -> set[str]:
        asked = {
            "COMP_WORDS": " ".join(("hookbundle", *words)),
            "COMP_CWORD": str(len(words)),
            "_HOOKBUNDLE_COMPLETE": "bash_complete",
        }
        return set((await scene.program(env=asked)).out.split())

    assert await completed("source", "show", scene.ws, "") == {"plain,waha-1", "plain,meta-2"}
    assert await completed("source", "add", scene.ws, "wat") == {"plain,wati"}
