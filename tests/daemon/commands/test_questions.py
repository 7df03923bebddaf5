"""Commands say what they would come to, with the count, and ask; scripts are not held up by it."""

from collections.abc import Iterator

import msgspec
import pytest

from hookbundle.tests.in_process import event
from hookbundle.tests.program import Program, serving

NOWHERE = "http://127.0.0.1:65001/"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with serving(tmp_path_factory.mktemp("daemon")) as program:
        yield program


async def collecting(program: Program, ws: str, *chats: str) -> None:
    """The workspace collects two messages of each chat."""
    made = await program("workspace", "set", ws, "--url", NOWHERE, "--aggregation", "6h", "--json")
    assert made.code == 0, made
    await send(program, ws, *chats)


async def send(program: Program, ws: str, *chats: str) -> None:
    events = [event(f"{chat}{n}", chat) for chat in chats for n in range(2)]
    sent = await program("send", ws, given=msgspec.json.encode(events))
    assert sent.code == 0, sent


async def test_discarding_counts_what_waits_and_not_what_still_collects(program: Program) -> None:
    await collecting(program, "held", "a", "b", "c")
    await program("workspace", "disable", "held")
    await program("chats", "flush", "held", "--yes")
    await send(program, "held", "d")

    no = await program("workspace", "enable", "held", "--discard", given=b"n\n")
    yes = await program.asked("workspace", "enable", "held", "--discard", "--json", answer="y")

    assert "6 messages of 3 chats will never be sent." in no.err
    assert no.code == 1
    assert yes.document["discarded_messages"] == 6


@pytest.mark.parametrize(
    ("arguments", "question"),
    [
        (("disable", "asked"), "Nothing is sent until it is enabled; 0 deliveries and new"),
        (("rotate-secret", "asked", "--keep", "1h"), "the old one expires after 1h."),
        (("rotate-secret", "asked", "--keep", "0s"), "the old one expires at once."),
        (("set", "asked", "--aggregation", "none"), "2 open windows closed now, which is 2 req"),
        (("set", "asked", "--aggregation", "1h"), "Up to 2 open windows closed now"),
    ],
)
async def test_on_a_terminal_it_is_asked_and_no_means_no(
    program: Program, arguments: tuple[str, ...], question: str
) -> None:
    await collecting(program, "asked", "a", "b")
    before = await program("workspace", "show", "asked", "--json")

    refused = await program.asked("workspace", *arguments, answer="n")

    assert question in refused.err
    assert refused.code == 1
    after = await program("workspace", "show", "asked", "--json")
    assert after.document == before.document


async def test_another_url_tells_of_what_waits_for_it(program: Program) -> None:
    await collecting(program, "moved", "a", "b")
    await program("workspace", "disable", "moved")
    await program("chats", "flush", "moved", "--yes")

    refused = await program.asked("workspace", "set", "moved", "--url", f"{NOWHERE}x", answer="")

    assert "2 deliveries that wait, dead letters included, go to the new URL." in refused.err
    assert refused.code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("set", "fine", "--name", "Fine"),
        ("set", "fine", "--aggregation", "12h"),
        ("set", "fine", "--url", f"{NOWHERE}other"),
        ("set", "fresh", "--url", NOWHERE),
        ("disable", "fine", "--yes"),
        ("rotate-secret", "fine", "--yes"),
    ],
)
async def test_where_nothing_comes_of_it_nothing_is_asked(
    program: Program, arguments: tuple[str, ...]
) -> None:
    await collecting(program, "fine", "a")

    done = await program.asked("workspace", *arguments, answer="n")

    assert done.code == 0, done
    assert "[y/N]" not in done.err


async def test_a_script_is_not_asked_what_can_be_undone(program: Program) -> None:
    await collecting(program, "script", "a")

    ran = [
        await program("workspace", "set", "script", "--aggregation", "none", "--json"),
        await program("workspace", "rotate-secret", "script"),
        await program("deliveries", "retry", "--all-dead-letters", "script"),
        await program("workspace", "disable", "script"),
    ]

    assert [(each.code, "[y/N]" in each.err) for each in ran] == [(0, False)] * 4
