"""A running daemon is given another configuration: what follows is as that says."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.storage.transitions.accepting import Quota
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import HOUR_MS, House, event, living, receiving
from hookbundle.tests.mail_server import MailServer


def change(house: House, **changes: Any) -> None:
    house.daemon.reconfigure(replace(house.daemon.config, **changes))


async def test_the_networks_allowed_hold_for_the_next_attempt_and_not_for_the_one_under_way(
    tmp_path: Path,
) -> None:
    let_go = asyncio.Event()
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(Answer(200, after=let_go), 200)
        await house.make("acme", receiver)
        await house.accept("acme", event("m1"))
        await receiver.until(1)

        change(house, addresses=AddressPolicy())
        let_go.set()
        await house.facts.until("delivery.delivered")
        await house.accept("acme", event("m2"))
        await house.facts.until("delivery.failed")
        hook = await house.hook()
        refused = await house.ask(
            "PATCH", "/v1/workspaces/acme", {"webhook": {"url": receiver.url("other")}}
        )

    assert hook["last_error"].startswith("forbidden_address")
    assert len(receiver.posts) == 1
    assert refused.status == 422


async def test_a_new_back_off_holds_from_the_next_error_on(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        receiver.answers(500)
        await house.make("acme", receiver)

        change(house, policy=BackoffPolicy(steps_ms=(5 * HOUR_MS,), jitter=0))
        await house.accept("acme", event("m1"))
        await house.facts.until("delivery.failed")
        hook = await house.hook()
        wait_ms = datetime.fromisoformat(hook["next_attempt_at"]).timestamp() * 1_000
        wait_ms -= house.clock.now_ms()

    assert 4.9 * HOUR_MS < wait_ms <= 5 * HOUR_MS


async def test_mails_go_through_the_new_server(tmp_path: Path) -> None:
    impatient = BackoffPolicy(steps_ms=(1,), errors_max=1)
    async with (
        MailServer(tmp_path, "none", login=False) as server,
        receiving() as receiver,
        living(tmp_path, policy=impatient) as house,
    ):
        receiver.answers(500)
        await house.make("acme", receiver)

        change(house, smtp=server.config())
        await house.accept("acme", event("m1"))
        taken = await server.next()

    assert taken.to == ("owner@acme.example",)


async def test_quota_name_and_connections_follow(tmp_path: Path) -> None:
    async with receiving() as receiver, living(tmp_path) as house:
        await house.make("acme", receiver, aggregation="1h", enabled=False)
        await house.accept("acme", event("m1"))

        guard = GuardLimits(connections_max=3, hosts=("new.example",))
        change(
            house,
            quota=Quota(1, 7 * 24 * HOUR_MS),
            product_name="New",
            doors=replace(house.daemon.config.doors, guard=guard),
        )
        full = await house.ask("POST", "/v1/workspaces/acme/messages", event("m2"))
        await house.switch("acme", "enable")
        await house.ask("POST", "/v1/workspaces/acme/chats/flush")
        (post,) = await receiver.until(1)

    assert full.status == 429
    assert "open the conversation in New" in post.document["aggregation"]
    assert house.daemon.guard.limits == guard
