"""Deliveries that were rejected, or whose attempt is under way, over the API."""

import asyncio
from typing import Any

from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import System, event

DELIVERIES = "/v1/workspaces/acme/deliveries"


async def listed(system: System, query: str = "") -> list[Any]:
    found: list[Any] = (await system.get(f"{DELIVERIES}{query}"))["deliveries"]
    return found


async def rejected(system: System, receiver: HookReceiver, *message_ids: str) -> list[str]:
    """The ids of the deliveries, rejected until they are dead letters."""
    receiver.answers(404)
    await system.accept("acme", *(event(message_id) for message_id in message_ids))
    dead_letters = await system.facts.until("delivery.dead_lettered", len(message_ids))
    return [fact["data"]["delivery"] for fact in dead_letters]


async def in_flight(system: System, receiver: HookReceiver) -> tuple[str, asyncio.Event]:
    """A delivery that is being sent, and what lets its answer out."""
    answer = asyncio.Event()
    receiver.answers(Answer(after=answer), 200)
    await system.accept("acme", event("m1"))
    (post,) = await receiver.until(1)
    return post.id, answer
