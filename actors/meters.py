"""What is counted and timed as it happens: requests, attempts, commits, the loop's own lag.

Each daemon has its own registry, so two of them in one process count apart. The Store observes
from its thread; prometheus_client's metrics take that.
"""

import asyncio
from collections import Counter as Tally

from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from hookbundle.actors.problems import Handler

LOOK_S = 0.25
OTHER = "(none)"

SECONDS_OF_A_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SECONDS_OF_AN_ATTEMPT = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0)
SECONDS_OF_A_COMMIT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
SECONDS_OF_LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
TRANSITIONS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1024)


class Meters:
    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests: Tally[tuple[str, str, int]] = Tally()
        self._attempts = Counter(
            "hookbundle_attempts",
            "Requests to receivers by outcome, and by the class of the answer or of the failure",
            ["outcome", "reason"],
            registry=registry,
        )
        self._request_s = Histogram(
            "hookbundle_http_request_duration_seconds",
            "From a request's head to its answer, by path",
            ["route"],
            registry=registry,
            buckets=SECONDS_OF_A_REQUEST,
        )
        self._attempt_s = Histogram(
            "hookbundle_attempt_duration_seconds",
            "Of one request to a receiver",
            registry=registry,
            buckets=SECONDS_OF_AN_ATTEMPT,
        )
        self._commit_s = Histogram(
            "hookbundle_store_commit_duration_seconds",
            "Of one commit, from its first transition until it is on disk",
            registry=registry,
            buckets=SECONDS_OF_A_COMMIT,
        )
        self._commit_size = Histogram(
            "hookbundle_store_commit_transitions",
            "Transitions in one commit",
            registry=registry,
            buckets=TRANSITIONS,
        )
        self._lag_s = Histogram(
            "hookbundle_loop_lag_seconds",
            "How late the event loop gets to what is due, looked at four times a second",
            registry=registry,
            buckets=SECONDS_OF_LAG,
        )
        self._routes: dict[str, Histogram] = {}
        self._outcomes: dict[tuple[str, str], Counter] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def attempt(self, outcome: str, reason: str, took_ms: int) -> None:
        counted = self._outcomes.get((outcome, reason))
        if counted is None:
            counted = self._outcomes[outcome, reason] = self._attempts.labels(outcome, reason)
        counted.inc()
        self._attempt_s.observe(took_ms / 1_000)

    def commit(self, took_ms: int, transitions: int) -> None:
        self._commit_s.observe(took_ms / 1_000)
        self._commit_size.observe(transitions)

    def request(self, method: str, route: str, status: int, took_s: float) -> None:
        self.requests[method, route, status] += 1
        of_route = self._routes.get(route)
        if of_route is None:
            of_route = self._routes[route] = self._request_s.labels(route)
        of_route.observe(took_s)

    def start(self) -> None:
        """From now on the loop's lag is watched."""
        self._look_at(asyncio.get_running_loop().time() + LOOK_S)

    def close(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()

    def _look_at(self, at_s: float) -> None:
        self._alarm = asyncio.get_running_loop().call_at(at_s, self._look, at_s)

    def _look(self, due_s: float) -> None:
        now_s = asyncio.get_running_loop().time()
        self._lag_s.observe(now_s - due_s)
        self._look_at(now_s + LOOK_S)


def counted(meters: Meters) -> Middleware:
    """The middleware that counts every answer by method, path and status."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        now_s = asyncio.get_running_loop().time
        began_s = now_s()
        resource = request.match_info.route.resource
        # Unknown paths and methods are anybody's invention: they share one name each.
        route = resource.canonical if resource is not None else OTHER
        method = request.method if resource is not None else OTHER
        try:
            response = await handler(request)
        except web.HTTPException as exc:
            meters.request(method, route, exc.status, now_s() - began_s)
            raise
        meters.request(method, route, response.status, now_s() - began_s)
        return response

    return middleware
