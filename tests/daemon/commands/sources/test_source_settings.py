"""`source add` and `source set`: settings, secrets that nobody sees, and what is wrong."""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbundle.commands.sources.given import read_settings
from hookbundle.commands.sources.source import change
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import CommandFailure
from hookbundle.tests.daemon.commands.sources.scene import SECRET, Scene
from hookbundle.tests.program import PROGRAM, TIMEOUT_S

HEADER = "number\tat\tmethod\tstatus\tsize\toutcomes\tfaults\n"
DOCS = Path(__file__).resolve().parents[4] / "docs"
GENERIC = '{"message_id": "id", "chat_id": "chat", "text": "text"}'


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


class Meanwhile(Control):
    """Somebody else changes the source after it was read."""

    def get(self, path: str, /, **query: str) -> Any:
        found = super().get(path, **query)
        super().send("PATCH", path, {"settings": {"account": {"full_name": "Omar"}}})
        return found


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(scene: Scene) -> None:
    await scene.added("waha", "--setting", "account.full_name=Nadia")
    wanted = read_settings(("account.email=nadia@acme.example",))
    control = Meanwhile(scene.program.socket_path)
    url = at("workspaces", scene.ws, "sources", "waha-1")

    with pytest.raises(CommandFailure) as refused:
        await asyncio.to_thread(change, control, url, wanted, {})

    assert refused.value.exit_code == 6
    assert (await scene.shown("waha-1"))["settings"] == {"account": {"full_name": "Omar"}}


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
        (("add", "waha", "--setting", "header.value=none"), 2, "header=none"),
        (("add", "waha", "--setting", "numbers.a.b.email=none"), 2, "numbers=none"),
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


async def test_settings_are_tried_on_a_body_and_nothing_is_made(scene: Scene) -> None:
    body = b'{"id": "m1", "chat": "15550101234@c.us", "text": "hello"}'
    fields = ("--setting", f"fields={GENERIC}")

    tried = await scene("try", "generic", "-", *fields, "--no-header", given=body)
    unreadable = await scene("try", "generic", "-", *fields, given=b"{")
    in_items = GENERIC.replace(': "', ': "items[].')
    listed = ("--setting", f"fields={in_items}")
    items = b'{"items": [%b]}' % b",".join([body] * 51)
    many = await scene("try", "generic", "-", *listed, given=items)
    wrong = await scene("try", "generic", "-", given=body)

    assert tried.code == 0, tried
    assert tried.rows == [
        ["accepted", "-", "15550101234", "m1", "received", "+15550101234", "hello"]
    ]
    assert len(many.rows) == 50 + 1  # with the names of the columns
    assert "the first 50 of 51 events" in many.err
    assert unreadable.code == 0
    assert "the body: " in unreadable.err
    assert (wrong.code, "settings.fields" in wrong.err) == (2, True)
    assert (await scene("list", "--json")).document == []
