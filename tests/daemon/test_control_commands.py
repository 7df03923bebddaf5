"""The control commands: the installed program, a real daemon, and the socket between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from hookbundle.tests.hook_receiver import HookReceiver, verified
from hookbundle.tests.house import event, facts_of, receiving
from hookbundle.tests.program import Program, Ran, serving

AT_ONCE = ",".join(["1ms"] * 10)


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with serving(tmp_path, DELIVERY__BACKOFF=AT_ONCE) as program:
        yield program


async def make(
    program: Program, receiver: HookReceiver, ws: str = "acme", aggregation: str = "1h"
) -> str:
    """The secret of a new workspace."""
    made = await program(
        *("workspace", "set", ws, "--url", receiver.url(), "--aggregation", aggregation, "--json")
    )
    secret: str = made.document["secret"]
    receiver.trust(secret)
    return secret


async def send(program: Program, ws: str, *message_ids: str, chat: str = "c1") -> Ran:
    events = msgspec.json.encode([event(message_id, chat) for message_id in message_ids])
    return await program("send", ws, "-", given=events)


async def parked(program: Program, receiver: HookReceiver, *message_ids: str) -> list[str]:
    """The ids of deliveries of a new workspace that its receiver has rejected for good."""
    await make(program, receiver, aggregation="none")
    receiver.answers(404)
    await send(program, "acme", *message_ids)
    async with facts_of(program.socket_path) as facts:
        told = await facts.until("delivery.parked", len(message_ids))
    return [fact["data"]["delivery"] for fact in told]


# ---- chats


async def test_chats_list_shows_the_open_windows_of_a_workspace(
    program: Program, receiver: HookReceiver
) -> None:
    await make(program, receiver)
    await send(program, "acme", "m1", "m2", chat="c1")
    await send(program, "acme", "m3", chat="c2")

    plain = await program("chats", "list", "acme")
    some = await program("chats", "list", "acme", "--json", "--limit", "1")

    assert [(row[0], row[1], row[4]) for row in plain.rows] == [
        ("acme", "c1", "2"),
        ("acme", "c2", "1"),
    ]
    assert [chat["chat_id"] for chat in some.document] == ["c1"]
    assert "more" in some.err


async def test_chats_list_of_all_workspaces_begins_with_what_is_due_first(
    program: Program, receiver: HookReceiver
) -> None:
    await make(program, receiver, "slow", "24h")
    await make(program, receiver, "fast", "1h")
    await send(program, "slow", "m1")
    await send(program, "fast", "m2")

    listed = await program("chats", "list", "--json")
    soon = await program("chats", "list", "--due-within", "2h", "--json")

    assert [chat["workspace"] for chat in listed.document] == ["fast", "slow"]
    assert [chat["workspace"] for chat in soon.document] == ["fast"]


async def test_chats_preview_prints_the_bundle_that_chats_flush_sends(
    program: Program, receiver: HookReceiver
) -> None:
    await make(program, receiver)
    await send(program, "acme", "m1", "m2", chat="a/b %2F?ä")

    preview = await program("chats", "preview", "acme", "a/b %2F?ä")
    flush = await program("chats", "flush", "acme", "a/b %2F?ä", "--json")

    (post,) = await receiver.until(1)
    assert preview.out.encode() == post.body + b"\n"
    assert flush.document == {"sealed": 1, "messages": 2}


async def test_chats_flush_without_a_chat_seals_all_of_the_workspace(
    program: Program, receiver: HookReceiver
) -> None:
    await make(program, receiver)
    for chat in ("c1", "c2", "c3"):
        await send(program, "acme", f"m-{chat}", chat=chat)

    flush = await program("chats", "flush", "acme")

    assert flush.rows == [["sealed", "3"], ["messages", "3"]]
    assert len(await receiver.until(3)) == 3
    assert (await program("chats", "list", "acme")).rows == []


# ---- deliveries


async def test_deliveries_list_and_show_what_waits(
    program: Program, receiver: HookReceiver
) -> None:
    (first,) = await parked(program, receiver, "m1")
    await program("workspace", "disable", "acme")
    await send(program, "acme", "m2")

    of_all = await program("deliveries", "list")
    pending = await program("deliveries", "list", "acme", "--state", "pending", "--json")
    shown = await program("deliveries", "show", first, "--json")
    facts = dict((await program("deliveries", "show", first)).rows)

    assert [row[1:3] for row in of_all.rows] == [[first, "parked"], [of_all.rows[1][1], "pending"]]
    assert [one["id"] for one in pending.document] == [of_all.rows[1][1]]
    assert shown.document["body"].encode() == receiver.posts[0].body
    assert (facts["state"], facts["last_error"]) == ("parked", "status 404")


async def test_deliveries_retry_sends_a_parked_one_again(
    program: Program, receiver: HookReceiver
) -> None:
    (delivery,) = await parked(program, receiver, "m1")
    receiver.answers(200)

    retried = await program("deliveries", "retry", delivery)

    assert retried.rows == [["returned", "1"], ["messages", "1"]]
    assert (await receiver.until(4))[3].id == delivery


async def test_deliveries_retry_all_parked_sends_them_in_order(
    program: Program, receiver: HookReceiver
) -> None:
    ids = await parked(program, receiver, "m1", "m2")
    receiver.answers(200)

    retried = await program("deliveries", "retry", "--all-parked", "acme", "--json")

    assert retried.document == {"returned": 2, "messages": 2}
    assert [post.id for post in (await receiver.until(8))[6:]] == ids


async def test_deliveries_discard_gives_one_up_with_a_reason(
    program: Program, receiver: HookReceiver
) -> None:
    (delivery,) = await parked(program, receiver, "m1")

    discarded = await program("deliveries", "discard", delivery, "--reason", "sent by hand")

    assert discarded.rows[0] == ["id", delivery]
    assert (await program("deliveries", "list", "acme")).rows == []
    assert "sent by hand" in (await program("activity", "acme")).rows[0][5]


@pytest.mark.parametrize("given", [(), ("dlv_x", "--all-parked", "acme")])
async def test_deliveries_retry_wants_an_id_or_a_workspace_and_not_both(
    program: Program, given: tuple[str, ...]
) -> None:
    assert (await program("deliveries", "retry", *given)).code == 2


# ---- secrets and tokens


async def test_workspace_rotate_secret_prints_the_new_secret_alone(
    program: Program, receiver: HookReceiver
) -> None:
    old = await make(program, receiver, aggregation="none")

    rotated = await program("workspace", "rotate-secret", "acme", "--keep", "1h")

    new = rotated.out.strip()
    receiver.trust(new)
    await send(program, "acme", "m1")
    (post,) = await receiver.until(1)
    assert (verified(post, [old]), verified(post, [new])) == (True, True)
    assert "sign on until" in rotated.err


async def test_token_create_list_and_revoke(program: Program, receiver: HookReceiver) -> None:
    await make(program, receiver)

    made = await program("token", "create", "--scope", "intake", "--workspace", "acme")
    listed = await program("token", "list")
    revoked = await program("token", "revoke", listed.rows[0][0])

    assert made.out.startswith("hbt_")
    assert listed.rows[0][1:3] == ["intake", "acme"]
    assert made.out.strip() not in listed.out
    assert (revoked.code, (await program("token", "list", "--json")).document) == (0, [])


# ---- exit codes


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("chats", "list", "nobody"), 5),
        (("chats", "list", "acme", "--due-within", "soon"), 2),
        (("chats", "flush", "acme", "nobody"), 5),
        (("chats", "preview", "acme", "nobody"), 5),
        (("deliveries", "list", "nobody"), 5),
        (("deliveries", "list", "--state", "gone"), 2),
        (("deliveries", "show", "dlv_x"), 5),
        (("deliveries", "retry", "dlv_x"), 5),
        (("deliveries", "discard", "dlv_x", "--reason", "x"), 5),
        (("deliveries", "discard", "dlv_x"), 2),
        (("token", "create"), 2),
        (("token", "create", "--scope", "admin", "--workspace", "nobody"), 5),
        (("token", "revoke", "tok_x"), 5),
        (("workspace", "rotate-secret", "nobody"), 5),
        (("workspace", "rotate-secret", "acme", "--keep", "soon"), 2),
        (("workspace", "show", "acme?x"), 5),
        (("workspace", "show", "../status"), 5),
    ],
)
async def test_the_exit_code_says_why(
    program: Program, receiver: HookReceiver, arguments: tuple[str, ...], code: int
) -> None:
    await make(program, receiver)

    ran = await program(*arguments)

    assert (ran.code, ran.out) == (code, "")
    assert ran.err


async def test_a_conflict_has_an_exit_code_of_its_own(
    program: Program, receiver: HookReceiver
) -> None:
    await make(program, receiver, aggregation="none")
    await program("workspace", "disable", "acme")
    await send(program, "acme", "m1")
    delivery = (await program("deliveries", "list", "--json")).document[0]["id"]

    assert (await program("deliveries", "retry", delivery)).code == 6
