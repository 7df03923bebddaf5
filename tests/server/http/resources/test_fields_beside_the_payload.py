"""What intake takes of a chat beside the payload: kept, never sent, and refused with its path."""

from pathlib import Path
from typing import Any

import msgspec

from hookbundle.storage.database import keyspace
from hookbundle.storage.reads.listing import Listing
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving

MESSAGES = "/v1/workspaces/acme/messages"
MORE = {
    "labels": ["VIP", "فاتورة"],
    "refs": {"hubspot_contact": "501"},
    "user_id": "US.13491208655302741918",
    "username": "jane.doe",
    "lid": "24610938453@lid",
}


def knowing(message_id: str, **chat: Any) -> dict[str, Any]:
    """A message of a chat of which so much is known."""
    made = event(message_id)
    return {**made, "chat": {**made["chat"], **chat}}


def held(system: System) -> list[Any]:
    """What is kept beside the queued deliveries."""
    waiting = Listing(system.daemon.partition.env).deliveries("acme", (keyspace.QUEUED,), 10)
    return [
        each.delivery.extra and msgspec.json.decode(each.delivery.extra) for each in waiting.found
    ]


async def test_nothing_of_it_is_sent_with_a_single_message(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await system.make("plain", receiver, "plain")

        await system.accept("acme", knowing("m1", **MORE))
        await receiver.until(1)
        await system.accept("plain", event("m1"))
        with_more, without = await receiver.until(2)

        assert with_more.body == without.body


async def test_nothing_of_it_is_sent_with_a_bundle(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")
        await system.make("plain", receiver, "plain", aggregation="1h")
        chats: tuple[dict[str, Any], ...] = ({"is_new_chat": True}, {"phone": None}, {})

        for number, chat in enumerate(chats):
            await system.accept("acme", knowing(f"m{number}", **MORE, **chat))
            await system.accept("plain", knowing(f"m{number}", **chat))
        system.clock.move(HOUR_MS)
        first, second = await receiver.until(2)

        assert first.body == second.body
        assert list(first.document["chat"]) == list(event("m1")["chat"])


async def test_it_is_kept_with_the_delivery(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, enabled=False)

        await system.accept("acme", knowing("m1", **MORE), knowing("m2"), knowing("m3", lid="x"))

        assert held(system) == [MORE, b"", {"lid": "x"}]


async def test_a_bundle_has_what_its_newest_message_says(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h", enabled=False)
        new = "2021-02-24T16:25:30+0000"

        await system.accept("acme", knowing("m1", labels=["lead"]))
        later = knowing("m2", labels=["customer"])
        await system.accept("acme", {**later, "message": {**later["message"], "timestamp": new}})
        await system.accept("acme", knowing("m3", labels=["too late"]))
        await system.ask("POST", "/v1/workspaces/acme/chats/flush")

        assert held(system) == [{"labels": ["customer"]}]


async def test_every_fault_of_it_is_named_with_its_path_and_nothing_is_stored(
    tmp_path: Path,
) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        wrong = knowing("m2", labels=["a", "", "x" * 101], refs={"A": "1", "b": 5}, lid=[])

        answer = await system.ask("POST", MESSAGES, [knowing("m1", **MORE), wrong])

        assert answer.status == 422
        assert [fault["path"] for fault in answer.document["errors"]] == [
            "[1].chat.labels[1]",
            "[1].chat.labels[2]",
            "[1].chat.refs",
            "[1].chat.refs.b",
            "[1].chat.lid",
        ]
        assert (await system.get("/v1/status"))["totals"]["accepted"] == 0


async def test_the_contract_says_what_may_come_in(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")

    chat = document["components"]["schemas"]["ChatIn"]
    labels, refs = (chat["properties"][name]["anyOf"][0] for name in ("labels", "refs"))
    assert set(MORE) < set(chat["properties"])
    assert chat["required"] == ["chat_id"]
    assert (labels["maxItems"], labels["items"]["maxLength"]) == (20, 100)
    assert (refs["maxProperties"], refs["additionalProperties"]["maxLength"]) == (10, 128)


async def test_a_time_may_be_in_milliseconds(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        forms = (1_614_183_929, "1614183929", 1_614_183_929_750, "1614183929750")

        await system.accept("acme", *(event(f"m{n}", timestamp=t) for n, t in enumerate(forms)))
        refused = await system.ask("POST", MESSAGES, event("m9", timestamp=253_402_300_800_000))

        posts = await receiver.until(4)
        sent = {post.document["message"]["timestamp"] for post in posts}
        assert sent == {"2021-02-24T16:25:29+0000"}
        (fault,) = refused.document["errors"]
        assert (refused.status, fault["path"]) == (422, "message.timestamp")
        assert "neither epoch seconds" in fault["detail"]
        assert "nor epoch milliseconds" in fault["detail"]
