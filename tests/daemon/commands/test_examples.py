"""The examples of the help pages, run as they stand, against a real daemon.

Only names are replaced: ids, paths and the receiver's address by those of the test. Examples that
start a daemon or never end are parsed and not run.
"""

import asyncio
import shlex
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import click
import msgspec
import pytest

from hookbundle.cli import main
from hookbundle.commands.examples import EXAMPLES
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.delivery import signing
from hookbundle.tests.in_process import Api, connected, event, facts_of, receiving
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program, Ran
from hookbundle.tests.reliability.harness.battery import FULL

NUMBERS = count(1)
OF_A_SHELL = "|&;<>()$`~*?[]{}!"
SECRET = signing.new_secret(bytes(range(32)))
BODY = b'{"text":"hi"}'
DELIVERY = "dlv_43cc8079b600000001000000000001"  # of the examples
NOT_RUN = (
    "hookbundle run",
    "hookbundle backup /root/moving --data",  # of a stopped daemon
    "hookbundle cluster",
    "hookbundle demo",
    "hookbundle listen",
    "hookbundle mail test",
    "hookbundle source requests acme waha-1 --follow",
    "hookbundle tail --workspace acme      #",
    "hookbundle tail --workspace acme --type 'delivery.*'",
    "hookbundle tail --type delivery.failed --type webhook.disabled --count 1",
    "tail -n 100 -f messages.ndjson",
)


def whole(lines: tuple[str, ...]) -> list[str]:
    """The examples, each with the lines on which it goes on."""
    return "\n".join(lines).replace("\\\n", " ").splitlines()


ALL = [(path, example) for path, lines in EXAMPLES.items() for example in whole(lines)]
RUN = [(path, example) for path, example in ALL if not example.startswith(NOT_RUN)]


def command_of(example: str) -> list[str]:
    """A shell with the example; or just its words, if all that a shell would do is to part them."""
    if FULL or set(example) & set(OF_A_SHELL):
        return ["bash", "-o", "pipefail", "-c", example]
    name, *words = shlex.split(example, comments=True)
    assert name == "hookbundle"
    return [PROGRAM, *words]


@dataclass(frozen=True, slots=True)
class Scene:
    """A folder with the files of the examples, and a workspace with all that they need.

    `names`: what stands for the names in them; the delivery is a dead letter. `delivered`: one that
    was delivered.
    """

    program: Program
    folder: Path
    names: Mapping[str, str]
    delivered: str

    async def run(self, example: str) -> Ran:
        for name, replacement in self.names.items():
            example = example.replace(name, replacement)
        path = f"{Path(PROGRAM).parent}:{self.program.env['PATH']}"
        process = await asyncio.create_subprocess_exec(
            *command_of(example),
            cwd=self.folder,
            env={**self.program.env, "PATH": path},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(TIMEOUT_S):
            out, err = await process.communicate(b"y\n")
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())


@pytest.fixture
async def scene(program: Program, tmp_path: Path) -> AsyncIterator[Scene]:
    async with receiving() as receiver, connected(program.socket_path) as session:
        api = Api(session)
        ws = f"acme{next(NUMBERS)}"
        await api.make(ws, receiver, aggregation="none")
        async with facts_of(program.socket_path, since="now") as facts:
            await api.accept(ws, event("m0"))
            (delivered,) = await facts.until("delivery.delivered", workspace=ws)
            receiver.answers(404)
            await api.accept(ws, event("m1"))
            (rejected,) = await facts.until("delivery.dead_lettered", workspace=ws)
        receiver.answers(200)
        hook = {"webhook": {"aggregation": "6h"}}
        await api.ask("PATCH", f"/v1/workspaces/{ws}", hook)
        await api.accept(ws, event("m2"))
        crm = {"id": "crm", "url": receiver.url("crm"), "aggregation": "1h"}
        webhook = await api.ask("POST", f"/v1/workspaces/{ws}/webhooks", crm)
        receiver.trust(webhook.document["secret"], "crm")
        await api.ask("POST", f"/v1/workspaces/{ws}/sources", {"kind": "waha"})
        made = await api.ask("POST", "/v1/tokens", {"scope": "intake", "workspace": None})
        yield Scene(
            program,
            tmp_path,
            {
                "owner@acme.example": "owner@example.com",
                "acme": ws,
                "https://receiver.example/in": receiver.url(),
                "https://crm.example/in": receiver.url("crm"),
                DELIVERY: rejected["data"]["delivery"],
                "tok_43cc8079b600": made.document["id"],
                **files(tmp_path),
            },
            delivered["data"]["delivery"],
        )


def files(folder: Path) -> dict[str, str]:
    """Writes the files that examples read. What stands for them and for a signature."""
    lines = b"".join(msgspec.json.encode(event(f"x{n}")) + b"\n" for n in range(3))
    (folder / "messages.ndjson").write_bytes(lines)
    (folder / "message.json").write_bytes(msgspec.json.encode(event("one")))
    (folder / "body.json").write_bytes(BODY)
    (folder / "filter.json").write_bytes(b'{"direction": "received"}')
    for name in ("hmac.key", "new.key", "app.secret", "verify.token", "hook.secret"):
        (folder / name).write_text(f"the {name}\n")
    fields = {"message_id": "id", "chat_id": "chat.id", "text": "text"}
    (folder / "fields.json").write_bytes(msgspec.json.encode(fields))
    (folder / "token.txt").write_text("the-token\n")
    (folder / "template.json").write_text('{"text": "{{ messages | text }}"}')
    (folder / "oauth.json").write_text(
        '{"type": "oauth2", "token_url": "https://id.example/token", "client_id": "hooks",'
        ' "client_secret": "the-secret"}'
    )
    (folder / "hookbundle.toml").write_text('[delivery]\nconnect_timeout = "3s"\n')
    headers = signing.sign("dlv_1", SystemClock().wall_ms() // 1_000, BODY, [SECRET])
    return {
        "whsec_...": SECRET,
        "dlv_...": "dlv_1",
        "1795856989": headers["webhook-timestamp"],
        "v1,...": headers["webhook-signature"],
        "~/.config/fish/completions": str(folder),
        "/var/lib/hookbundle-backups": str(folder / "backups"),
    }


@pytest.mark.parametrize(("path", "example"), RUN, ids=[example for _, example in RUN])
async def test_an_example_does_what_it_says(scene: Scene, path: str, example: str) -> None:
    backup, data = str(scene.folder / "backups" / "monday"), str(scene.folder / "stopped")
    (scene.folder / "backups").mkdir()
    if path in ("restore", "check", "compact"):
        assert (await scene.program("backup", backup)).code == 0
        if path != "restore":
            assert (await scene.program("restore", backup, "--data", data)).code == 0
        example = example.replace("/var/lib/hookbundle-backups/monday", backup)
        example = example.replace("/var/lib/hookbundle", data)

    if path == "deliveries resend":
        example = example.replace(DELIVERY, scene.delivered)

    if path in ("deliveries replays", "deliveries cancel-replay"):
        assert (await scene.run("hookbundle workspace disable acme --yes")).code == 0
        assert (await scene.run("hookbundle deliveries replay acme --yes")).code == 0

    ran = await scene.run(example)

    assert ran.code == 0, (example, ran)


@pytest.mark.parametrize(("path", "example"), ALL, ids=[example for _, example in ALL])
def test_an_example_is_a_command_with_options_that_there_are(path: str, example: str) -> None:
    words = shlex.split(example.partition("  #")[0].replace("$(", "").replace(")", ""))
    words = shlex.split(" ".join(words[1:])) if words[0] == "eval" else words
    words = words[words.index("hookbundle") + 1 :]
    ends = [place for place, word in enumerate(words) if word in ("|", ">", "<")]
    words = words[: ends[0]] if ends else words

    names = []
    group: click.Command = main
    context = main.make_context("hookbundle", list(words))
    while isinstance(group, click.Group):
        rest = [*context._protected_args, *context.args]
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        names.append(str(name))
        if isinstance(command, click.Group):
            context = command.make_context(name, rest, parent=context)
        else:  # the files of the arguments are not there
            command.make_parser(context).parse_args(args=rest)
        group = command

    assert " ".join(names).startswith(path)
