"""A running daemon gets another configuration and follows it from then on."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import HOUR_MS, System, daemon_in, event, receiving
from hookbundle.tests.mail_server import MailServer


def change(system: System, **changes: Any) -> None:
    system.daemon.reconfigure(replace(system.daemon.config, **changes))


async def test_the_networks_allowed_hold_for_the_next_attempt_and_not_for_the_one_under_way(
    tmp_path: Path,
) -> None:
    release = asyncio.Event()
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(Answer(200, after=release), 200)
        await system.make("acme", receiver)
        await system.accept("acme", event("m1"))
        await receiver.until(1)

        change(system, addresses=AddressPolicy())
        release.set()
        await system.facts.until("delivery.delivered")
        await system.accept("acme", event("m2"))
        await system.facts.until("delivery.failed")
        hook = await system.hook()
        refused = await system.ask(
            "PATCH", "/v1/workspaces/acme", {"webhook": {"url": receiver.url("other")}}
        )

    assert hook["last_error"].startswith("forbidden_address")
    assert len(receiver.posts) == 1
    assert refused.status == 422


async def test_a_new_back_off_holds_from_the_next_error_on(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        receiver.answers(500)
        await system.make("acme", receiver)

        change(system, policy=BackoffPolicy(steps_ms=(5 * HOUR_MS,), jitter=0))
        await system.accept("acme", event("m1"))
        await system.facts.until("delivery.failed")
        hook = await system.hook()
        wait_ms = datetime.fromisoformat(hook["next_attempt_at"]).timestamp() * 1_000
        wait_ms -= system.clock.now_ms()

    assert 4.9 * HOUR_MS < wait_ms <= 5 * HOUR_MS


async def test_mails_go_through_the_new_server(tmp_path: Path) -> None:
    impatient = BackoffPolicy(steps_ms=(1,), errors_max=1)
    async with (
        MailServer(tmp_path, "none", login=False) as server,
        receiving() as receiver,
        daemon_in(tmp_path, policy=impatient) as system,
    ):
        receiver.answers(500)
        await system.make("acme", receiver)

        change(system, smtp=server.config())
        await system.accept("acme", event("m1"))
        taken = await server.next()

    assert taken.to == ("owner@acme.example",)


async def test_a_new_quota_product_name_and_connection_limit_take_effect(tmp_path: Path) -> None:
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h", enabled=False)
        await system.accept("acme", event("m1"))

        guard = GuardLimits(connections_max=3, hosts=("new.example",))
        change(
            system,
            quota=Quota(1, 7 * 24 * HOUR_MS),
            product_name="New",
            listeners=replace(system.daemon.config.listeners, guard=guard),
        )
        full = await system.ask("POST", "/v1/workspaces/acme/messages", event("m2"))
        await system.switch("acme", "enable")
        await system.ask("POST", "/v1/workspaces/acme/chats/flush")
        (post,) = await receiver.until(1)

    assert full.status == 429
    assert "open the conversation in New" in post.document["aggregation"]
    assert system.daemon.guard.limits == guard
