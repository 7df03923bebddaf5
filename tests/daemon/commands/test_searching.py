"""Commands that find deliveries, and ids that complete, against a real daemon."""

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest

from hookbundle.tests.in_process import Api, connected, event, facts_of, receiving
from hookbundle.tests.program import Program

NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """Ids of three deliveries: one was delivered, one is a dead letter, one is queued."""

    ws: str
    ids: list[str]


@pytest.fixture
async def scene(program: Program) -> AsyncIterator[Scene]:
    async with receiving() as receiver, connected(program.socket_path) as session:
        api, ws = Api(session), f"found{next(NUMBERS)}"
        await api.make(ws, receiver, aggregation="none")
        async with facts_of(program.socket_path) as facts:
            receiver.answers(200)
            await api.accept(ws, event("m1", "a"))
            await facts.until("delivery.delivered", workspace=ws)
            receiver.answers(404)
            await api.accept(ws, event("m2", "b"))
            await facts.until("delivery.dead_lettered", workspace=ws)
            await api.switch(ws, "disable")
            await api.accept(ws, event("m3", "a"))
            sealed = await facts.until("delivery.sealed", 3, workspace=ws)
        yield Scene(ws, [fact["data"]["delivery"] for fact in sealed])


async def test_windows_are_listed_by_due_time_and_by_what_somebody_has_of_a_chat(
    program: Program,
) -> None:
    async with receiving() as receiver, connected(program.socket_path) as session:
        api, ws = Api(session), f"found{next(NUMBERS)}"
        await api.make(ws, receiver)
        for chat, hours in (("c", "1h"), ("a", "6h"), ("b", "12h")):
            hook = {"webhook": {"aggregation": hours}}
            await api.ask("PATCH", f"/v1/workspaces/{ws}", hook)
            await api.accept(ws, event(f"w-{chat}", chat))

        for options, wanted in {
            (): ["a", "b", "c"],
            ("--order", "chat"): ["a", "b", "c"],
            ("--order", "due"): ["c", "a", "b"],
            ("--q", "JOHN"): ["c", "a", "b"],
            ("--q", "+972 54 000 000", "--limit", "2"): ["c", "a"],
            ("--q", "nobody"): [],
        }.items():
            ran = await program("chats", "list", ws, *options, "--json")
            assert [each["chat_id"] for each in ran.document] == wanted, options

        for options in (("--order", "due"), ("--q", "john")):
            refused = await program("chats", "list", *options)
            assert (refused.code, "workspace WS" in refused.err) == (2, True)
        assert (await program("chats", "list", ws, "--order", "size")).code == 2


async def test_the_feed_knows_of_a_queued_delivery_that_it_was_a_dead_letter_and_was_retried(
    program: Program, scene: Scene
) -> None:
    """docs/why-missing.md leads there; the delivery itself does not say it."""
    _, dead, _ = scene.ids
    assert (await program("deliveries", "retry", dead, "--yes")).code == 0

    shown = (await program("deliveries", "show", dead, "--json")).document
    kinds = ("--type", "delivery.dead_lettered", "--type", "delivery.retried")
    about = ("--workspace", scene.ws, "--chat", "b", "--since", "oldest", "--no-follow")
    told = await program("tail", *about, *kinds)

    assert (shown["state"], shown["rejections"], shown["dead_letter_reason"]) == ("queued", 0, None)
    assert [line.split()[2] for line in told.out.splitlines()] == [kinds[1], kinds[3]]
    assert all(f"delivery={dead}" in line for line in told.out.splitlines())


async def test_what_waits_is_listed_in_its_order_and_with_a_filter_all_newest_first(
    program: Program, scene: Scene
) -> None:
    first, second, third = scene.ids

    for options, wanted in {
        (): [second, third],
        ("--since", "-1h"): [third, second, first],
        ("--chat", "a"): [third, first],
        ("--chat", "a", "--state", "delivered"): [first],
        ("--chat", "a", "--message", "m3"): [third],
        ("--chat", "a", "--message", "m2"): [],
        ("--state", "queued", "--state", "dead-letter"): [third, second],
        ("--phone", "+972 54 000 000"): [third, second, first],
        ("--q", "JOHN", "--status", "4xx"): [second],
        ("--until", "-1h"): [],
        ("--webhook", "outbound", "--limit", "1"): [third],
    }.items():
        ran = await program("deliveries", "list", scene.ws, *options, "--json")
        assert (ran.code, [each["id"] for each in ran.document]) == (0, wanted), options
    assert (await program("deliveries", "list", scene.ws, "--webhook", "second")).code == 5
    assert (await program("deliveries", "list", scene.ws, "--since", "later")).code == 2
    alone = await program("deliveries", "list", scene.ws, "--message", "m3")
    assert (alone.code, "unique within its chat" in alone.err) == (2, True)


async def test_the_history_of_a_phone_has_chats_that_only_collect(program: Program) -> None:
    async with receiving() as receiver, connected(program.socket_path) as session:
        api, ws = Api(session), f"found{next(NUMBERS)}"
        await api.make(ws, receiver, aggregation="6h")
        await api.accept(ws, event("m1", "a"))

    found = await program("chats", "history", ws, "--phone", "0097254 000-000", "--json")
    part = await program("chats", "history", ws, "--phone", "97254000")

    assert [row["became"]["what"] for row in found.document] == ["collecting"]
    assert len(part.rows) == 1  # the header
    assert "no delivery to 97254000, and no open window of it" in part.err
    assert "everything was skipped" in part.err


async def test_a_filter_without_a_workspace_is_for_all_of_them(
    program: Program, scene: Scene
) -> None:
    ran = await program("deliveries", "list", "--state", "delivered", "--json")

    assert scene.ids[0] in [each["id"] for each in ran.document]


async def test_a_delivery_is_shown_with_its_attempts(program: Program, scene: Scene) -> None:
    shown = await program("deliveries", "show", scene.ids[1])
    as_json = await program("deliveries", "show", scene.ids[1], "--json")

    outcomes = [row[2:4] for row in shown.rows if len(row) == 6 and row[0].isdigit()]
    assert outcomes == [["404", "rejected"]] * 3
    assert [each["status"] for each in as_json.document["history"]] == [404] * 3


async def test_the_logs_and_the_list_of_workspaces_take_filters(
    program: Program, scene: Scene
) -> None:
    log = await program("log", scene.ws, "--chat", "b", "--status", "404", "--since", "-1h")
    none = await program("log", scene.ws, "--status", "none")
    activity = await program("activity", scene.ws, "--webhook", "outbound", "--json")
    found = await program("workspace", "list", "--q", scene.ws.upper(), "--state", "disabled")

    assert [each["chat_id"] for each in log.document] == ["b"] * 3
    assert none.document == []
    assert scene.ids[0] in [each["delivery_id"] for each in activity.document]
    assert [row[0] for row in found.rows[1:]] == [scene.ws]


async def completed(program: Program, *words: str) -> list[str]:
    """What a shell is offered in the place of the last word."""
    variables = {
        "_HOOKBUNDLE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(("hookbundle", *words)),
        "COMP_CWORD": str(len(words)),
    }
    ran = await program(env=variables)
    return [line.rpartition(",")[2] for line in ran.out.splitlines() if line]


async def test_ids_complete(program: Program, scene: Scene) -> None:
    assert scene.ws in await completed(program, "workspace", "show", "fou")
    assert set(await completed(program, "deliveries", "show", "dlv_")) >= set(scene.ids)
    assert await completed(program, "deliveries", "list", scene.ws, "--chat", "") == ["a", "b"]
    assert await completed(program, "activity", scene.ws, "--webhook", "o") == ["outbound"]


async def test_without_a_daemon_nothing_completes(program: Program) -> None:
    nowhere = Program({**program.env, "HOOKBUNDLE_SOCKET": os.devnull})

    assert await completed(nowhere, "workspace", "show", "") == []
