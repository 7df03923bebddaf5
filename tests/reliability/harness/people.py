"""The people of the battery: those who send, one who creates and deletes, and an operator.

They ask whichever daemon is alive, until it is not. What they were told stands in `seen`.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from hookbundle.tests.feed_readers import Subscriber
from hookbundle.tests.in_process import Answer, Api, event
from hookbundle.tests.reliability.harness.seen import Asked, Deleted, Seen
from hookbundle.tests.reliability.harness.witness import Witness

BEHIND_MAX = 8  # messages that a workspace's receiver has not got; then its clients wait
TEXT_CHARS = (20, 20, 2_000, 20_000)
GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass(slots=True)
class Daemon:
    """The one of this life, as its people see it. `ended`: there is nobody to ask any more."""

    api: Api
    ended: bool = False

    async def ask(self, method: str, path: str, document: object = None, **more: Any) -> Answer:
        """Raises: one of GONE."""
        if self.ended:
            raise ConnectionError("the daemon is dead")
        return await self.api.ask(method, path, document, **more)


@dataclass(slots=True)
class Client:
    """Sends the messages of one chat, one request after the other."""

    ws: str
    chat: str
    seen: Seen
    witness: Witness
    chance: Random
    number: int = 0
    acknowledged: int = 0
    again: list[Asked] = field(default_factory=list)
    key: str = ""

    async def talk(self, daemon: Daemon, clients: list["Client"]) -> None:
        mates = [client for client in clients if client.ws == self.ws]

        def may_go_on() -> bool:
            sent = sum(client.acknowledged for client in mates)
            return daemon.ended or sent - self.witness.arrived[self.ws] < BEHIND_MAX

        while not daemon.ended:
            await self.witness.wait_for(may_go_on)
            if not await self._send(daemon):
                return
            if self.chance.random() < 0.2 and self.ws.startswith("bundle"):
                await self._flush(daemon)

    async def _send(self, daemon: Daemon) -> bool:
        """False once the daemon takes nothing more."""
        batch = self.again or self._next()
        self.again = batch
        events = [event(each.message_id, self.chat, text=each.text) for each in batch]
        headers = {"Idempotency-Key": self.key} if self.key else {}
        path = f"/v1/workspaces/{self.ws}/messages"
        try:
            answer = await daemon.ask("POST", path, events, headers=headers)
        except GONE:
            if self.chance.random() < 0.3:
                self.again = []
            return False
        if answer.status != 202:
            return False
        for each in batch:
            each.outcome = "acknowledged"
        self.acknowledged += len(batch)
        self.again = []
        await self.witness.news()
        return True

    def _next(self) -> list[Asked]:
        self.key = f"{self.ws} {self.chat} {self.number}" if self.chance.random() < 0.5 else ""
        batch = []
        for _ in range(self.chance.randint(1, 3)):
            self.number += 1
            text = "x" * self.chance.choice(TEXT_CHARS)
            batch.append(Asked(self.ws, self.chat, str(self.number), text, self.seen.tick()))
        self.seen.asked += batch
        return batch

    async def _flush(self, daemon: Daemon) -> None:
        try:
            await daemon.ask("POST", f"/v1/workspaces/{self.ws}/chats/{self.chat}/flush")
        except GONE:
            return


@dataclass(slots=True)
class Vandal:
    """Creates a workspace, fills it, deletes a chat of it and then all of it; and again."""

    seen: Seen
    witness: Witness
    number: int = 0
    erased: set[str] = field(default_factory=set)

    async def come_and_go(self, daemon: Daemon) -> None:
        while not daemon.ended:
            self.number += 1
            ws = f"gone{self.number}"
            try:
                await self._make_and_delete(daemon, ws)
            except GONE:
                return
            await self.witness.wait_for(lambda ws=ws: daemon.ended or ws in self.erased)  # type: ignore[misc]

    async def _make_and_delete(self, daemon: Daemon, ws: str) -> None:
        """Raises: one of GONE."""
        hook = {"url": self.witness.url(ws), "aggregation": "1h"}
        whole = {"name": ws, "owner_email": f"owner@{ws}.example", "webhook": hook}
        made = await daemon.ask("PUT", f"/v1/workspaces/{ws}", whole)
        assert made.status == 201, made
        self.witness.trust(made.document["secret"], ws)
        for chat in ("one", "two"):
            for turn in range(3):
                await self._send(daemon, ws, chat, f"{turn}")
                await daemon.ask("POST", f"/v1/workspaces/{ws}/chats/{chat}/flush")
            await self._send(daemon, ws, chat, "open")
        await self._delete(daemon, ws, "one")
        await self._delete(daemon, ws, "")

    async def _send(self, daemon: Daemon, ws: str, chat: str, message_id: str) -> None:
        asked = Asked(ws, chat, message_id, "soon gone", self.seen.tick())
        self.seen.asked.append(asked)
        document = event(message_id, chat, text=asked.text)
        answer = await daemon.ask("POST", f"/v1/workspaces/{ws}/messages", document)
        asked.outcome = "acknowledged" if answer.status == 202 else "unknown"

    async def _delete(self, daemon: Daemon, ws: str, chat: str) -> None:
        path = f"/v1/workspaces/{ws}" + (f"/chats/{chat}" if chat else "")
        try:
            await daemon.ask("DELETE", path)
        finally:
            self.seen.deleted.append(Deleted(ws, chat, self.seen.tick()))


@dataclass(slots=True)
class Operator:
    """Reads the feed, and enables what was disabled."""

    seen: Seen
    witness: Witness
    vandal: Vandal

    async def watch(self, daemon: Daemon, feed: Subscriber, workspaces: list[str]) -> None:
        try:
            for ws in workspaces:
                shown = await daemon.ask("GET", f"/v1/workspaces/{ws}")
                if shown.document["webhook"]["state"] == "disabled":
                    await self._enable(daemon, ws)
            while (frame := await feed.hear()) is not None:
                if "seq" not in frame:
                    continue
                self.seen.told.append(frame)
                if frame["type"] == "webhook.disabled":
                    await self._enable(daemon, frame["workspace"])
                if frame["type"] == "workspace.erased":
                    self.vandal.erased.add(frame["workspace"])
                    await self.witness.news()
        except GONE:
            return

    async def _enable(self, daemon: Daemon, ws: str) -> None:
        self.witness.is_good_again(ws)
        await daemon.ask("POST", f"/v1/workspaces/{ws}/webhook/enable")
