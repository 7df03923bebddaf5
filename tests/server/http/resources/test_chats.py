"""Open windows over the API: listed page by page, shown as they would be sent, sealed on demand."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotFound
from hookbundle.storage.reads.chats.preview import Preview
from hookbundle.storage.reads.lookup import Reads
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event

CHATS = "/v1/workspaces/acme/chats"
STRANGE = (
    "a/b",
    "50%",
    "%2F",
    "{x}",
    "a b?c#d",
    ".",
    "..",
    "ä😀",
    "flush",
    "line\nfeed",
    "\0",
    "+",
)


@pytest.fixture
async def system(tmp_path: Path, receiver: HookReceiver) -> AsyncIterator[System]:
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        yield system


def address(chat_id: str, *more: str) -> URL:
    quoted = quote(chat_id, safe="").replace(".", "%2E")
    return URL("http://hookbundle" + "/".join([CHATS, quoted, *more]), encoded=True)


async def listed(system: System, path: str, **query: str | int) -> list[str]:
    """The chat ids of all pages."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        url = str(URL(path).with_query({**query, "cursor": cursor}))
        page = await system.get(url)
        found += [chat["chat_id"] for chat in page["chats"]]
        cursor = page["cursor"]
    return found


async def status_of(system: System, method: str, path: str) -> int:
    return (await system.ask(method, path)).status


async def test_an_open_window_is_listed_with_its_times_and_its_number_of_messages(
    system: System,
) -> None:
    await system.accept("acme", event("m1", "c1"), event("m2", "c1"))

    (chat,) = (await system.get(CHATS))["chats"]

    assert (chat["workspace"], chat["chat_id"], chat["messages"]) == ("acme", "c1", 2)
    assert chat["opened_at"] < chat["due_at"]
    assert "body" not in chat


async def test_chats_without_an_open_window_are_not_listed(system: System) -> None:
    await system.accept("acme", event("m1", "c1"), event("m2", "c2"))
    await system.ask("POST", f"{CHATS}/c1/flush")

    assert await listed(system, CHATS) == ["c2"]


@pytest.mark.parametrize("limit", [1, 2, 5])
async def test_pages_of_windows_miss_nothing_and_repeat_nothing(system: System, limit: int) -> None:
    await system.accept("acme", *(event(f"m{n}", f"c{n}") for n in range(5)))

    assert await listed(system, CHATS, limit=limit) == [f"c{n}" for n in range(5)]
    assert sorted(await listed(system, "/v1/chats", limit=limit)) == [f"c{n}" for n in range(5)]


async def test_windows_that_fall_due_later_are_left_out_on_demand(
    system: System, receiver: HookReceiver
) -> None:
    await system.make("slow", receiver, "slow", aggregation="6h")
    await system.accept("slow", event("m1", "late"))
    system.clock.move(HOUR_MS // 2)
    await system.accept("acme", event("m2", "soon"))

    assert await listed(system, "/v1/chats") == ["soon", "late"]
    assert await listed(system, "/v1/chats", due_within="2h") == ["soon"]
    assert await listed(system, CHATS, due_within="59m") == []
    assert await listed(system, CHATS, due_within="60m") == ["soon"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "due_within=soon", "cursor=%2A", "cursor=A"]
)
async def test_a_list_is_not_asked_for_in_words_it_does_not_know(
    system: System, query: str
) -> None:
    assert await status_of(system, "GET", f"{CHATS}?{query}") == 422
    assert await status_of(system, "GET", f"/v1/chats?{query}") == 422


async def test_a_preview_is_what_is_sent_afterwards(system: System, receiver: HookReceiver) -> None:
    await system.accept("acme", event("m1", "c1"), event("m2", "c1", text="<b>\n'\"&"))

    shown = await system.get(f"{CHATS}/c1")
    flushed = await system.ask("POST", f"{CHATS}/c1/flush")

    (post,) = await receiver.until(1)
    assert flushed.document == {"sealed": 1, "messages": 2, "cursor": None}
    assert shown["body"].encode() == post.body
    assert post.message_ids == ["m1", "m2"]


async def test_the_previews_of_a_workspace_take_one_thread(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, release = 0, 0, threading.Event()

    def preview(reads: Reads, workspace_id: str, chat: str, name: str, webhook: str) -> Preview:
        nonlocal at_once, most
        at_once, most = at_once + 1, max(most, at_once + 1)
        if workspace_id == "acme":
            assert release.wait(20)
        at_once -= 1
        raise NotFound.of(Code.NO_WINDOW, chat="c1", workspace="acme")

    monkeypatch.setattr(Reads, "preview", preview)
    greedy = [
        asyncio.create_task(system.ask("GET", "/v1/workspaces/acme/chats/c1")) for _ in range(40)
    ]
    modest = await system.ask("GET", "/v1/workspaces/other/chats/c1")
    release.set()
    answers = await asyncio.gather(*greedy)

    assert {answer.status for answer in (modest, *answers)} == {404}
    assert most <= 2


@pytest.mark.parametrize("chat_id", STRANGE)
async def test_a_chat_id_may_hold_any_character(
    system: System, receiver: HookReceiver, chat_id: str
) -> None:
    await system.accept("acme", event("m1", chat_id))

    async with system.session.get(address(chat_id)) as got:
        shown: Any = await got.json()
    async with system.session.post(address(chat_id, "flush")) as got:
        flushed: Any = await got.json()

    (post,) = await receiver.until(1)
    assert (shown["chat_id"], flushed["sealed"]) == (chat_id, 1)
    assert post.document["chat"]["chat_id"] == chat_id


async def test_what_has_no_open_window_is_neither_shown_nor_sealed(system: System) -> None:
    for chat in ("nobody", "c" * 300, "ä" * 150, "%FF"):
        assert await status_of(system, "GET", f"{CHATS}/{chat}") == 404
        assert await status_of(system, "POST", f"{CHATS}/{chat}/flush") == 404


@pytest.mark.parametrize("ws", ["nobody", "w" * 600])
async def test_a_workspace_that_is_not_there_has_no_windows(system: System, ws: str) -> None:
    chats = f"/v1/workspaces/{ws}/chats"

    for method, path in (
        ("GET", chats),
        ("GET", f"{chats}/c1"),
        ("POST", f"{chats}/c1/flush"),
        ("POST", f"{chats}/flush"),
    ):
        assert await status_of(system, method, path) == 404


async def test_all_windows_of_a_workspace_are_sealed_and_no_other_ones(
    system: System, receiver: HookReceiver
) -> None:
    await system.make("other", receiver, "other", aggregation="1h")
    await system.accept("other", event("m0", "c0"))
    await system.accept("acme", *(event(f"m{n}", f"c{n % 450}") for n in range(900)))

    flushed = await system.ask("POST", f"{CHATS}/flush")

    assert flushed.document == {"sealed": 450, "messages": 900, "cursor": None}
    assert (await system.show("acme"))["counts"]["windows"] == 0
    assert (await system.show("other"))["counts"]["windows"] == 1
    assert len(await receiver.until(450, "hook")) == 450


async def test_windows_are_sealed_a_page_at_a_time_on_demand(system: System) -> None:
    await system.accept("acme", *(event(f"m{n}", f"c{n}") for n in range(5)))

    first = (await system.ask("POST", f"{CHATS}/flush?limit=3")).document
    second = (await system.ask("POST", f"{CHATS}/flush?limit=3&cursor={first['cursor']}")).document

    assert (first["sealed"], second["sealed"], second["cursor"]) == (3, 2, None)


async def test_a_window_is_sealed_with_all_that_was_accepted_before(
    system: System, receiver: HookReceiver
) -> None:
    for n in range(20):
        await system.accept("acme", event(f"m{n}", "c1"))

    await system.ask("POST", f"{CHATS}/c1/flush")
    await system.accept("acme", event("late", "c1"))

    (post,) = await receiver.until(1)
    assert post.message_ids == [f"m{n}" for n in range(20)]
    assert (await system.get(f"{CHATS}/c1"))["messages"] == 1


async def test_a_window_of_a_disabled_webhook_is_sealed_and_held(
    system: System, receiver: HookReceiver
) -> None:
    await system.switch("acme", "disable")
    await system.accept("acme", event("m1", "c1"))

    await system.ask("POST", f"{CHATS}/c1/flush")

    assert (await system.show())["counts"]["queued"] == 1
    assert not receiver.posts


async def test_windows_in_due_order_have_names_and_are_searched(system: System) -> None:
    for number, chat in enumerate(("c2", "c1", "c3")):
        await system.accept("acme", event(f"m{number}", chat))
        system.clock.move(1_000)

    by_id, by_due = await system.get(CHATS), await system.get(f"{CHATS}?order=due&limit=2")
    rest = await system.get(f"{CHATS}?order=due&limit=2&cursor={by_due['cursor']}")
    found = await system.get(f"{CHATS}?q=JOHN&due_within=2h")
    nobody = await system.get(f"{CHATS}?q=nobody")

    assert [window["chat_id"] for window in by_id["chats"]] == ["c1", "c2", "c3"]
    pages = by_due["chats"] + rest["chats"]
    assert [window["chat_id"] for window in pages] == ["c2", "c1", "c3"]
    assert {window["chat_name"] for window in found["chats"]} == {"John Doe"}
    assert (len(found["chats"]), nobody["chats"], rest["cursor"]) == (3, [], None)
    refused = await system.ask("GET", f"{CHATS}?order=soon")
    assert refused.status == 422
    assert refused.document["errors"][0]["code"] == "not_one_of"
