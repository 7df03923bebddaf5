"""`webhook simulate`, and the meter of `webhook show`, against a daemon."""

from itertools import count
from pathlib import Path

import pytest

from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.program import Program

NUMBERS = count(1)


async def made(program: Program, messages: int = 30) -> str:
    """A workspace with windows of an hour that has got messages of three chats."""
    ws = f"simulated{next(NUMBERS)}"
    async with connected(program.socket_path) as session:
        api = Api(session)
        await api.ask("PUT", f"/v1/workspaces/{ws}", {"webhook": {"aggregation": "1h"}})
        await api.accept(ws, *(event(f"m{each}", f"c{each % 3}") for each in range(messages)))
    return ws


async def test_a_window_is_tried_in_json_from_a_file_or_as_a_length(
    program: Program, tmp_path: Path
) -> None:
    ws = await made(program)
    file = tmp_path / "window.json"
    file.write_text('{"quiet": "90s"}')
    ask = ("webhook", "simulate", ws, "outbound")

    shown = await program(*ask, "--window", '{"quiet": "65m", "max": "3h"}')
    lengths = [
        await program(*ask, *given, "--json")
        for given in (
            ("--aggregation", "6h"),
            ("--window", "6h", "--days", "10"),
            ("--window", f"@{file}"),
            ("--window", "none"),
        )
    ]

    assert shown.code == 0, shown
    assert shown.out.splitlines() == [
        "window\tcalls\tmedian_delay\tp95_delay\tbiggest",
        "now\t3\t1h\t1h\t10",
        "then\t3\t1h 5m\t1h 5m\t10",
    ]
    assert "30 messages of 3 chats since 20" in shown.err
    assert [each.document["then"]["calls"] for each in lengths] == [3, 3, 3, 30]
    found = [each.document["then"]["median_delay_seconds"] for each in lengths]
    assert found == [21_600, 21_600, 90, 0]


async def test_it_says_what_it_could_not_judge(program: Program) -> None:
    ws = await made(program)
    rules = '{"rules": [{"match": {"labels": "vip"}, "window": "none"}], "else": {"every": "6h"}}'

    ran = await program("webhook", "simulate", ws, "outbound", "--window", rules)

    assert ran.code == 0, ran
    assert "then: without texts and labels no rule was judged, only `else`." in ran.err


async def test_a_webhook_shows_its_messages_and_calls(program: Program) -> None:
    ws = await made(program)
    await program("chats", "flush", ws, "c0", "--yes")

    shown = await program("webhook", "show", ws, "outbound")

    lines = shown.out.splitlines()
    assert {"meter.messages\t10", "meter.calls\t1"} <= set(lines)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (("--window", "{quiet: 10m}"), "no window in JSON"),
        (("--window", '{"quiet": "1m", "quiet": "2m"}'), "given twice"),
        (("--window", "@/nothing/here.json"), "can't be read"),
        (("--window", "1h", "--aggregation", "1h"), "not both"),
    ],
)
async def test_what_is_no_window_is_refused_before_it_is_sent(
    program: Program, given: tuple[str, ...], words: str
) -> None:
    ran = await program("webhook", "simulate", "acme", "outbound", *given)

    assert ran.code == 2
    assert words in ran.err


async def test_the_daemon_names_every_fault_of_a_window(program: Program) -> None:
    ws = await made(program)

    ran = await program(
        "webhook", "simulate", ws, "outbound", "--window", '{"quiet": "10", "mx": 1}', "--days", "0"
    )

    assert ran.code == 2
    for path in ("window.quiet", "window.mx", "days"):
        assert path in ran.err
