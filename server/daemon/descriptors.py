"""File descriptors: how many the process may open, and the share of each part."""

import resource
from dataclasses import dataclass

# For the database, the control socket, the feed, mail, test requests. A look-up has its descriptor
# before its attempt has one.
SPARE = 256


@dataclass(frozen=True, slots=True)
class Shares:
    """`connections` of callers on TCP, `attempts` at receivers, at once."""

    connections: int
    attempts: int


def shares(connections_wanted: int, attempts_wanted: int) -> Shares:
    """The shares wanted, if there are enough descriptors; connections get half of them at most."""
    there_are = _available() - SPARE
    connections = max(min(connections_wanted, there_are // 2), 1)
    return Shares(connections, max(min(attempts_wanted, there_are - connections), 1))


def _available() -> int:
    """How many descriptors may be open, after the soft limit was raised to the hard one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
