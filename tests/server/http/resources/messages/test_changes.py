"""Edits, deletions and closes, posted where messages are."""

from pathlib import Path
from typing import Any

from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.in_process import System, daemon_in, event, receiving

MESSAGES = "/v1/workspaces/acme/messages"


def of_chat(**change: Any) -> dict[str, Any]:
    return {"chat": {"chat_id": event("m")["chat"]["chat_id"]}, **change}


def edit(message_id: str, text: str) -> dict[str, Any]:
    return of_chat(edit={"message_id": message_id, "text": text})


async def answer(system: System, *several: dict[str, Any]) -> dict[str, Any]:
    found = await system.ask("POST", MESSAGES, list(several))
    assert found.status == 202, found.document
    return dict(found.document)


async def test_changes_among_messages_are_made_in_their_order(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        taken = await answer(
            system,
            event("m1"),
            edit("m1", "edited"),
            event("m2"),
            of_chat(delete={"message_id": "m2"}),
            edit("m3", "came first"),
            event("m3"),
            of_chat(close={"reason": "solved"}),
            edit("m1", "too late"),
        )

        assert taken == {
            "accepted": 3,
            "duplicate": 0,
            "skipped": [],
            "edited": 1,
            "deleted": 1,
            "late": 1,
            "waiting": 1,
            "closed": 1,
        }
        (post,) = await receiver.until(1)
        assert [each["text"] for each in post.document["messages"]] == ["edited", "came first"]
        chat_id = of_chat()["chat"]["chat_id"]
        path = await system.get(f"/v1/workspaces/acme/messages/m1?chat={chat_id}")
        assert {each["code"] for each in path["came"]} == {"edited", "late_edit"}
        removed = await system.get(f"/v1/workspaces/acme/messages/m2?chat={chat_id}")
        assert removed["became"]["what"] == "removed"


async def test_two_changes_in_one_object_are_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        both = {**event("m2"), "edit": {"message_id": "m1", "text": "x"}}

        refused = await system.ask("POST", MESSAGES, [event("m1"), both])

        assert refused.status == 422
        (fault,) = refused.document["errors"]
        assert (fault["path"], fault["code"]) == ("[1]", "several_kinds")
        assert (await system.get("/v1/status"))["totals"]["accepted"] == 0


async def test_a_chat_is_closed_with_a_reason(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await answer(system, event("m1"))
        chat_id = of_chat()["chat"]["chat_id"]
        close = f"/v1/workspaces/acme/chats/{chat_id}/close"

        closed = await system.ask("POST", close, {"reason": "solved"})
        again = await system.ask("POST", close, {"reason": "solved"})
        long = await system.ask("POST", close, {"reason": "x" * 201})

        assert (closed.status, closed.document["sealed"]) == (200, 1)
        assert again.status == 404
        assert (long.status, long.document["errors"][0]["path"]) == (422, "reason")
        await receiver.until(1)
        deliveries = await system.get(f"/v1/workspaces/acme/deliveries?chat={chat_id}")
        assert [each["reason"] for each in deliveries["deliveries"]] == ["close"]


async def test_an_edit_to_a_longer_text_keeps_to_the_daemons_quota(tmp_path: Path) -> None:
    quota = Quota(waiting_bytes_max=2_000)
    async with receiving() as receiver, daemon_in(tmp_path, quota=quota) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.accept("acme", event("m1"))

        first = await answer(system, edit("m1", "x" * 2_000))
        second = await answer(system, edit("m1", "x" * 3_000))

        assert (first.get("edited"), first.get("late")) == (1, None)
        assert (second.get("edited"), second.get("late")) == (None, 1)
        (post,) = await receiver.until(1)
        assert [len(each["text"]) for each in post.document["messages"]] == [2_000]
