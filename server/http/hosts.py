"""Whether a request was meant for us: its Host header.

A browser that was made to call us by a foreign name (DNS rebinding) is the one client that comes
with somebody else's intent.
"""

from collections.abc import Iterable
from ipaddress import ip_address

from aiohttp import HttpVersion10, web

from hookbundle.engine.error_codes import Code
from hookbundle.server.http.problems import problem

LOCAL_NAMES = frozenset({"localhost"})
ANY_HOST = "*"


def misdirected(request: web.Request, hosts: Iterable[str]) -> web.Response | None:
    """The refusal of a request that was meant for somebody else, or None."""
    named = request.headers.getall("Host", [])
    if not named and request.version == HttpVersion10:
        return None  # the probes of load balancers; no browser speaks it
    if len(named) != 1:
        return problem(Code.HOST_MISSING)
    host = host_of(named[0])
    return None if is_ours(host, hosts) else problem(Code.WRONG_HOST, host=host)


def is_ours(host: str, hosts: Iterable[str]) -> bool:
    """Whether we are called by this name."""
    if host in LOCAL_NAMES or _is_address(host):
        return True
    return any(allowed in (ANY_HOST, host) for allowed in hosts)


def host_of(header: str) -> str:
    """The host in a Host header, without its port; an IPv6 address without its brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower().removesuffix(".")


def _is_address(host: str) -> bool:
    """A browser sends an address only if a person gave it one; only names can be re-pointed."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
