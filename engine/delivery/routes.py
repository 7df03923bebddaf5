"""Whose fault it is that there is no route to a host: the host's, or this machine's.

A host of its own that can't be reached is that receiver's trouble. Only when hosts of two networks
can't be reached, and none at all was, is it likely that this machine has lost its way out.

Hosts are of the same network if their addresses begin alike (16 bits of IPv4, 32 of IPv6), or if
their names have the same end: the last two labels, or three under endings such as `co.uk`. Names
that share an ending by chance count as one network, and then the error counts as the receiver's.
"""

from ipaddress import ip_address, ip_network

TOGETHER_MS = 5 * 60_000
SHORT_CHARS = 3  # of the second label of an ending such as co.uk, com.br or ac.jp


class Routes:
    """What was reached lately, and what was not. Memory only: after a start nothing is known."""

    def __init__(self) -> None:
        self._reached_ms: int | None = None
        # The newest of each network, the oldest first. Two are all that is asked for.
        self._missed_ms: dict[str, int] = {}

    def reached(self, now_ms: int) -> None:
        """A host was reached, whatever came of it."""
        self._reached_ms = now_ms

    def is_ours(self, host: str, now_ms: int) -> bool:
        """There is no route to the host. Whether that is this machine's fault."""
        network = network_of(host)
        self._missed_ms.pop(network, None)
        self._missed_ms[network] = now_ms
        while len(self._missed_ms) > 2:
            del self._missed_ms[next(iter(self._missed_ms))]
        since_ms = now_ms - TOGETHER_MS
        if self._reached_ms is not None and self._reached_ms > since_ms:
            return False
        return len([at_ms for at_ms in self._missed_ms.values() if at_ms > since_ms]) >= 2


def network_of(host: str) -> str:
    """The network that a host, as it stands in a URL, is taken to be of."""
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return _ending(host.lower().rstrip("."))
    bits = 16 if address.version == 4 else 32
    return str(ip_network((address, bits), strict=False))


def _ending(name: str) -> str:
    labels = name.split(".")
    is_country = len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= SHORT_CHARS
    return ".".join(labels[-3:] if is_country else labels[-2:])
