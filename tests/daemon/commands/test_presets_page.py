"""The commands of docs/presets.md, run as they stand; only the workspace has the test's name.

No receiver is called: the URLs are those of the page, and nothing is sent.
"""

import asyncio
import os
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.crm.test_documents import DOCUMENT, SETTINGS, section, set_by_curl
from hookbundle.tests.in_process import Api, connected
from hookbundle.tests.program import PROGRAM, TIMEOUT_S, Program

NUMBERS = count(1)
TOKEN = "t0ken-of-the-file"
NOTHING = {"auth": {"type": "none"}}
# Of a webhook's document, what only this one has.
OWN = {"id", "secret", "created_at", "version", "pace"}


async def typed(program: Program, folder: Path, command: str) -> str:
    """What the command says; it must not have failed."""
    env = {**program.env, "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", command),
        cwd=folder,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(TIMEOUT_S):
        out, err = await process.communicate()
    assert process.returncode == 0, (command, out, err)
    return (out + err).decode()


def command_in(text: str) -> str:
    (found,) = re.findall(r"^    (hookbundle webhook set (?:.*\\\n)*.*\n)", text, re.MULTILINE)
    return str(found)


async def of(api: Api, ws: str, id: str) -> dict[str, Any]:
    document = await api.get(f"/v1/workspaces/{ws}/webhooks/{id}")
    return {name: value for name, value in document.items() if name not in OWN}


async def made(api: Api) -> str:
    ws = f"presets{next(NUMBERS)}"
    answer = await api.ask(
        "PUT", f"/v1/workspaces/{ws}", {"name": ws, "owner_email": f"owner@{ws}.example"}
    )
    assert answer.status == 201, answer
    return ws


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.preset)
async def test_the_command_makes_the_webhook_that_the_request_makes(
    program: Program, setting: Any, tmp_path: Path
) -> None:
    text = section(setting)
    (tmp_path / "token.txt").write_text(f"{TOKEN}\n")
    for written in re.findall(r"`oauth\.json`:\n\n((?:    .*\n)+)", text):
        (tmp_path / "oauth.json").write_text(written)
    async with connected(program.socket_path) as session:
        api = Api(session)
        one, other = await made(api), await made(api)
        wanted = set_by_curl(text)

        by_request = await api.ask("POST", f"/v1/workspaces/{one}/webhooks", wanted)
        said = await typed(
            program, tmp_path, command_in(text).replace("set acme ", f"set {other} ")
        )

        assert by_request.status == 201, by_request
        found = await of(api, other, wanted["id"])
        assert found == await of(api, one, wanted["id"])
    assert found["request"]["auth"]["type"] == wanted.get("request", NOTHING)["auth"]["type"]
    assert TOKEN not in said


async def test_what_is_tried_before_is_a_command_as_well(program: Program, tmp_path: Path) -> None:
    text = DOCUMENT.read_text()
    (tried,) = re.findall(r"`(hookbundle webhook format-test .*?)`", text)
    async with connected(program.socket_path) as session:
        api = Api(session)
        ws = await made(api)
        hook = {"id": "crm", "url": "https://crm.example/in", "aggregation": "1h"}
        assert (await api.ask("POST", f"/v1/workspaces/{ws}/webhooks", hook)).status == 201

        said = await typed(program, tmp_path, tried.replace("acme", ws))

    assert "hs_note_body" in said
