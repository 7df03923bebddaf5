"""Texts of which nothing may be left: written wherever a text can stand, deleted in every way there
is, and looked for in all files.

Each text begins with the mark and says where it was written, so that a file in which one is found
says what was forgotten. What facts of the feed say stays as long as they do, so it has no mark:
ids, and the names of workspaces, sources and tokens.
"""

import asyncio
import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hookbundle.tests.hook_receiver import Answer, HookReceiver
from hookbundle.tests.in_process import Api, event

MARK = "Zq7Canary"
PHONE = "972501237654"
STAYS = "Zq7Stays in a chat that stays"
WITHIN_S = 60.0
FAILING = Answer(500, (("X-Said", f"{MARK}-answer-header"),), f"{MARK}-answer-body".encode() * 9)
REQUESTS_SHOWN = 100  # of a webhook, which its log has whatever was trimmed
FIELDS = {
    "message_id": "id",
    "chat_id": "chat",
    "text": "text",
    "timestamp": "at",
    "chat_name": "contact",
}


def mark(place: str) -> str:
    return f"{MARK}-{place}"


def forms(text: str = MARK) -> Iterator[bytes]:
    """As it may stand in a file: in several encodings, and in base64 wherever it begins there."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield text.encode(encoding)
    yield text.encode().hex().encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode()).decode()
        yield encoded[4 if before else 0 : -4].encode()


def kept(*folders: Path) -> dict[str, list[str]]:
    """The files in which a mark still stands, and what the texts say of their places."""
    found = {}
    # `rglob` fails if a folder goes meanwhile; `walk` does not.
    names = (
        Path(at, name) for folder in folders for at, _, files in os.walk(folder) for name in files
    )
    for path in names:
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue  # the servers, and nodes that run, delete files
        if any(form in content for form in (*forms(), PHONE.encode())):
            words = re.findall(rf"{MARK}-([a-z-]+)".encode(), content)
            phone = ["phone"] if PHONE.encode() in content else []
            found[str(path)] = sorted({word.decode() for word in words}) + phone
    return found


async def nothing_kept(*folders: Path) -> dict[str, list[str]]:
    """Empty as soon as no file has a mark; log servers delete files a moment after they say so."""
    found = {}
    for _ in range(50):
        if not (found := kept(*folders)):
            break
        await asyncio.sleep(0.2)
    return found


def message(id_: str, chat: str, place: str) -> dict[str, Any]:
    """A message with the mark in every text that it has."""
    made = event(id_, chat, text=f"{mark(f'{place}-text')} نص محذوف " * 12)
    for who in ("sender", "recipient"):
        made["message"][who] = {"full_name": mark(f"{place}-{who}"), "phone": f"+{PHONE}"}
    made["chat"] |= {
        "full_name": mark(f"{place}-chat-name"),
        "phone": f"+{PHONE}",
        "responsible_name": mark(f"{place}-responsible"),
        "chat_url": f"https://app.example/{mark(f'{place}-chat-url')}",
        "labels": [mark(f"{place}-label")],
        "refs": {"hubspot": mark(f"{place}-ref")},
    }
    return made


async def done(api: Api, method: str, path: str, document: object = None, **more: Any) -> Any:
    """The answer's document; asked again while the partition changes hands."""
    async with asyncio.timeout(WITHIN_S):
        while (answer := await api.ask(method, path, document, **more)).status >= 500:
            await asyncio.sleep(0.1)
    assert answer.status < 300, answer
    return answer.document if answer.body else None


class Planted:
    """Workspaces, one for each way in which texts go. `good` answers 200, `failing` an error
    that repeats a mark."""

    def __init__(self, api: Api, good: HookReceiver, failing: HookReceiver) -> None:
        self.api = api
        self.good = good
        self.failing = failing

    async def written(self) -> None:
        self.failing.answers(FAILING)
        await asyncio.gather(self._chat(), self._workspace(), self._parts(), self._history())
        # What fails for a chat that stays is in the log of its webhook, and stays there.
        self.failing.answers(Answer(500))

    async def deleted(self) -> None:
        """By each way there is; what is done in steps is waited for by the compaction itself."""
        await asyncio.gather(
            done(self.api, "DELETE", "/v1/workspaces/of-chat/chats/deleted"),
            done(self.api, "DELETE", "/v1/workspaces/gone"),
            self._parts_deleted(),
            self._outlived(),
        )

    async def _hooks(self, name: str, place: str) -> None:
        """One that sends at once, one that collects, and one whose receiver fails."""
        await self.api.make(name, self.good, name)
        for id_, receiver, aggregation in (
            ("collects", self.good, "1h"),
            ("fails", self.failing, "none"),
        ):
            hook = {
                "id": id_,
                "url": f"{receiver.url(name)}?key={mark(f'{place}-url')}",
                "aggregation": aggregation,
                "request": {
                    "headers": {"X-Tenant": mark(f"{place}-header")},
                    "auth": {
                        "type": "basic",
                        "username": mark(f"{place}-user"),
                        "password": f"{MARK}-{place}-password",
                    },
                },
                "format": {
                    "template": {"note": mark(f"{place}-template") + "{{ messages | text }}"}
                },
            }
            made = await done(self.api, "POST", f"/v1/workspaces/{name}/webhooks", hook)
            receiver.trust(made["secret"], name)

    async def _messages(self, name: str, chat: str, place: str) -> None:
        path = f"/v1/workspaces/{name}/messages"
        for id_ in ("m1", "m2", "m3"):
            key = {"Idempotency-Key": mark(f"{place}-key-{id_}")}
            await done(self.api, "POST", path, [message(id_, chat, place)], headers=key)
        edited = {"message_id": "m3", "text": mark(f"{place}-edit")}
        early = {"message_id": "comes-later", "text": mark(f"{place}-early-edit")}
        for edit in (edited, early):
            await done(self.api, "POST", path, [{"chat": {"chat_id": chat}, "edit": edit}])
        await done(self.api, "POST", path, [event("stays", "stays", text=STAYS)])

    async def _delivered(self, name: str, count: int) -> None:
        """The good receiver has it, and the other one has failed."""
        await self.good.until(count, name)
        await self.failing.until(1, name)

    async def _chat(self) -> None:
        await self.api.make("of-chat", self.good, "of-chat")
        hook = {"id": "collects", "url": self.good.url("of-chat"), "aggregation": "1h"}
        fails = {"id": "fails", "url": self.failing.url("of-chat"), "aggregation": "none"}
        for each, receiver in ((hook, self.good), (fails, self.failing)):
            made = await done(self.api, "POST", "/v1/workspaces/of-chat/webhooks", each)
            receiver.trust(made["secret"], "of-chat")
        await self._messages("of-chat", "deleted", "chat")
        await self._delivered("of-chat", 4)

    async def _workspace(self) -> None:
        await self._hooks("gone", "workspace")
        await done(
            self.api,
            "PATCH",
            "/v1/workspaces/gone",
            {"owner_email": f"{mark('owner')}@acme.example"},
        )
        await self._messages("gone", "any", "workspace")
        await self._source("gone", "workspace-source")
        token = {"scope": "admin", "workspace": "gone", "name": "a token"}
        await done(self.api, "POST", "/v1/tokens", token)
        await self._delivered("gone", 4)

    async def _parts(self) -> None:
        """A source, webhooks, tokens, a message are deleted one by one; secrets are replaced."""
        await self._hooks("parts", "part")
        await done(
            self.api,
            "PATCH",
            "/v1/workspaces/parts/webhooks/outbound",
            {"request": {"headers": {"X-Secret": mark("replaced-header")}}},
        )
        sent = event("m1", "any", text=STAYS)
        await done(self.api, "POST", "/v1/workspaces/parts/messages", [sent])
        await self.api.make("waits", self.good, "waits", aggregation="1h")
        waiting = event("m1", "other", text=mark("deleted-message") * 9)
        await done(self.api, "POST", "/v1/workspaces/waits/messages", [waiting])
        self.source = await self._source("parts", "part-source")
        self.tokens = [
            await done(
                self.api,
                "POST",
                "/v1/tokens",
                {"scope": "admin", "name": "a token", **more},
            )
            for more in ({}, {"workspace": "parts"})
        ]
        await self._delivered("parts", 1)

    async def _source(self, name: str, place: str) -> str:
        """Its id; it has got what it knows, and what it does not."""
        made = await done(
            self.api,
            "POST",
            f"/v1/workspaces/{name}/sources",
            {
                "kind": "generic",
                "name": "a source",
                "settings": {
                    "account": {"full_name": mark(f"{place}-account"), "email": "a@acme.example"},
                    "chat_url": f"https://app.example/{mark(f'{place}-link')}/{{chat_id}}",
                    "fields": FIELDS,
                },
            },
        )
        for body in (
            {"other": mark(f"{place}-unknown-body") * 3},
            {"id": 7, "text": mark(f"{place}-wrong-body")},
        ):
            answer = await self.api.ask("POST", f"/v1/sources/{made['token']}", body)
            assert answer.status < 500, answer
        return str(made["id"])

    async def _history(self) -> None:
        await self.api.make("old", self.good, "old")
        sent = event("m1", text=mark("history-text") * 12)
        await done(self.api, "POST", "/v1/workspaces/old/messages", [sent])
        await self.good.until(1, "old")

    async def _parts_deleted(self) -> None:
        api, path = self.api, "/v1/workspaces/parts"
        chat = {"chat_id": "other"}
        delete = [{"chat": chat, "delete": {"message_id": "m1"}}]
        await done(api, "POST", "/v1/workspaces/waits/messages", delete)
        await done(api, "DELETE", f"{path}/sources/{self.source}")
        for token in self.tokens:
            await done(api, "DELETE", f"/v1/tokens/{token['id']}")
        changed: dict[str, Any] = {"request": {"headers": {}}}
        await done(api, "PATCH", f"{path}/webhooks/outbound", changed)
        await done(api, "DELETE", f"{path}/webhooks/collects")
        await done(api, "DELETE", f"{path}/webhooks/fails")

    async def _outlived(self) -> None:
        """As many requests as the log of a webhook shows came later, and history was trimmed."""
        path = "/v1/workspaces/old"
        first = (await done(self.api, "GET", f"{path}/deliveries"))["deliveries"]
        later = [event(f"later{n}") for n in range(REQUESTS_SHOWN + 1)]
        await done(self.api, "POST", f"{path}/messages", later)
        await self.good.until(REQUESTS_SHOWN + 2, "old")
        async with asyncio.timeout(WITHIN_S):
            for each in first:
                while (await self.api.ask("GET", f"{path}/deliveries/{each['id']}")).status != 410:
                    await asyncio.sleep(0.1)
