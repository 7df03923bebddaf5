"""The daemon's users in the crash tests: clients that send, one that deletes, and an operator.

They use the daemon of the current life until it ends, and record its answers in `seen`.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from hookbundle.tests.feed_readers import Subscriber
from hookbundle.tests.in_process import Answer, Api, event
from hookbundle.tests.reliability.harness.recording_peers import RecordingReceiver
from hookbundle.tests.reliability.harness.seen import Asked, Deleted, Seen

BEHIND_MAX = 8  # acknowledged messages that have not arrived; with more, clients wait
TEXT_CHARS = (20, 20, 2_000, 20_000)
GONE = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass(slots=True)
class Daemon:
    """The daemon of this life, as its users see it. `ended`: it has been killed."""

    api: Api
    ended: bool = False

    async def ask(self, method: str, path: str, document: object = None, **more: Any) -> Answer:
        """Raises: one of GONE."""
        if self.ended:
            raise ConnectionError("the daemon is dead")
        return await self.api.ask(method, path, document, **more)


@dataclass(slots=True)
class Client:
    """Sends the messages of one chat, one request after another."""

    ws: str
    chat: str
    seen: Seen
    receiver: RecordingReceiver
    rng: Random
    number: int = 0
    acknowledged: int = 0
    again: list[Asked] = field(default_factory=list)
    key: str = ""

    async def send_all(self, daemon: Daemon, clients: list["Client"]) -> None:
        mates = [client for client in clients if client.ws == self.ws]

        def may_go_on() -> bool:
            sent = sum(client.acknowledged for client in mates)
            return daemon.ended or sent - self.receiver.arrived[self.ws] < BEHIND_MAX

        while not daemon.ended:
            await self.receiver.wait_for(may_go_on)
            if not await self._send(daemon):
                return
            if self.rng.random() < 0.2 and self.ws.startswith("bundle"):
                await self._flush(daemon)

    async def _send(self, daemon: Daemon) -> bool:
        """False once the daemon accepts nothing more."""
        batch = self.again or self._next()
        self.again = batch
        events = [event(each.message_id, self.chat, text=each.text) for each in batch]
        headers = {"Idempotency-Key": self.key} if self.key else {}
        path = f"/v1/workspaces/{self.ws}/messages"
        try:
            answer = await daemon.ask("POST", path, events, headers=headers)
        except GONE:
            if self.rng.random() < 0.3:
                self.again = []
            return False
        if answer.status != 202:
            return False
        for each in batch:
            each.outcome = "acknowledged"
        self.acknowledged += len(batch)
        self.again = []
        await self.receiver.news()
        return True

    def _next(self) -> list[Asked]:
        self.key = f"{self.ws} {self.chat} {self.number}" if self.rng.random() < 0.5 else ""
        batch = []
        for _ in range(self.rng.randint(1, 3)):
            self.number += 1
            text = "x" * self.rng.choice(TEXT_CHARS)
            batch.append(Asked(self.ws, self.chat, str(self.number), text, self.seen.tick()))
        self.seen.asked += batch
        return batch

    async def _flush(self, daemon: Daemon) -> None:
        try:
            await daemon.ask("POST", f"/v1/workspaces/{self.ws}/chats/{self.chat}/flush")
        except GONE:
            return


@dataclass(slots=True)
class Deleter:
    """Creates a workspace, fills it, deletes a chat and then the workspace; then starts again."""

    seen: Seen
    receiver: RecordingReceiver
    number: int = 0
    erased: set[str] = field(default_factory=set)

    async def create_and_delete(self, daemon: Daemon) -> None:
        while not daemon.ended:
            self.number += 1
            ws = f"gone{self.number}"
            try:
                await self._make_and_delete(daemon, ws)
            except GONE:
                return
            await self.receiver.wait_for(lambda ws=ws: daemon.ended or ws in self.erased)  # type: ignore[misc]

    async def _make_and_delete(self, daemon: Daemon, ws: str) -> None:
        """Raises: one of GONE."""
        hook = {"url": self.receiver.url(ws), "aggregation": "1h"}
        whole = {"name": ws, "owner_email": f"owner@{ws}.example", "webhook": hook}
        made = await daemon.ask("PUT", f"/v1/workspaces/{ws}", whole)
        assert made.status == 201, made
        self.receiver.trust(made.document["secret"], ws)
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
    """Reads the feed, and enables each webhook that was disabled."""

    seen: Seen
    receiver: RecordingReceiver
    deleter: Deleter

    async def watch(self, daemon: Daemon, feed: Subscriber, workspaces: list[str]) -> None:
        try:
            for ws in workspaces:
                shown = await daemon.ask("GET", f"/v1/workspaces/{ws}")
                if shown.document["webhook"]["state"] == "disabled":
                    await self._enable(daemon, ws)
            while (frame := await feed.hear()) is not None:
                if "seq" not in frame:
                    continue
                self.seen.heard.append(frame)
                if frame["type"] == "webhook.disabled":
                    await self._enable(daemon, frame["workspace"])
                if frame["type"] == "workspace.erased":
                    self.deleter.erased.add(frame["workspace"])
                    await self.receiver.news()
        except GONE:
            return

    async def _enable(self, daemon: Daemon, ws: str) -> None:
        self.receiver.is_good_again(ws)
        await daemon.ask("POST", f"/v1/workspaces/{ws}/webhook/enable")
