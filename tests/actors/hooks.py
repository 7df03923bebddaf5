"""Webhook actors on a real Store, with a real receiver and a client that can run out of sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from hookbundle.actors.attempts.rendering import Rendering, Renders
from hookbundle.actors.outbound.client import GuardedClient, LimitHolder
from hookbundle.actors.rendering.paces import PaceCount
from hookbundle.actors.rendering.resting import Resting
from hookbundle.actors.slot_lanes import standing_in
from hookbundle.actors.virtual_actors import INTENSITY
from hookbundle.actors.webhook import Traffic, Wake, WebhookActor, attempt_slots
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits, ErrorClass, HttpResult, NoResponse
from hookbundle.engine.errors import Fault
from hookbundle.engine.formats.jobs import Job, Outcome, Reading
from hookbundle.engine.requests.request import PLAIN, Request
from hookbundle.engine.runtime.directory import Directory
from hookbundle.storage.database.records import WebhookState
from hookbundle.tests.actors.stores import SECRET, Stored, storing
from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import LOOPBACK
from hookbundle.tests.storage.transitions.rendering.rendered import rendered_plainly

LIMITS = AttemptLimits(connect_timeout_ms=2_000, total_timeout_ms=5_000)


class TroubledClient(GuardedClient):
    """A client on a machine that has run out of sockets, as it reports `tries` times.

    `says`: what comes of each attempt instead of a request.
    """

    tries = 0
    says: Callable[[str], HttpResult] | None = None

    async def post(
        self,
        url: str,
        body: bytes,
        headers: dict[str, str],
        owner: int = 0,
        holder: LimitHolder | None = None,
        *,
        once: bool = False,
        request: Request = PLAIN,
        webhook: int = 0,
    ) -> Any:
        if self.says is not None:
            return self.says(url)
        if not self.tries:
            return await super().post(
                url, body, headers, owner, holder, once=once, request=request, webhook=webhook
            )
        self.tries -= 1
        return NoResponse(error=ErrorClass.LOCAL, detail="no sockets", sent=False, duration_ms=0)


class PlainRenderer:
    """Renders, in this process, the sealed body as the text of a field."""

    async def render(self, job: Job, workspace: int, webhook: int) -> Outcome | Resting:
        return rendered_plainly(job)

    async def preview(self, job: Job, workspace: int) -> Outcome | Resting:
        return rendered_plainly(job)

    async def read(self, reading: Reading, workspace: int) -> tuple[Fault, ...]:
        return ()

    def begin_anew(self, workspace: int, webhook: int) -> None:
        pass

    def counts(self) -> list[PaceCount]:
        return []

    async def close(self) -> None:
        pass


@dataclass(slots=True)
class Webhooks:
    store: Stored
    receiver: HookReceiver
    directory: "Directory[int, Wake]"
    traffic: Traffic
    client: TroubledClient
    seen: list[tuple[str, str]]
    quarantined: "asyncio.Queue[int]"

    async def workspace(self, ws: str, **changes: Any) -> int:
        self.receiver.trust(SECRET, ws)
        return await self.store.workspace(ws, url=self.receiver.url(ws), **changes)

    async def enqueue(self, number: int, *ids: str) -> None:
        await self.store.do(self.store.accepting(number, *ids))

    def wake(self, *numbers: int) -> None:
        for number in numbers:
            self.directory.tell(number, Wake())

    def state(self, ws: str = "acme") -> WebhookState:
        return self.store.reads.workspace(ws).state

    async def rested(self) -> None:
        """Every webhook has handled its messages, and has stopped."""
        async with asyncio.timeout(20):
            await self.directory.stop_all()


@asynccontextmanager
async def sending(
    folder: Path, slots: int = 10, renderer: Renders | None = None
) -> AsyncIterator[Webhooks]:
    async with storing(folder) as store, HookReceiver() as receiver:
        client = TroubledClient(LOOPBACK, LIMITS, "hookbundle/test")
        await client.open()
        seen: list[tuple[str, str]] = []
        traffic = Traffic(
            attempt_slots(standing_in(store.reads), slots, LIMITS.total_timeout_ms),
            BackoffPolicy(jitter=0),
            lambda outcome, reason, took_ms: seen.append((outcome, reason)),
            Rendering(renderer or PlainRenderer(), lambda: "Timelines"),
        )
        quarantined: asyncio.Queue[int] = asyncio.Queue()

        def activate(number: int) -> WebhookActor:
            return WebhookActor(number, store.store_queue, client, store.clock, Random(7), traffic)

        directory: Directory[int, Wake] = Directory(
            name="workspace",
            activate=activate,
            active_max=10,
            intensity=INTENSITY,
            now_ms=store.clock.now_ms,
            on_dead_letter=lambda key, message, error: None,
            on_quarantine=lambda key, error: quarantined.put_nowait(key),
        )
        try:
            yield Webhooks(store, receiver, directory, traffic, client, seen, quarantined)
        finally:
            await directory.stop_all()
            await client.close()
