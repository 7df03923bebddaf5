"""`webhook set --limits`, and what commands show of a webhook that is full."""

from itertools import count
from pathlib import Path

import msgspec
import pytest

from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import Program, serving

NUMBERS = count(1)
ASKED = ("--url", "http://127.0.0.1:7779/crm", "--yes")


@pytest.fixture
async def ws(program: Program) -> str:
    async with receiving() as receiver, connected(program.socket_path) as session:
        name = f"limits{next(NUMBERS)}"
        await Api(session).make(name, receiver, aggregation="none")
        return name


async def limits_of(program: Program, ws: str) -> tuple[int, int]:
    shown = (await program("webhook", "show", ws, "crm", "--json")).document["limits"]
    return shown["messages"], shown["bytes"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("messages=500,bytes=256KiB", (500, 262_144)),
        ("bytes=300KB", (1_000, 300_000)),
        ("bytes=4096", (1_000, 4_096)),
        (" messages=1 , bytes=1MiB", (1, 1_048_576)),
    ],
)
async def test_limits_are_set_when_it_is_made(
    program: Program, ws: str, written: str, wanted: tuple[int, int]
) -> None:
    ran = await program("webhook", "set", ws, "crm", *ASKED, "--limits", written)

    assert ran.code == 0, ran
    assert await limits_of(program, ws) == wanted


async def test_one_that_is_not_named_stays_and_default_takes_both_back(
    program: Program, ws: str
) -> None:
    await program("webhook", "set", ws, "crm", *ASKED, "--limits", "messages=5,bytes=9KiB")
    await program("webhook", "set", ws, "crm", "--limits", "bytes=8KiB", "--yes")
    changed = await limits_of(program, ws)
    await program("webhook", "set", ws, "crm", "--limits", "default", "--yes")

    assert changed == (5, 8_192)
    assert await limits_of(program, ws) == (1_000, 2**20)


@pytest.mark.parametrize(
    ("written", "code", "said"),
    [
        ("500", 2, "write messages=500,bytes=256KiB"),
        ("messages=5KiB", 2, "write messages=500,bytes=256KiB"),
        ("mesages=5", 2, "'mesages=5' is no limit"),
        ("messages=5,messages=6", 2, "'messages=6' is no limit"),
        ("bytes=-1", 2, "'bytes=-1' is no limit"),
        ("messages=0", 2, "limits.messages: must be 1 or more; is 0"),
        ("bytes=2MiB", 2, "limits.bytes: must be at most 1048576; is 2097152"),
    ],
)
async def test_what_is_no_limit_is_refused_with_what_would_be_right(
    program: Program, ws: str, written: str, code: int, said: str
) -> None:
    ran = await program("webhook", "set", ws, "crm", *ASKED, "--limits", written)

    assert said in ran.err
    assert ran.code in (code, 1)
    assert (await program("webhook", "show", ws, "crm")).code == 5


async def test_lists_say_who_is_full_and_send_says_how_much_did_not_get_in(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, QUOTA__MESSAGES="1") as program:
        async with receiving() as receiver, connected(program.socket_path) as session:
            api = Api(session)
            await api.make("acme", receiver, aggregation="none")
            crm = {"id": "crm", "url": receiver.url(), "enabled": False}
            await api.ask("POST", "/v1/workspaces/acme/webhooks", crm)
            await api.accept("acme", event("m1"))
            sent = await program("send", "acme", given=msgspec.json.encode(event("m2")))
            listed = await program("webhook", "list", "acme")
            shown = (await program("workspace", "show", "acme", "--json")).document

    assert "1 message did not get into a webhook that is full" in sent.err
    header, outbound, full = listed.rows
    assert [row[header.index("full")] for row in (outbound, full)] == ["no", "yes"]
    assert [each["full"] for each in shown["webhooks"]] == [False, True]
    assert shown["counts"]["overflowed"] == 1
