"""The two ways to ask for the addresses of a host: `dns` (c-ares), and `system` (getaddrinfo).

Neither remembers an answer, and neither bounds how much it is asked: both is done once, in
look_ups.py.
"""

import asyncio
import socket
import weakref
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any, Literal, TypeVar

import aiodns
import pycares
from aiodns import error as dns_error
from aiohttp.abc import AbstractResolver, ResolveResult

from hookbundle.actors.outbound.errors import LookUpError, LookUpTimeoutError
from hookbundle.engine.delivery.outcomes import ErrorClass

ResolverKind = Literal["dns", "system"]
T = TypeVar("T")

SYSTEM_THREADS = 32
# With one name server, two tries end within the limit: after a third of it, and two thirds later.
TRIES = 2
THIRDS = 3
DISCARD_PORT = 9
# Of each family. The name server of a host decides how many it has, up to thousands, and each one
# that is tried costs a socket and a millisecond.
ADDRESSES_MAX = 8

NOT_FOUND = "the host name was not found"
NOT_ASKED = "this machine could not look the host name up"
NOT_FOUND_CODES = frozenset(
    {dns_error.ARES_ENOTFOUND, dns_error.ARES_ENODATA, dns_error.ARES_EBADNAME}
)
# The name servers that this machine is told to ask are not there, or it has nothing to ask with.
LOCAL_CODES = frozenset(
    {dns_error.ARES_ECONNREFUSED, dns_error.ARES_ENOMEM, dns_error.ARES_EFILE}
    | {dns_error.ARES_ECANCELLED, dns_error.ARES_EDESTRUCTION}
)


@dataclass(frozen=True, slots=True)
class ResolverConfig:
    """`servers`: asked instead of those in resolv.conf, each `ADDRESS:PORT`."""

    kind: ResolverKind = "dns"
    servers: tuple[str, ...] = ()


BY_DNS = ResolverConfig()


class _Question(aiodns.DNSResolver):
    """aiodns on the loop itself, without its thread and its watch over resolv.conf.

    A private name of aiodns: it does the same where it can't have a thread. The pinned version and
    the tests of shares would show if it went away.
    """

    def _make_channel(self, **options: Any) -> tuple[bool, pycares.Channel]:
        me = weakref.ref(self)

        def changed(fd: int, readable: bool, writable: bool) -> None:
            question = me()
            if question is not None:
                question._sock_state_cb(fd, readable, writable)

        channel = pycares.Channel(sock_state_cb=changed, timeout=self._timeout, **options)
        return False, channel


class DnsResolver(AbstractResolver):
    """c-ares: /etc/hosts, then the name servers of resolv.conf, on the event loop.

    Each look-up has a channel of its own, which costs less than the question itself. Among
    look-ups that share one, a single malformed answer fails all; a channel remembers for up to an
    hour that a name has no address; and nothing of it can be given up before the rest.
    """

    def __init__(self, servers: tuple[str, ...], within_s: Callable[[], float]) -> None:
        self._servers = servers
        self._within_s = within_s

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises: LookUpError."""
        within_s = self._within_s()
        try:
            question = _Question(self._servers or None, timeout=within_s / THIRDS, tries=TRIES)
        except pycares.AresError as exc:
            raise LookUpError(ErrorClass.LOCAL, NOT_ASKED) from exc
        try:
            async with asyncio.timeout(within_s):
                found = await question.getaddrinfo(
                    host, family=family, port=port, type=socket.SOCK_STREAM
                )
        except TimeoutError as exc:
            raise LookUpTimeoutError from exc
        except dns_error.DNSError as exc:
            raise _look_up_error(exc.args[0]) from exc
        finally:
            await question.close()
        return reachable(
            [
                _result(host, node.addr[0].decode("ascii"), port, node.family, socket.IPPROTO_TCP)
                for node in few(found.nodes, attrgetter("family"))
            ]
        )

    async def close(self) -> None:
        """There is nothing to close: look-ups end with the task that waits."""


class SystemResolver(AbstractResolver):
    """getaddrinfo, for those who need nsswitch, on threads that nothing else uses.

    A thread is held until the system gives up, which may be long after everybody here has.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(SYSTEM_THREADS, thread_name_prefix="dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        # ADDRCONFIG: a machine without IPv6 gets no IPv6 addresses, which it could not reach.
        look_up = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        try:
            found = await asyncio.get_running_loop().run_in_executor(self._pool, look_up)
        except UnicodeError as exc:
            raise LookUpError(ErrorClass.DNS, NOT_FOUND) from exc
        return [
            _result(host, str(sockaddr[0]), port, kind, proto)
            for kind, _, proto, _, sockaddr in few(found, itemgetter(0))
        ]

    async def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def new_resolver(config: ResolverConfig, within_s: Callable[[], float]) -> AbstractResolver:
    """Belongs to the running loop. `within_s`: the limit of one look-up, which may change."""
    if config.kind == "system":
        return SystemResolver()
    return DnsResolver(config.servers, within_s)


def few(found: Iterable[T], family_of: Callable[[T], int]) -> list[T]:
    """The first `ADDRESSES_MAX` of each family."""
    taken: Counter[int] = Counter()
    kept = []
    for one in found:
        family = family_of(one)
        taken[family] += 1
        if taken[family] <= ADDRESSES_MAX:
            kept.append(one)
    return kept


def reachable(found: list[ResolveResult]) -> list[ResolveResult]:
    """Without addresses to which this machine has no route, unless it has none to any of them.

    An IPv6 address on a machine without IPv6 would only hide what went wrong with the others.
    """
    if len({one["family"] for one in found}) < 2:
        return found
    return [one for one in found if _has_route(one)] or found


def _has_route(one: ResolveResult) -> bool:
    """Asked by connecting a datagram socket, which sends nothing."""
    try:
        with socket.socket(one["family"], socket.SOCK_DGRAM) as sock:
            sock.connect((one["host"], DISCARD_PORT))
    except OSError:
        return False
    return True


def _result(host: str, ip: str, port: int, family: int, proto: int) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=ip,
        port=port,
        family=family,
        proto=proto,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _look_up_error(code: int) -> LookUpError:
    if code in NOT_FOUND_CODES:
        return LookUpError(ErrorClass.DNS, NOT_FOUND)
    if code == dns_error.ARES_ETIMEOUT:
        return LookUpTimeoutError()
    if code in LOCAL_CODES:
        return LookUpError(ErrorClass.LOCAL, NOT_ASKED)
    return LookUpError(ErrorClass.DNS, "the name servers could not answer for the host name")
