"""`webhook set --window`: a rule on the command line, and what is said of one that is wrong."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.in_process import Api, connected, receiving
from hookbundle.tests.program import Program

NUMBERS = count(1)


@pytest.fixture
async def ws(program: Program) -> str:
    async with receiving() as receiver, connected(program.socket_path) as session:
        name = f"windows{next(NUMBERS)}"
        await Api(session).make(name, receiver, aggregation="1h")
        return name


async def shown(program: Program, ws: str) -> tuple[str, Any]:
    document = (await program("webhook", "show", ws, "outbound", "--json")).document
    return document["aggregation"], document["window"]


async def change(program: Program, ws: str, *options: str) -> Any:
    return await program("webhook", "set", ws, "outbound", *options, "--yes")


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ('{"quiet": "10m", "max": "6h"}', ("custom", {"quiet": "10m", "max": "6h"})),
        ('{"every": "6h"}', ("6h", {"every": "6h"})),
        ("6h", ("6h", {"every": "6h"})),
        ("none", ("none", "none")),
    ],
)
async def test_a_rule_is_set(
    program: Program, ws: str, written: str, wanted: tuple[str, Any]
) -> None:
    ran = await change(program, ws, "--window", written)

    assert ran.code == 0, ran
    assert await shown(program, ws) == wanted


async def test_a_rule_is_read_back_as_a_sentence(program: Program, ws: str) -> None:
    await change(program, ws, "--window", '{"quiet": "10m", "max": "6h", "first": "now"}')

    showed = (await program("webhook", "show", ws, "outbound")).out
    listed = (await program("webhook", "list", ws, "--no-header")).out

    said = (
        "When the conversation has been quiet for 10 minutes, at the latest after 6 hours; "
        "the first message after a silence leaves at once"
    )
    assert f"rule\t{said}\n" in showed
    assert listed.rstrip("\n").endswith(f"\t{said}")


async def test_a_rule_is_read_from_a_file(program: Program, ws: str, tmp_path: Path) -> None:
    file = tmp_path / "window.json"
    file.write_text('{"at": ["18:00"], "days": "mon-fri"}', encoding="utf-8")

    await change(program, ws, "--window", f"@{file}")

    assert await shown(program, ws) == ("custom", {"at": ["18:00"], "days": "mon-fri"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--window", '{"quiet": "10m", "max": "5m"}'), "window.max: must be 10m or longer"),
        (("--window", '{"quiet"'), "this is no window in JSON"),
        (("--window", "6h", "--aggregation", "1h"), "give --window or --aggregation, not both"),
    ],
)
async def test_a_wrong_one_changes_nothing_and_is_told_what_would_be_right(
    program: Program, ws: str, options: tuple[str, ...], said: str
) -> None:
    ran = await change(program, ws, *options)

    assert ran.code != 0
    assert said in ran.err
    assert await shown(program, ws) == ("1h", {"every": "1h"})
