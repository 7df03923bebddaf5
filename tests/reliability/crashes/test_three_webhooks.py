"""A message for three webhooks is in all of them or in none, wherever the daemon dies."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import Api, System, daemon_in, event, facts_of, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.reliability.harness import failpoints
from hookbundle.tests.running import running

WORKSPACE = "/v1/workspaces/acme"
QUIET = {"quiet": "10m", "max": "1h"}
AT = {"at": ["12:00"], "days": "sun-thu", "zone": "Asia/Jerusalem", "first": "now"}


STORED, NOT_STORED = True, False
POINTS = [
    ("F19", 3, NOT_STORED),
    ("F1 late", 1, NOT_STORED),
    ("F2", 1, STORED),
]


@pytest.mark.parametrize(("point", "nth", "is_stored"), POINTS)
async def test_a_message_is_in_all_three_webhooks_or_in_none(
    tmp_path: Path, point: str, nth: int, is_stored: bool
) -> None:
    program = program_in(tmp_path)
    async with receiving() as receiver:
        async with daemon_in(tmp_path) as system:
            await make_three(system, receiver)
        async with running(program, command=failpoints.command(point, nth)) as daemon:
            with suppress(aiohttp.ClientError, ConnectionError):
                await daemon.ask("POST", f"{WORKSPACE}/messages", event("m1"))
            assert await daemon.ended() == -9

        async with running(program) as daemon, facts_of(program.socket_path) as facts:
            before = await messages_of(daemon)
            again = await daemon.ask("POST", f"{WORKSPACE}/messages", event("m1"))
            after = await messages_of(daemon)
            for webhook in ("alone", "slots"):
                await facts.until("delivery.delivered", webhook=webhook)

    stored = {"quiet": 1, "alone": 1, "slots": 1}
    assert before == (stored if is_stored else dict.fromkeys(stored, 0))
    assert again.document["duplicate" if is_stored else "accepted"] == 1
    assert after == stored
    assert sorted(len(post.document.get("messages", "1")) for post in receiver.posts) == [1, 1]


async def make_three(system: System, receiver: HookReceiver) -> None:
    """The first collects, the second sends each message alone, and of the third the first leaves.

    Nothing else may send, so `outbound` goes.
    """
    await system.make("acme", receiver)
    rules: dict[str, Any] = {"quiet": QUIET, "alone": "none", "slots": AT}
    for webhook, window in rules.items():
        settings = {"id": webhook, "url": receiver.url(webhook), "window": window}
        made = await system.ask("POST", f"{WORKSPACE}/webhooks", settings)
        assert made.status == 201, made
        receiver.trust(made.document["secret"], webhook)
    gone = await system.ask("DELETE", f"{WORKSPACE}/webhooks/outbound")
    assert gone.status in (200, 204), gone


async def messages_of(daemon: Api) -> dict[str, int]:
    """How many messages each webhook has in windows and deliveries."""
    found = {}
    for webhook in ("quiet", "alone", "slots"):
        chats = (await daemon.ask("GET", f"{WORKSPACE}/chats?webhook={webhook}")).document
        sent = (await daemon.ask("GET", f"{WORKSPACE}/deliveries?webhook={webhook}")).document
        held = sum(each["messages"] for each in chats["chats"])
        found[webhook] = held + sum(each["messages"] for each in sent["deliveries"])
    return found
