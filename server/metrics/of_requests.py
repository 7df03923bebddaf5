"""Requests: those that came, what became of them, their connections; and those to receivers."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from prometheus_client.core import Metric

from hookbundle.server.metrics.families import counter, gauge
from hookbundle.server.metrics.meters import Meters
from hookbundle.server.metrics.of_messages import SOURCE_EVENTS


def of_requests(meters: Meters, connections: int, cuts: Mapping[str, int]) -> Iterator[Metric]:
    """`cuts`: how many connections the daemon has ended, by the reason."""
    yield counter(
        "http_requests",
        "Requests by method, path and status",
        {(m, route, str(status)): n for (m, route, status), n in meters.requests.items()},
        "method",
        "route",
        "status",
    )
    yield counter(
        "attempts",
        "Requests to receivers by outcome, and by the class of the answer or of the failure",
        meters.attempts,
        "outcome",
        "reason",
    )
    yield counter(
        "http_wrong_tokens",
        "Requests and sign-ins with a token that is none of this daemon",
        meters.wrong_tokens,
        "where",
    )
    yield counter(
        "http_lane_requests",
        "Requests with messages that were begun in the lane, by what became of them",
        {(outcome,): n for outcome, n in asdict(meters.lane).items()},
        "outcome",
    )
    yield counter(*SOURCE_EVENTS, meters.source_events, "kind", "outcome")
    yield gauge("http_connections", "Open connections of the TCP listener", connections)
    yield counter(
        "http_connections_cut",
        "Connections of the TCP listener that were ended by the daemon",
        {(reason,): n for reason, n in cuts.items()},
        "reason",
    )
