"""A whole daemon whose tenants' receivers hang, by name or by answer, beside one that works."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.actors.outbound.resolvers import ResolverConfig
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import daemon_in, event, receiving
from hookbundle.tests.name_server import HANGS, NXDOMAIN, NameServer
from hookbundle.tests.name_server import Answer as Named


@pytest.mark.parametrize("hanging", [40, 200])
async def test_webhooks_whose_names_hang_cost_a_healthy_one_no_error(
    tmp_path: Path, hanging: int
) -> None:
    async with (
        NameServer() as names,
        receiving() as receiver,
        daemon_in(
            tmp_path, resolver=ResolverConfig("dns", names.servers), stop_within_s=0.05
        ) as system,
    ):
        names["*.hangs.example"] = HANGS
        names["*.sound.example"] = Named(("127.0.0.1",))
        for n in range(hanging):
            url = f"http://h{n}.hangs.example/"
            hook = {"url": url, "aggregation": "none"}
            await system.ask("PUT", f"/v1/workspaces/stuck{n}", {"webhook": hook})
            await system.accept(f"stuck{n}", event("m1"))
        await names.until_asked(hanging, ".hangs.example")

        for n in range(10):
            url = receiver.url(f"p{n}").replace("127.0.0.1", f"s{n}.sound.example")
            await system.make(f"sound{n}", receiver, f"p{n}", url=url)
            await system.accept(f"sound{n}", event("m1"))
        await receiver.until(10)
        await system.facts.until("delivery.delivered", 10)

        failed = system.facts.known("delivery.failed") + system.facts.known("delivery.unknown")
        assert not [fact for fact in failed if fact["workspace"].startswith("sound")]


async def test_a_name_that_is_mended_works_at_the_next_attempt(tmp_path: Path) -> None:
    async with (
        NameServer() as names,
        receiving() as receiver,
        daemon_in(tmp_path, resolver=ResolverConfig("dns", names.servers)) as system,
    ):
        names["a.example"] = Named(rcode=NXDOMAIN)
        url = receiver.url().replace("127.0.0.1", "a.example")
        await system.make("acme", receiver, url=url)
        await system.accept("acme", event("m1"))
        (failed,) = await system.facts.until("delivery.failed")
        names["a.example"] = Named(("127.0.0.1",))

        system.clock.move(6_000)
        await receiver.until(1)

        assert failed["data"]["error"] == "dns: the host name was not found"


async def test_after_a_start_webhooks_that_failed_leave_slots_to_others(tmp_path: Path) -> None:
    """Nothing is remembered of them but their error counts."""
    async with receiving() as silent, receiving() as receiver:
        async with daemon_in(tmp_path) as system:
            silent.answers(500)
            await system.make("sound", receiver, "sound")
            await system.accept("sound", event("m1"))
            for n in range(12):
                await system.make(f"silent{n}", silent, f"p{n}")
                await system.accept(f"silent{n}", event("m1"))
            await system.facts.until("delivery.failed", 12)
            clock = system.clock
        silent.answers(Answer(after=asyncio.Event()))
        clock.move(10_000)
        async with daemon_in(tmp_path, clock, in_flight_max=4, stop_within_s=0.05) as system:
            await silent.until(12 + 2)  # half of the slots

            await system.accept("sound", event("m2"))
            await receiver.until(2)

            assert silent.open_now == 2
            metrics = await system.ask("GET", "/metrics")
            assert b'hookbundle_limit_used{limit="attempts_troubled"} 2.0' in metrics.body
