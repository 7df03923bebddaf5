"""SQLite and asyncio: `python -m hookbundle.bench.rivals.sqlite_asyncio.serve DATA URL WINDOW_S`.

One process. The loop has the door, a sweeper that sleeps until the next window is due, and for each
workspace with something due a task that posts one bundle after the other. Everything durable is
one call to the store, and calls that wait together share a commit.
"""

import asyncio
import gc
import time
from collections import Counter, deque
from collections.abc import Sequence

import aiohttp

from hookbundle.bench.rivals import door, shape
from hookbundle.bench.rivals.shape import Taken
from hookbundle.bench.rivals.sqlite_asyncio.store import Bundle, Opened, Store

COLLECT_AT = (50_000, 20, 50)  # garbage collection; hookbundle makes it rarer too


class Service:
    def __init__(self, asked: door.Asked, store: Store, client: aiohttp.ClientSession) -> None:
        self._url = asked.url
        self._store = store
        self._client = client
        self._due: deque[Opened] = deque()  # all windows have one length: the first is due first
        self._more = asyncio.Event()
        self._owed: Counter[str] = Counter()  # windows that are due, by workspace
        self._at_work: dict[str, asyncio.Task[None]] = {}

    async def take(self, ws: str, taken: Sequence[Taken]) -> None:
        self.expect(await self._store.accept(ws, taken))

    def expect(self, opened: Sequence[Opened]) -> None:
        self._due.extend(opened)
        if opened:
            self._more.set()

    async def sweep(self) -> None:
        while True:
            now_ms = time.time_ns() // 1_000_000
            while self._due and self._due[0].due_ms <= now_ms:
                ws = self._due.popleft().ws
                self._owed[ws] += 1
                if ws not in self._at_work:
                    self._at_work[ws] = asyncio.create_task(self._deliver(ws))
            if self._due:  # a window that is opened now is due after those that wait
                await asyncio.sleep((self._due[0].due_ms - now_ms) / 1_000)
            else:
                self._more.clear()
                await self._more.wait()

    async def _deliver(self, ws: str) -> None:
        """One bundle at a time, in order; what is delivered is off the disk before the next one."""
        done: int | None = None
        while self._owed[ws] or done is not None:
            bundle = await self._store.next_after(ws, done)
            if bundle is None:
                break
            self._owed[ws] -= 1
            await self._post(bundle)
            done = bundle.number
        del self._owed[ws], self._at_work[ws]

    async def _post(self, bundle: Bundle) -> None:
        body, headers = shape.bundle_body(bundle.members), shape.headers(bundle.number)
        errors = 0
        while not await self._accepted(body, headers):
            errors += 1
            await asyncio.sleep(shape.wait_s(errors))

    async def _accepted(self, body: bytes, headers: dict[str, str]) -> bool:
        try:
            async with self._client.post(self._url, data=body, headers=headers) as answer:
                await answer.read()
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False


async def main() -> None:
    asked = door.asked()
    store = Store(asked.data / "messages.sqlite3", asked.window_s)
    timeout = aiohttp.ClientTimeout(total=shape.REQUEST_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
        service = Service(asked, store, client)
        service.expect(store.start())
        sweeping = asyncio.create_task(service.sweep())
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT_AT)
        await door.serve(asked.socket_path, service.take)
        sweeping.cancel()


if __name__ == "__main__":
    asyncio.run(main())
