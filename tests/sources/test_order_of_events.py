"""Senders keep no order and wait for no answer: the bundle is right all the same."""

import asyncio
from collections.abc import AsyncIterator
from itertools import permutations
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from hookbundle.tests.engine.sources.posting import body_of
from hookbundle.tests.server.http.resources.sources.posting import (
    OtherSystem,
    Tenant,
    Tenants,
    tenants_in,
)
from hookbundle.tests.sources.letters import LETTERS, waha

pytestmark = pytest.mark.asyncio(loop_scope="module")
PHONE = "15550101234"
LID_TOLD, LID_ALONE = (
    body_of("waha", "07-noweb-lid-learned-then-missing.seq", at) for at in (0, 1)
)
LID, LID_PHONE = "13200000000003@lid", "15550102222"
USER_TOLD, USER_ALONE = (
    body_of("meta", "18-user-id-learned-then-phone-missing.seq", at) for at in (0, 1)
)
USER = "US.13491208655302000010"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tenants]:
    async with tenants_in(tmp_path_factory.mktemp("order")) as tenants:
        yield tenants


@pytest_asyncio.fixture(loop_scope="module")
async def tenant(shared: Tenants) -> Tenant:
    """A workspace whose windows stay open until they are flushed."""
    return await shared.another(aggregation="24h")


async def bundles(tenant: Tenant, chats: int) -> dict[str, list[str]]:
    """The texts of each chat's bundle."""
    await tenant.system.ask("POST", f"/v1/workspaces/{tenant.ws}/chats/flush")
    found = {}
    for post in await tenant.sent(chats):
        texts = [each["text"] for each in post.document["messages"]]
        found[post.document["chat"]["chat_id"]] = texts
    return found


async def post_at_once(source: OtherSystem, *bodies: bytes) -> None:
    answers = await asyncio.gather(*(source.post(body) for body in bodies))
    assert [answer.status for answer in answers] == [200] * len(bodies)


def edited(message_id: str, text: str) -> bytes:
    body = msgspec.json.decode(waha(9, PHONE, text, "message.edited").body)
    body["payload"]["editedMessageId"] = message_id
    return msgspec.json.encode(body)


def with_id(body: dict[str, Any], bare: str, text: str, seconds: int) -> bytes:
    """An event of the LID's sample as another message, so many seconds later."""
    payload = body["payload"]
    data = {
        **payload["_data"],
        "key": {**payload["_data"]["key"], "id": bare},
        "message": {"conversation": text},
    }
    changed = {
        "id": f"false_{LID}_{bare}",
        "timestamp": payload["timestamp"] + seconds,
        "body": text,
        "_data": data,
    }
    return msgspec.json.encode({**body, "payload": {**payload, **changed}})


def of_user(body: dict[str, Any], message_id: str, text: str) -> bytes:
    (entry,) = body["entry"]
    (change,) = entry["changes"]
    (message,) = change["value"]["messages"]
    message = {**message, "id": message_id, "text": {"body": text}}
    value = {**change["value"], "messages": [message]}
    return msgspec.json.encode({**body, "entry": [{"changes": [{**change, "value": value}]}]})


@pytest.mark.parametrize("kind", ["waha", "evolution", "meta"])
async def test_messages_that_come_out_of_order_leave_in_the_order_of_their_times(
    tenant: Tenant, kind: str
) -> None:
    source, many = await tenant.source(kind), range(6)

    for number in (3, 0, 5, 1, 4, 2):
        await source.post(LETTERS[kind](number, PHONE, f"{number}").body)

    each = 2 if kind == "meta" else 1
    assert await bundles(tenant, 1) == {PHONE: [f"{n}" for n in many for _ in range(each)]}


async def test_an_edit_that_comes_before_its_message_is_the_text_that_leaves(
    tenant: Tenant,
) -> None:
    source, letter = await tenant.source(), waha(1, PHONE, "first")
    await source.post(waha(0, PHONE, "before").body)

    early = await source.post(edited(letter.ids[0], "mended"))
    await source.post(letter.body)

    assert early.document["waiting"] == 1
    assert await bundles(tenant, 1) == {PHONE: ["before", "mended"]}


async def test_a_message_and_its_copy_at_once_are_one(tenant: Tenant) -> None:
    source = await tenant.source()

    await post_at_once(
        source,
        *(
            waha(number, PHONE, f"{number}", event).body
            for number in range(8)
            for event in ("message", "message.any", "message")
        ),
    )

    assert await bundles(tenant, 1) == {PHONE: [f"{number}" for number in range(8)]}


async def test_a_copy_by_both_ways_of_evolution_is_one(tenant: Tenant) -> None:
    source = await tenant.source("evolution")
    received = msgspec.json.decode(LETTERS["evolution"](1, PHONE, "once").body)
    received["data"]["key"]["fromMe"] = True

    await post_at_once(
        source,
        *(
            msgspec.json.encode({**received, "event": event})
            for event in ("send.message", "messages.upsert", "SEND_MESSAGE")
        ),
    )

    assert await bundles(tenant, 1) == {PHONE: ["once"]}


async def test_a_hidden_id_is_its_own_chat_until_its_phone_is_told_and_then_the_phones(
    tenant: Tenant,
) -> None:
    source = await tenant.source()

    for body in (
        with_id(LID_ALONE, "A", "nobody knows", 0),
        with_id(LID_TOLD, "B", "told", 1),
        with_id(LID_ALONE, "C", "known", 2),
    ):
        await source.post(body)

    assert await bundles(tenant, 2) == {LID: ["nobody knows"], LID_PHONE: ["told", "known"]}


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
async def test_at_once_a_message_is_in_the_chat_of_the_id_or_of_the_phone_and_in_one(
    tenant: Tenant, order: tuple[int, ...]
) -> None:
    """Which of the two depends on what came first; none is lost, or in both."""
    source = await tenant.source()
    bodies = (
        with_id(LID_ALONE, "A", "a", 0),
        with_id(LID_TOLD, "B", "b", 1),
        with_id(LID_ALONE, "C", "c", 2),
    )

    await post_at_once(source, *(bodies[at] for at in order))
    await source.post(with_id(LID_ALONE, "D", "d", 3))
    windows = (await tenant.system.get(f"/v1/workspaces/{tenant.ws}"))["counts"]["windows"]
    found = await bundles(tenant, windows)

    assert sorted(text for texts in found.values() for text in texts) == ["a", "b", "c", "d"]
    assert set(found) <= {LID, LID_PHONE}
    assert {"b", "d"} <= set(found[LID_PHONE])


async def test_a_hidden_user_is_his_own_chat_until_the_phone_is_told(tenant: Tenant) -> None:
    source = await tenant.source("meta")

    for body in (
        of_user(USER_ALONE, "A", "nobody knows"),
        of_user(USER_TOLD, "B", "told"),
        of_user(USER_ALONE, "C", "known"),
    ):
        await source.post(body)

    assert await bundles(tenant, 2) == {USER: ["nobody knows"], PHONE: ["told", "known"]}
