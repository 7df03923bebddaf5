"""The client of the log servers, narrowed to what is used of it.

It goes from server to server by itself when one is lost, and it gives up for ever when a server
says why it closes (too many connections, a password that is no longer right): `closed` is called
then, and connection.py makes another client. Some of its own methods, which are not public, are
changed here: for safety, and because each group of a log's owner waits for what they do; tests fail
if they are no longer what they were.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import nats.errors
from nats.aio.client import DEFAULT_BUFFER_SIZE, Client, RawCredentials, Srv
from nats.aio.transport import TcpTransport

CONNECT_WITHIN_S = 2
AGAIN_S = 0.25
PING_EVERY_S = 1.0
PINGS_MAX = 2  # without an answer: a server that is frozen is left after some three seconds
PENDING_BYTES_MAX = 64 * 1024 * 1024  # what waits to be sent: the parts of a large group
AT_ONCE_BYTES_MAX = 64 * 1024  # what is larger waits until there is room for it
VERSION_LINE = "NATS/1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """Where the log servers are, and how they are spoken to.

    `urls`: `nats://HOST:PORT` or `tls://HOST:PORT`; one of the second kind, a `ca_file` or a
    `cert_file`, and nothing is said to a server without TLS. `ca_file`: PEM; empty: the machine's.
    `cert_file`, `key_file`: shown to servers that want a certificate, PEM; the key may be in the
    first one. `creds`: the text of a .creds file, `seed`: an nkey's; one of them, or a user.
    """

    urls: tuple[str, ...]
    user: str = ""
    password: str = ""
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    creds: str = ""
    seed: str = ""

    @property
    def is_secure(self) -> bool:
        asked = self.ca_file or self.cert_file
        return bool(asked) or any(url.startswith("tls://") for url in self.urls)

    def tls(self) -> ssl.SSLContext:
        """Raises: OSError, which ssl.SSLError is too, if a file can't be used."""
        context = ssl.create_default_context(cafile=self.ca_file or None)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file or None)
        return context

    def login(self) -> dict[str, Any]:
        """As the client wants it."""
        if self.creds:
            return {"user_credentials": RawCredentials(self.creds)}
        if self.seed:
            return {"nkeys_seed_str": self.seed}
        return {"user": self.user, "password": self.password} if self.user else {}


@dataclass(frozen=True, slots=True)
class Message:
    """`status`: what a server says instead of a message, such as "503"; else empty."""

    subject: str
    reply_to: str
    status: str
    headers: Mapping[str, str]
    body: bytes


class Unreachable(Exception):
    """Nothing was sent, or nobody was there who could get it."""


class NoAnswer(Exception):
    """What was asked may have been done, or may be done later."""


Heard = Callable[[Message], None]


class Transport(TcpTransport):
    """A connection to one server."""

    async def connect_tls(self, *given: Any, **named: Any) -> None:
        plain: Any = self._io_writer
        try:
            await super().connect_tls(*given, **named)
        except BaseException:
            # The end of a connection whose TLS has failed is told to nobody, and the client would
            # wait for it for ever: one server with a bad certificate could stop each node.
            plain.transport.abort()
            self._io_reader = self._io_writer = None
            raise
        # Else each connection that ends is a warning of asyncio's in the log.
        secured: Any = self._io_writer
        secured._protocol._over_ssl = True


class LogClient(Client):
    """`begin()`, then `close()`. `tried`: the server that was last, HOST:PORT.

    `passed_over`: one that is not taken the next time."""

    def __init__(self, servers: Servers) -> None:
        """Raises: OSError if certificates can't be read."""
        super().__init__()
        self._servers = servers
        self._hearing: dict[int, Heard] = {}
        self.tried = ""
        self.passed_over = ""
        self._has_written = False
        self._rest: list[bytes] = []
        self._login = servers.login()
        if servers.is_secure:
            self._login["tls"] = servers.tls()

    async def _connect_to_server(self, s: Srv) -> None:
        if s.uri.netloc == self.passed_over:
            self.passed_over = ""
            raise ConnectionRefusedError("another one can do what it can not")
        # The client's own has a transport of another kind, and forgets the connection of a try that
        # came to nothing, as to a server that is frozen: it would stay open until the garbage is
        # collected.
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call]
        self.tried, s.last_attempt = s.uri.netloc, time.monotonic()
        self._transport = Transport()  # type: ignore[no-untyped-call]
        await self._transport.connect(s.uri, DEFAULT_BUFFER_SIZE, CONNECT_WITHIN_S)

    async def _process_info(self, info: dict[str, Any], initial_connection: bool = False) -> None:
        # Without this, who stands between the two makes a connection without TLS out of one with
        # it, and is given the password.
        if initial_connection and self._servers.is_secure and not info.get("tls_required"):
            raise nats.errors.SecureConnWantedError
        await super()._process_info(info, initial_connection)

    async def _process_msg(
        self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes
    ) -> None:
        # The client's own puts what came into a queue, from which a task takes it, and its headers
        # are read letter by letter. An error here would end the reading of the connection, without
        # a word: a message that is garbage would cost each node that hears it three seconds.
        heard = self._hearing.get(sid)
        if heard is None:
            return
        try:
            heard(_read(subject.decode(), reply.decode(), data, headers))
        except Exception as exc:  # noqa: BLE001 - of who hears; the next one is heard all the same
            await self._error_cb(exc)

    async def _send_publish(
        self,
        subject: str,
        reply: str,
        payload: bytes,
        payload_size: int,
        headers: dict[str, Any] | None,
    ) -> None:
        # The client's own looks at each name and value for what ours never have.
        head = _written(headers) if headers else b""
        sizes = f"{len(head)} {len(head) + payload_size}" if head else str(payload_size)
        command = f"{'HPUB' if head else 'PUB'} {subject} {reply} {sizes}\r\n".encode()
        message = b"".join((command, head, payload, b"\r\n"))
        transport, is_small = self._transport, len(message) <= AT_ONCE_BYTES_MAX
        if transport is not None and self.is_connected and is_small and not self._pending:
            # The first of a turn of the loop is written at once: somebody waits for its answer. To
            # write each of the others would cost more than what else is done with it.
            if self._has_written:
                self._rest.append(message)
                return
            self._has_written = True
            transport.write(message)
            asyncio.get_running_loop().call_soon(self._write_rest)
            return
        rest, self._rest = self._rest, []
        await self._send_command(b"".join((*rest, message)))
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()

    def _write_rest(self) -> None:
        """What was published in this turn of the loop after the first one. If the connection was
        lost meanwhile, nobody knows what became of it, as of all that was under way."""
        self._has_written = False
        rest, self._rest = self._rest, []
        if rest and self._transport is not None and self.is_connected:
            self._transport.write(b"".join(rest))

    async def begin(
        self,
        name: str,
        failed: Callable[[Exception], Awaitable[None]],
        lost: Callable[[], Awaitable[None]],
        closed: Callable[[], Awaitable[None]],
    ) -> None:
        """The client is connected; it tries until it is cancelled.

        `name`: shown by the servers. `failed` is told of every try; `lost`, `closed`: there is no
        connection now, and there will be none any more.
        """
        timing: dict[str, Any] = {"reconnect_time_wait": AGAIN_S, "ping_interval": PING_EVERY_S}
        await self.connect(
            list(self._servers.urls),
            error_cb=failed,
            disconnected_cb=lost,
            closed_cb=closed,
            name=name,
            connect_timeout=CONNECT_WITHIN_S,
            max_reconnect_attempts=-1,
            max_outstanding_pings=PINGS_MAX,
            pending_size=PENDING_BYTES_MAX,
            **timing,
            **self._login,
        )

    async def tell(
        self, subject: str, body: bytes, headers: Mapping[str, str], reply_to: str
    ) -> None:
        """Sent, if the connection holds. Raises: Unreachable; NoAnswer."""
        if not self.is_connected:
            # It would be kept and sent much later.
            raise Unreachable("there is no connection to a log server")
        try:
            await self.publish(subject, body, reply_to, dict(headers) if headers else None)
        except nats.errors.Error as exc:
            raise Unreachable(str(exc)) from exc
        except OSError as exc:
            raise NoAnswer(str(exc)) from exc  # some of it may have been sent

    async def hear(self, subject: str, heard: Heard) -> None:
        """`heard` gets each message on the subject, also of another server.

        Not from now on: the server is told of it with what is sent next. Raises: Unreachable.
        """

        try:
            self._hearing[(await self.subscribe(subject))._id] = heard
        except nats.errors.Error as exc:
            raise Unreachable(str(exc)) from exc


def _written(headers: Mapping[str, str]) -> bytes:
    """Raises: ValueError if a value has more than one line."""
    lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
    if lines.count("\n") != len(headers):
        raise ValueError("a header has one line")
    return f"{VERSION_LINE}\r\n{lines}\r\n".encode()


def _read(subject: str, reply_to: str, body: bytes, written: bytes | None) -> Message:
    """What is no header in its headers is passed over."""
    if not written:
        return Message(subject, reply_to, "", NO_HEADERS, body)
    first, *lines = written.decode(errors="replace").split("\r\n")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip()] = value.strip()
    # What a server says has no body; an entry of a log may have none either, and has a number.
    status = ""
    if not body and "Nats-Sequence" not in headers:
        status = first[len(VERSION_LINE) :].strip().partition(" ")[0]
    return Message(subject, reply_to, status, headers, body)


NO_HEADERS: Mapping[str, str] = {}
