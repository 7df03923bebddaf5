"""The budget of a webhook over kill -9, and what the commands say of rate and budget."""

import asyncio
import time
from pathlib import Path

from hookbundle.tests.daemon.test_crash import alive, impatient, kill
from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import connected, daemon_in, event, receiving
from hookbundle.tests.program import serving
from hookbundle.tests.receivers import answers_then_resets_the_next
from hookbundle.tests.receivers import receiving as scripted
from hookbundle.tests.running import Running

ONE = "/v1/workspaces/acme/webhooks/outbound"


def noon() -> str:
    """A zone in which it is about noon, so that no day ends while the test runs."""
    ahead = 12 - time.gmtime().tm_hour
    return f"Etc/GMT{-ahead:+d}"


async def set_up(daemon: Running) -> None:
    one = {"time_zone": noon(), "webhook": {"budget": "4/day", "rate": "100/24h"}}
    assert (await daemon.ask("PATCH", "/v1/workspaces/acme", one)).status == 200


async def test_a_budget_survives_kill_9_also_with_a_request_under_way(tmp_path: Path) -> None:
    program, never = impatient(tmp_path), asyncio.Event()
    async with receiving() as receiver:
        receiver.answers(200, 200, Answer(after=never), 200)
        async with alive(program) as (daemon, facts):
            await daemon.make("acme", receiver)
            await set_up(daemon)
            await daemon.accept("acme", *(event(f"m{number}") for number in range(1, 5)))
            await receiver.until(3)
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            await facts.until("delivery.delivered", 3)
            hook = await daemon.get(ONE)
            await kill(daemon)

        async with alive(program) as (daemon, facts):
            await daemon.accept("acme", event("m5"))
            again = await daemon.get(ONE)
            await facts.until("webhook.budget_used_up")
            told = len(facts.known("webhook.budget_used_up"))
        never.set()

    assert (hook["state"], hook["pace"]["used"], hook["pace"]["left"]) == ("over_budget", 4, 0)
    assert (again["state"], again["pace"]["used"], told) == ("over_budget", 4, 1)
    assert [post.message_ids for post in receiver.posts] == [["m1"], ["m2"], ["m3"], ["m3"]]


async def test_the_last_request_of_a_rate_is_never_sent_twice(tmp_path: Path) -> None:
    """Else one that ends without a byte, on a connection that was used, goes out once more."""
    async with scripted(answers_then_resets_the_next) as receiver, daemon_in(tmp_path) as system:
        hook = {"url": receiver.url, "aggregation": "none", "rate": "2/1h"}
        await system.ask("PUT", "/v1/workspaces/acme", {"webhook": hook})
        await system.accept("acme", event("m1"), event("m2"), event("m3"))
        await system.facts.until("delivery.delivered", 2)
        at_the_rate = (await system.get(ONE))["state"]

    assert (at_the_rate, len(receiver.requests), receiver.connections) == ("over_budget", 2, 2)


async def test_a_request_that_went_out_twice_is_two_of_the_budget(tmp_path: Path) -> None:
    async with scripted(answers_then_resets_the_next) as receiver, daemon_in(tmp_path) as system:
        hook = {"url": receiver.url, "aggregation": "none", "rate": "4/1h"}
        await system.ask("PUT", "/v1/workspaces/acme", {"webhook": hook})
        await system.accept("acme", *(event(f"m{number}") for number in range(1, 7)))
        # m1; m2 twice, the second time on the connection that m3 finds used: m3 is the last one.
        await system.facts.until("delivery.delivered", 3)
        at_the_rate = (await system.get(ONE))["state"]

    assert (at_the_rate, len(receiver.requests)) == ("over_budget", 4)


async def test_the_commands_set_and_show_rate_and_budget(tmp_path: Path) -> None:
    with serving(tmp_path) as program:
        async with receiving() as receiver, connected(program.socket_path):
            url = receiver.url("hook")
            await program("workspace", "set", "acme", "--url", url, "--aggregation", "none")
            given = ("--rate", "100/10s", "--budget", "1000/day", "--json", "--yes")
            made = await program("webhook", "set", "acme", "outbound", *given)
            shown = await program("webhook", "show", "acme", "outbound")
            wrong = await program("webhook", "set", "acme", "outbound", "--budget", "0/day")
            listed = await program("workspace", "list", "--state", "over_budget", "--json")
            none = ("--rate", "none", "--budget", "none", "--json")
            without = await program("webhook", "set", "acme", "outbound", *none)

    rows = {name: value for name, value in shown.rows}
    assert (made.document["rate"], made.document["budget"]) == ("100/10s", "1000/day")
    assert (rows["rate"], rows["pace.left"], rows["pace.forecast"]) == (
        *("100/10s", "1000"),
        "unknown",
    )
    assert wrong.code != 0
    assert "1000/day" in wrong.err
    assert listed.document == []
    assert (without.document["rate"], without.document["pace"]) == (None, None)
