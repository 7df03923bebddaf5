"""`source ...`: the address that is shown once, what comes by it, another one, and its end."""

import asyncio
import os
import signal

import pytest

from hookbundle.tests.daemon.commands.sources.scene import Scene
from hookbundle.tests.program import PROGRAM, TIMEOUT_S
from hookbundle.tests.server.http.resources.sources.posting import waha


async def test_the_address_is_all_of_stdout_and_what_to_do_next_is_said(scene: Scene) -> None:
    ran = await scene("add", "meta", "--name", "sales")

    address = ran.out.removesuffix("\n")
    assert address.startswith("/v1/sources/src_")
    assert "docs/sources/meta.md" in ran.err
    assert "with console.url set" in ran.err
    assert f"hookbundle source requests {scene.ws} meta-1 --follow" in ran.err
    assert "set app_secret or header if" in ran.err
    assert "Before it belongs https://" in ran.err
    assert await scene.post(address, {"object": "whatsapp_business_account", "entry": []}) == 200
    told = await scene("show", "meta-1")
    assert address.rpartition("/")[2] not in told.out + told.err
    assert ["name", "sales"] in told.rows


@pytest.mark.parametrize("action", ["add acme waha", "rotate-token acme waha-1"])
async def test_an_address_that_nobody_has_read_is_a_failure(scene: Scene, action: str) -> None:
    await scene.added("waha")
    command = f"set -o pipefail; {PROGRAM} source {action.replace('acme', scene.ws)} | true"

    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", command), env=scene.program.env, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(TIMEOUT_S):
        _, err = await process.communicate()

    assert process.returncode == 1
    assert b"nobody has read the output. " in err


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
