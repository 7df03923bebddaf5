"""Files and sockets: how many we may open, and who gets how many."""

import resource
from dataclasses import dataclass

SPARE = 256  # for the database, the control socket, the feed, DNS and mail


@dataclass(frozen=True, slots=True)
class Shares:
    """`connections` of callers on TCP, `attempts` at receivers, at once."""

    connections: int
    attempts: int


def shares(connections_wanted: int, attempts_wanted: int) -> Shares:
    """As wanted if there are enough; callers get half of them at the most."""
    there_are = _available() - SPARE
    connections = max(min(connections_wanted, there_are // 2), 1)
    return Shares(connections, max(min(attempts_wanted, there_are - connections), 1))


def _available() -> int:
    """How many may be open, after asking for as many as we may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
