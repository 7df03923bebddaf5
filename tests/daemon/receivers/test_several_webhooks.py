"""Several webhooks of a workspace: one's trouble is its own, and its owner reads which it is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hookbundle.tests.daemon.test_counter import fail
from hookbundle.tests.daemon.test_crash import alive, impatient, kill
from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import HOUR_MS, Api, daemon_in, event, receiving
from hookbundle.tests.mail_server import MailServer

HOOKS = "/v1/workspaces/acme/webhooks"
CRM = f"{HOOKS}/crm"
MANY = 50
SEALED = 400  # several steps of erasing


@pytest.fixture
async def receiver() -> AsyncIterator[HookReceiver]:
    async with HookReceiver() as opened:
        yield opened


@pytest.fixture
async def crm() -> AsyncIterator[HookReceiver]:
    async with HookReceiver() as opened:
        yield opened


async def add(api: Api, receiver: HookReceiver, name: str = "crm", **given: Any) -> None:
    settings = {"id": name, "url": receiver.url(name), "aggregation": "none", **given}
    made = await api.ask("POST", HOOKS, settings)
    assert made.status == 201, made
    receiver.trust(made.document["secret"], name)


async def test_one_whose_receiver_never_answers_holds_up_none_of_the_others(
    tmp_path: Path, receiver: HookReceiver, crm: HookReceiver
) -> None:
    crm.answers(Answer(after=asyncio.Event()))
    async with daemon_in(tmp_path, stop_within_s=0.05) as system:
        await system.make("acme", receiver)
        await add(system, crm)
        await system.accept("acme", event("first"))
        await crm.until(1)

        await system.accept("acme", *(event(f"m{number}") for number in range(MANY)))
        posts = await receiver.until(MANY + 1)

        sent = [post.message_ids[0] for post in posts]
        assert sent == ["first", *(f"m{number}" for number in range(MANY))]
        assert len(crm.posts) == 1
        assert (await system.get(CRM))["counts"]["queued"] == MANY + 1
        assert system.facts.known("delivery.failed") == []


async def test_ones_eleventh_error_disables_it_and_not_its_neighbour_and_the_mail_names_it(
    tmp_path: Path, receiver: HookReceiver, crm: HookReceiver
) -> None:
    crm.answers(500)
    async with (
        MailServer(tmp_path) as server,
        daemon_in(tmp_path, smtp=server.config()) as system,
    ):
        await system.make("acme", receiver)
        await add(system, crm)
        await system.accept("acme", event("m1"))

        await fail(system, 11)
        mail = await server.next()
        await system.facts.until("webhook.disabled")
        before = len(receiver.posts)
        await system.accept("acme", event("m2"), event("m3"))
        await receiver.until(before + 2)

        hooks = {each["id"]: each for each in (await system.get(HOOKS))["webhooks"]}
        told = [fact["webhook"] for fact in system.facts.known("webhook.disabled")]
        assert told == ["crm"]
        assert (hooks["crm"]["state"], hooks["crm"]["disabled_reason"]) == ("disabled", "errors")
        assert hooks["crm"]["counts"]["queued"] == 3
        neighbour = hooks["outbound"]
        assert (neighbour["state"], neighbour["consecutive_errors"]) == ("enabled", 0)
        assert "crm" in mail.text
        assert "outbound" not in mail.text
        crm.answers(200)
        enabled = await system.ask("POST", f"{CRM}/enable")
        assert enabled.status == 200
        await crm.until(11 + 3)
        assert [post.message_ids for post in crm.posts[-3:]] == [["m1"], ["m2"], ["m3"]]
        assert len(receiver.posts) == before + 2


async def test_errors_of_both_count_each_for_its_own(
    tmp_path: Path, receiver: HookReceiver, crm: HookReceiver
) -> None:
    """Six errors of each are eleven together, and disable neither."""
    receiver.answers(500)
    crm.answers(500)
    async with daemon_in(tmp_path) as system:
        await system.make("acme", receiver)
        await add(system, crm)
        await system.accept("acme", event("m1"))
        for error in range(1, 7):
            for name in ("outbound", "crm"):
                await system.facts.until("delivery.failed", error, webhook=name)
            if error < 6:
                system.clock.move(HOUR_MS)

        hooks = (await system.get(HOOKS))["webhooks"]

        assert [each["consecutive_errors"] for each in hooks] == [6, 6]
        assert [each["state"] for each in hooks] == ["backing_off", "backing_off"]
        assert system.facts.known("webhook.disabled") == []


async def test_after_kill_9_each_has_all_its_messages_in_order_and_its_own_trouble(
    tmp_path: Path,
) -> None:
    program = impatient(tmp_path)
    async with receiving() as receiver, HookReceiver() as crm:
        crm.answers(Answer(after=asyncio.Event()))
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver)
            await add(daemon, crm)
            await add(daemon, receiver, "late", aggregation="1h")
            await daemon.accept("acme", *(event(f"m{number}") for number in range(10)))
            await crm.until(1)
            await receiver.until(3)
            await kill(daemon)

        crm.answers(200)
        async with alive(program) as (daemon, facts):
            await facts.until("delivery.delivered", 10, webhook="crm")
            await facts.until("delivery.delivered", 10, webhook="outbound")
            hooks = {each["id"]: each for each in (await daemon.get(HOOKS))["webhooks"]}
            unknown = [fact["webhook"] for fact in facts.known("delivery.unknown")]

    ids = [f"m{number}" for number in range(10)]
    for posts in (crm.posts, receiver.at("hook")):
        first_seen = dict.fromkeys(post.message_ids[0] for post in posts)
        assert list(first_seen) == ids
        assert len({(post.id, post.body) for post in posts}) == 10
    assert unknown.count("crm") == 1
    assert (hooks["late"]["counts"]["windows"], hooks["late"]["counts"]["held_messages"]) == (1, 10)
    assert [hooks[each]["consecutive_errors"] for each in ("outbound", "crm")] == [0, 0]


async def test_what_was_deleted_is_erased_after_kill_9_too(tmp_path: Path) -> None:
    program = impatient(tmp_path)
    async with receiving() as receiver:
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver)
            await add(daemon, receiver, enabled=False)
            for first in range(0, SEALED, 100):
                await daemon.accept("acme", *(event(f"m{first + n}") for n in range(100)))
            deleted = await daemon.ask("DELETE", CRM)
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            await facts.until("webhook.erased", webhook="crm")
            await facts.until("delivery.delivered", SEALED, webhook="outbound")
            await kill(daemon)
        checked = await program("check", "--data", str(program.socket_path.parents[1] / "data"))

    assert deleted.document == {"windows": 0, "deliveries": SEALED, "messages": SEALED}
    assert len({post.id for post in receiver.posts}) == SEALED
    assert checked.code == 0, checked
