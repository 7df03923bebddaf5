"""What the callers of one process share, each with its own part; see FairLimit.

The owner is the workspace of the caller's token, or empty for one who may do everything.
"""

from dataclasses import dataclass, field

from hookbundle.engine.error_codes import Term
from hookbundle.engine.fairness.fair_limit import FairLimit

BODY_BYTES_MAX = 64 * 1024 * 1024  # eight of the largest
CONNECTIONS_MAX = 1_000
STREAMS_MAX = 64
FEED_READERS_MAX = 64
READERS_MAX = 16
LISTS_MAX = 256
TESTS_MAX = 32


def _of(name: str, what: Term, total: int) -> FairLimit[str]:
    return field(default_factory=lambda: FairLimit(name, what, total))


@dataclass(frozen=True, slots=True)
class FairLimits:
    """`bodies`: bytes of requests that are being read or handled. `streams`: live pages of the
    console that show a workspace to its people. `feed`: operators who read the feed, their live
    pages among them; the owner is the caller. `readers`: of large answers. `lists`: pages of
    lists under way, of which one of each owner is read while the others wait. `tests`: test
    requests, which take no slots of deliveries."""

    bodies: FairLimit[str] = _of("body_bytes", Term.REQUEST_BYTES, BODY_BYTES_MAX)
    connections: FairLimit[str] = _of("connections", Term.CONNECTIONS, CONNECTIONS_MAX)
    streams: FairLimit[str] = _of("streams", Term.LIVE_PAGES, STREAMS_MAX)
    feed: FairLimit[str] = field(default_factory=lambda: feed_readers(FEED_READERS_MAX))
    readers: FairLimit[str] = _of("readers", Term.LARGE_ANSWERS, READERS_MAX)
    lists: FairLimit[str] = _of("lists", Term.LISTS, LISTS_MAX)
    tests: FairLimit[str] = _of("test_requests", Term.TESTS, TESTS_MAX)

    def all(self) -> tuple[FairLimit[str], ...]:
        return (
            self.bodies,
            self.connections,
            self.streams,
            self.feed,
            self.readers,
            self.lists,
            self.tests,
        )


def feed_readers(total: int) -> FairLimit[str]:
    return FairLimit("feed_readers", Term.FEED_READERS, total)
