"""The operator's forward proxy, where it is the only way out.

For https the proxy is asked to connect (CONNECT), and TLS is between here and the receiver; for
http it gets the request with the whole URL. Where the proxy itself is, is the operator's word, and
no guard judges it; what it is asked for is judged by the same guard as without it (`judge`).
"""

import asyncio
import base64
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from aiohttp.abc import AbstractResolver

from hookbundle.actors.outbound.errors import ProxyError
from hookbundle.engine.delivery.addresses import AddressPolicy, port_refusal
from hookbundle.engine.delivery.outcomes import ErrorClass

ANSWER_BYTES_MAX = 16 * 1024
END_OF_HEAD = b"\r\n\r\n"
STATUS = re.compile(rb"HTTP/1\.[0-9] ([1-5][0-9]{2})(?=[ \r\n])")
LOGIN_WANTED = 407
LOCAL_NAMES = re.compile(r"(?:.+\.)?(?:localhost|local|internal)\.?|[^.]+\.?")
UNREACHABLE = "the proxy of this service could not be reached"
LOGIN = "the proxy of this service refused its credentials (407)"

ProxyNames = Literal["here", "proxy"]


@dataclass(frozen=True, slots=True)
class Proxy:
    """`login`: `USER:PASSWORD`, or empty. `names`: who looks up the receivers' host names, and with
    that whose word the address guard goes by."""

    host: str
    port: int
    login: str = ""
    names: ProxyNames = "here"

    @property
    def credentials(self) -> dict[str, str]:
        """The header field with the login, if there is one."""
        if not self.login:
            return {}
        encoded = base64.b64encode(self.login.encode()).decode("ascii")
        return {"Proxy-Authorization": f"Basic {encoded}"}


async def judge(
    policy: AddressPolicy,
    proxy: Proxy,
    host: str,
    port: int,
    look_up: Callable[[], Awaitable[list[str]]],
) -> str | None:
    """Why the proxy may not be asked for this host; None if it may.

    The proxy chooses among the addresses of a name, so all of them have to be allowed. What
    `look_up` raises is raised.
    """
    refusal = port_refusal(port)
    if refusal is not None:
        return refusal
    try:
        addresses = [str(ip_address(host))]
    except ValueError:
        if proxy.names == "proxy":
            return "a local name" if LOCAL_NAMES.fullmatch(host) else None
        addresses = await look_up()
    return next((found for each in addresses if (found := policy.refusal(each, port))), None)


async def reach(
    proxy: Proxy,
    resolver: AbstractResolver,
    factory: Callable[[], asyncio.Protocol],
    within_s: float,
) -> tuple[asyncio.Transport, asyncio.Protocol]:
    """A connection to the proxy. Raises: ProxyError."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(within_s):
            found = await _addresses(proxy, resolver)
            for at, address in enumerate(found):
                try:
                    return await loop.create_connection(factory, address, proxy.port)
                except OSError:
                    if at == len(found) - 1:
                        raise
    except OSError as exc:  # a look-up's errors and TimeoutError are such, too
        raise ProxyError(ErrorClass.PROXY, UNREACHABLE) from exc
    raise ProxyError(ErrorClass.PROXY, UNREACHABLE)


async def tunnel(
    proxy: Proxy, transport: asyncio.Transport, handshake: "Handshake", authority: str
) -> None:
    """The proxy has connected to `authority`. Raises: ProxyError."""
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    lines += [f"{name}: {value}" for name, value in proxy.credentials.items()]
    transport.write(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
    status = await handshake.status
    if 200 <= status < 300:
        return
    if status == LOGIN_WANTED:
        raise ProxyError(ErrorClass.PROXY, LOGIN)
    if not status:
        raise ProxyError(ErrorClass.PROXY, "the proxy of this service gave no answer")
    detail = f"the proxy of this service did not connect to the receiver (it answered {status})"
    raise ProxyError(ErrorClass.PROXY_REFUSED, detail)


class Handshake(asyncio.Protocol):
    """Reads the proxy's answer to CONNECT. `status`: 0 if what came is none."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._data = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(END_OF_HEAD)
        if end < 0 and len(self._data) <= ANSWER_BYTES_MAX:
            return
        match = STATUS.match(self._data)
        # What follows a tunnel's head would be the receiver's, who has to wait for the first word.
        is_odd = match is not None and match[1][:1] == b"2" and len(self._data) > end + 4
        if self._transport is not None:
            self._transport.pause_reading()
        self._end(int(match[1]) if match is not None and end >= 0 and not is_odd else 0)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._end(0)

    def _end(self, status: int) -> None:
        if not self.status.done():
            self.status.set_result(status)


async def start_tls(
    transport: asyncio.Transport,
    protocol: asyncio.Protocol,
    context: ssl.SSLContext,
    host: str,
) -> None:
    """The protocol speaks TLS with `host` over the tunnel. Raises: ssl.SSLError, OSError."""
    loop = asyncio.get_running_loop()
    secured = await loop.start_tls(transport, protocol, context, server_hostname=host)
    if secured is None:
        raise ConnectionResetError
    protocol.connection_made(secured)


async def _addresses(proxy: Proxy, resolver: AbstractResolver) -> list[str]:
    try:
        return [str(ip_address(proxy.host))]
    except ValueError:
        return [one["host"] for one in await resolver.resolve(proxy.host, proxy.port)]
