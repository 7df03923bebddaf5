"""HTTP/1.1 as bytes: requests that are made beforehand, and connections that send them.

On two processors a client as slow as the daemon would measure itself, so nothing is encoded while
the measuring goes on.
"""

import asyncio
import json
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

TIMEOUT_S = 60.0
Address = tuple[str, int]


def request(method: str, path: str, body: bytes = b"", token: str = "", **headers: str) -> bytes:
    """The bytes of a request; an underscore in a header's name is a hyphen."""
    given = {"Host": "localhost", **{name.replace("_", "-"): v for name, v in headers.items()}}
    if token:
        given["Authorization"] = f"Bearer {token}"
    if "Transfer-Encoding" not in given and (body or method != "GET"):
        given.setdefault("Content-Length", str(len(body)))
    if body:
        given.setdefault("Content-Type", "application/json")
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {v}" for name, v in given.items()), "", ""]
    return "\r\n".join(lines).encode("utf-8", "surrogateescape") + body


PERSON = {"full_name": "Sam Sender", "phone": "+1 555 0199"}
SHAPE = json.dumps(
    {
        "whatsapp_account": {"full_name": "Ann", "email": "ann@x.example", "phone": "+1"},
        "chat": {
            "full_name": "Sam Sender",
            "responsible_name": "Rae",
            "responsible_email": "rae@x.example",
            "chat_url": "https://inbox.example/chats/1",
            "chat_id": "%s",
            "is_new_chat": False,
            "is_group": False,
            "phone": "+1 555 0199",
        },
        "message": {
            "direction": "received",
            "timestamp": 1_767_225_600,
            "message_id": "%s",
            "sender": PERSON,
            "recipient": PERSON,
            "text": "%s",
        },
    },
    separators=(",", ":"),
)


def message(message_id: str, chat: str, text: str = "What about Thursday?") -> bytes:
    """One message as JSON; the words are put in as they are."""
    return (SHAPE % (chat, message_id, text)).encode()


def array(messages: list[bytes]) -> bytes:
    return b"[%b]" % b",".join(messages)


def path_of(workspace: str, what: str = "") -> str:
    return f"/v1/workspaces/{quote(workspace)}{what}"


def post(workspace: str, token: str, body: bytes, **headers: str) -> bytes:
    """A request that takes messages in."""
    return request("POST", path_of(workspace, "/messages"), body, token, **headers)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    head: str
    body: bytes


class Line:
    """A kept-alive connection; `await line.ask(data)` is the answer to one request.

    Raises: OSError or EOFError once the daemon has closed it, TimeoutError if it says nothing.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, address: Address, limit: int = 2**16) -> Self:
        return cls(*await asyncio.open_connection(*address, limit=limit))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, data: bytes, timeout_s: float = TIMEOUT_S) -> Reply:
        async with asyncio.timeout(timeout_s):
            # A refusal may come before the body is sent, so it is read meanwhile.
            self.writer.write(data)
            return await self.hear()

    async def hear(self) -> Reply:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lower = head.lower()
        status = int(head[9:12])
        if "transfer-encoding: chunked" in lower:
            return Reply(status, head, await self._chunks())
        length = lower.partition("content-length:")[2].partition("\r\n")[0]
        body = await self.reader.readexactly(int(length)) if length else b""
        return Reply(status, head, body)

    async def _chunks(self) -> bytes:
        found = b""
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            found += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readuntil(b"\r\n")
        return found

    def close(self) -> None:
        self.writer.transport.abort()
