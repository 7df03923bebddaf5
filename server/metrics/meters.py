"""Counters and distributions of requests, attempts, commits and the loop's own lag.

Commits are observed in the Store's thread, everything else on the loop: each meter has one writer.
metrics.py shows them.
"""

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import structlog
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.utils import floatToGoString

SAMPLE_S = 0.25
NOTED_EVERY_S = 60.0

SECONDS_OF_A_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SECONDS_OF_AN_ATTEMPT = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
SECONDS_OF_A_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
SECONDS_OF_LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
TRANSITIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1024)

log = structlog.get_logger(__name__)


class Buckets:
    """A distribution: how many values were at most each of the bounds, and their sum.

    One thread observes; prometheus_client's own histogram takes two locks and 2 µs for each value.
    """

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str] = ()) -> None:
        bounds = [*map(floatToGoString, self._bounds), "+Inf"]
        family.add_metric(
            labels, list(zip(bounds, accumulate(self._counts), strict=True)), self._sum
        )


@dataclass(slots=True)
class LaneCounts:
    """Requests that the lane (server/http/lane/) has begun: those that it answered, or handed over
    to aiohttp's application; and how often it has failed."""

    answered: int = 0
    handed_over: int = 0
    failed: int = 0


class Meters:
    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        """Answers by method, path and status."""
        self.attempts: Counter[tuple[str, ...]] = Counter()
        """Attempts by outcome, and by the class of the answer or of the failure."""
        self.wrong_tokens: Counter[tuple[str, ...]] = Counter()
        """Tokens that nobody was given, by where they were tried: `api`, `console` or `source`."""
        self.source_events: Counter[tuple[str, ...]] = Counter()
        """Events of sources, by their kind and what came of them, both of closed sets."""
        self.lane = LaneCounts()
        self._routes: dict[str, Buckets] = {}
        self._attempt_s = Buckets(SECONDS_OF_AN_ATTEMPT)
        self._commit_s = Buckets(SECONDS_OF_A_COMMIT)
        self._commit_size = Buckets(TRANSITIONS)
        self._lag_s = Buckets(SECONDS_OF_LAG)
        self._alarm: asyncio.TimerHandle | None = None
        self._noted_s = -NOTED_EVERY_S

    def attempt(self, outcome: str, reason: str, took_ms: int) -> None:
        self.attempts[outcome, reason] += 1
        self._attempt_s.observe(took_ms / 1_000)

    def wrong_token(self, where: str) -> None:
        """Somebody came with a token that is not known. It is noted in the log once a minute."""
        self.wrong_tokens[where,] += 1
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._noted_s + NOTED_EVERY_S:
            self._noted_s = now_s
            tried = {at: count for (at,), count in self.wrong_tokens.items()}
            log.warning("tokens refused", **tried)

    def commit(self, took_ms: int, transitions: int) -> None:
        self._commit_s.observe(took_ms / 1_000)
        self._commit_size.observe(transitions)

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        self.requests[method, route, status] += 1
        of_route = self._routes.get(route)
        if of_route is None:
            of_route = self._routes[route] = Buckets(SECONDS_OF_A_REQUEST)
        of_route.observe(took_s)

    def distributions(self) -> Iterable[HistogramMetricFamily]:
        """All there are, as Prometheus wants them."""
        requests = _family(
            "http_request_duration_seconds", "From a request's head to its answer, by path", "route"
        )
        for route, buckets in self._routes.items():
            buckets.add_to(requests, [route])
        yield requests
        for buckets, name, meaning in (
            (self._attempt_s, "attempt_duration_seconds", "Of one request to a receiver"),
            (
                self._commit_s,
                "store_commit_duration_seconds",
                "Of one commit, from its first transition until it is on disk",
            ),
            (self._commit_size, "store_commit_transitions", "Transitions in one commit"),
            (
                self._lag_s,
                "loop_lag_seconds",
                "How late the event loop gets to what is due, looked at four times a second",
            ),
        ):
            family = _family(name, meaning)
            buckets.add_to(family)
            yield family

    def start(self) -> None:
        """The loop's lag is measured from now on."""
        self._sample_at(asyncio.get_running_loop().time() + SAMPLE_S)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def _sample_at(self, at_s: float) -> None:
        self._alarm = asyncio.get_running_loop().call_at(at_s, self._sample, at_s)

    def _sample(self, due_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        self._lag_s.observe(now_s - due_s)
        self._sample_at(now_s + SAMPLE_S)


def _family(name: str, meaning: str, *labels: str) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"hookbundle_{name}", meaning, labels=labels)
