"""`/metrics`: how the daemon is doing, for Prometheus.

What is counted anyway (in the database, by the Store, by the guard) is read when somebody asks;
what has to be observed as it happens is in meters.py. The reference of
all names is made from this (docs/reference/metrics.md).
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hookbundle.actors.attempts.rendering import Rendering
from hookbundle.actors.store_queue import StoreState
from hookbundle.engine.conditions import Reason
from hookbundle.engine.fairness.fair_limit import Limit
from hookbundle.server.http.authentication import METRICS_PATH
from hookbundle.server.http.connection_guard import Guard
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.metrics.families import counter, gauge
from hookbundle.server.metrics.meters import Meters
from hookbundle.server.metrics.of_messages import OF_MESSAGES
from hookbundle.server.metrics.of_rendering import of_rendering
from hookbundle.server.metrics.of_requests import of_requests
from hookbundle.storage.reads.totals import WaitingTotals

MEDIA = "text/plain"
ENDS = {
    "delivered": "delivered",
    "dead_letter": "dead_letters",
    "discarded": "discarded",
    "merged": "merged",
}
"""The state in which a delivery is then, and the total that counts it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """The figures of one scrape."""

    status: StatusOut
    store: StoreState
    waiting: WaitingTotals
    connections: int
    cuts: Mapping[str, int]
    meters: Meters
    fair_limits: Sequence[Limit]
    rendering: Rendering
    started_ms: int
    now_ms: int
    of_cluster: Sequence[Metric]


@dataclass(slots=True, eq=False)
class StateCollector(Collector):
    """Makes metrics of the scene that was set before."""

    scene: Scene | None = None

    def collect(self) -> Iterator[Metric]:
        if self.scene is not None:
            yield from _of_traffic(self.scene)
            yield from _of_queue(self.scene)
            yield from _of_store(self.scene)
            yield from _of_process(self.scene)
            yield from _of_fair_limits(self.scene)
            yield from of_rendering(self.scene.rendering)
            yield from self.scene.meters.distributions()
            yield from self.scene.of_cluster


@dataclass(slots=True)
class Metrics:
    """`look_up_waiting` reads the database for a while: it is called on a thread of its own.
    `of_cluster`: what a node of a cluster has beside; a daemon alone has nothing."""

    meters: Meters
    guard: Guard
    fair_limits: Sequence[Limit]
    rendering: Rendering
    status: Callable[[], StatusOut]
    store: Callable[[], StoreState]
    look_up_waiting: Callable[[], WaitingTotals]
    started_ms: Callable[[], int]
    now_ms: Callable[[], int]
    of_cluster: Callable[[], Sequence[Metric]] = tuple
    _collector: StateCollector = field(default_factory=StateCollector)
    _registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        ProcessCollector(registry=self._registry)
        self._registry.register(self._collector)

    def routes(self) -> list[Route]:
        return [
            Route(
                method="GET",
                path=METRICS_PATH,
                handler=self.show,
                name="get_metrics",
                summary="Figures for Prometheus",
                media=MEDIA,
            )
        ]

    async def show(self, request: web.Request) -> web.Response:
        """`GET /metrics`"""
        await self._look()
        return web.Response(
            body=generate_latest(self._registry),
            headers={"Content-Type": f"{MEDIA}; version=0.0.4; charset=utf-8"},
        )

    async def families(self) -> list[Metric]:
        """All metrics as they are now, those without a value too."""
        await self._look()
        return list(self._registry.collect())

    async def _look(self) -> None:
        waiting = await asyncio.to_thread(self.look_up_waiting)
        self._collector.scene = Scene(
            status=self.status(),
            store=self.store(),
            waiting=waiting,
            connections=self.guard.connections,
            cuts=self.guard.cuts,
            meters=self.meters,
            fair_limits=self.fair_limits,
            rendering=self.rendering,
            started_ms=self.started_ms(),
            now_ms=self.now_ms(),
            of_cluster=self.of_cluster(),
        )


def _of_traffic(scene: Scene) -> Iterator[Metric]:
    totals = scene.status.totals
    yield counter(
        "messages",
        "Messages of intake by what became of them",
        {(name,): totals[name] for name in ("accepted", "duplicate", "skipped")},
        "outcome",
    )
    for name, total, meaning in OF_MESSAGES:
        yield counter(f"messages_{name}", meaning, {(): totals[total]})
    yield from of_requests(scene.meters, scene.connections, scene.cuts)
    yield gauge("windows_open", "Chats with an open window", scene.status.windows)
    yield counter("bundles_sealed", "Deliveries made", {(): totals["sealed"]})
    yield counter(
        "deliveries",
        "Deliveries that came to an end, or were set aside",
        {(state,): totals[name] for state, name in ENDS.items()},
        "outcome",
    )
    yield counter(
        "receiver_fails",
        "Deliveries set aside because their receiver failed over them and took the next one",
        {(): totals["receiver_fails"]},
    )
    yield counter(
        "bodies_not_made",
        "Deliveries that were not sent, because there is no body of their format",
        {("format",): totals["not_rendered"], ("no_record",): totals["no_record"]},
        "why",
    )
    yield counter(
        "resends",
        "Delivered deliveries that were sent once more, by how that ended",
        {("delivered",): totals["resent"], ("failed",): totals["resends_failed"]},
        "outcome",
    )
    yield counter("webhooks_disabled", "Webhooks disabled by errors", {(): totals["disabled"]})


def _of_queue(scene: Scene) -> Iterator[Metric]:
    status, waiting = scene.status, scene.waiting
    age_s = (scene.now_ms - waiting.oldest_ms) / 1_000 if waiting.oldest_ms is not None else 0.0
    yield gauge("deliveries_queued", "Deliveries that wait for their turn", status.queued)
    yield gauge("dead_letters", "Deliveries set aside after rejections", status.dead_letters)
    yield gauge("resends_waiting", "Deliveries that wait to be sent again", status.resending)
    yield gauge(
        "queue_oldest_age_seconds",
        "Of the longest wait, without disabled and paced webhooks",
        age_s,
    )
    yield gauge("attempts_in_flight", "Requests to receivers under way", status.sending)
    yield gauge("workspaces_disabled", "Disabled webhooks", waiting.webhooks_disabled)
    over = waiting.webhooks_over_budget
    yield gauge("webhooks_over_budget", "Webhooks that wait for rate or budget", over)
    yield gauge("mails_waiting", "E-mails that the SMTP server has not taken", status.mails)
    yield gauge("mails_unsent", "E-mails that wait as no SMTP is set", status.mails_unsent)


def _of_store(scene: Scene) -> Iterator[Metric]:
    store, disk = scene.store, scene.status.disk
    yield counter("store_commits", "Commits", {(): store.commits})
    yield counter("store_transitions", "Transitions committed", {(): store.transitions})
    yield counter("store_rollbacks", "Commits that were undone", {(): store.rolled_back})
    waiting: int = scene.status.store["waiting"]
    yield gauge("store_waiting", "Transitions that wait for a commit", waiting)
    yield gauge("intake_open", "1 while there is room on the disk for messages", store.intake_open)
    yield gauge("disk_map_bytes", "Largest size of the data file for now", disk["map_bytes"])
    yield gauge(
        "disk_used_bytes", "Of the data file, in use or to be used anew", disk["used_bytes"]
    )
    yield gauge("disk_file_bytes", "Size of the data file", disk["file_bytes"])
    yield gauge("disk_free_bytes", "Free on the data's disk", disk["free_bytes"])
    yield gauge("disk_room_bytes", "Free on the disk and inside the file", disk["room_bytes"])
    yield gauge("disk_floor_bytes", "Intake closes below so much room", disk["floor_bytes"])


def _of_process(scene: Scene) -> Iterator[Metric]:
    status = scene.status
    info = GaugeMetricFamily("hookbundle_info", "The daemon's version", labels=["version"])
    info.add_metric([status.version], 1)
    yield info
    yield gauge("start_time_seconds", "When it was ready, UTC", scene.started_ms / 1_000)
    yield gauge("ready", "1 while it takes messages", status.ready)
    active = GaugeMetricFamily("hookbundle_residents", "Actors in memory by kind", labels=["kind"])
    for kind, count in status.residents.items():
        active.add_metric([kind], count)
    yield active
    quarantined = GaugeMetricFamily(
        "hookbundle_quarantined", "Actors left alone after failing too often", labels=["kind"]
    )
    kinds = Counter(name.partition(" ")[0] for name in status.quarantined)
    for kind in ("chat", "webhook", "mail"):
        quarantined.add_metric([kind], kinds[kind])
    yield quarantined
    yield gauge("timer_lateness_seconds", "Of the row most overdue", status.lag_ms / 1_000)
    yield from _of_conditions(status)
    yield gauge("clock_held", "1 while timers wait for the wall clock", status.clock_held)
    yield gauge("feed_subscribers", "Readers of the event feed", status.feed["subscribers"])
    yield gauge(
        "feed_lag_events", "Events the last of them is behind", status.feed["lag_events_max"]
    )


def _of_conditions(status: StatusOut) -> Iterator[Metric]:
    oldest = GaugeMetricFamily(
        "hookbundle_oldest_unmoved_age_seconds",
        "Of what could have moved and did not; its kind",
        labels=["kind"],
    )
    kind, age_ms = (status.oldest.kind, status.oldest.age_ms) if status.oldest else ("none", 0)
    oldest.add_metric([kind], age_ms / 1_000)
    yield oldest
    reasons = GaugeMetricFamily(
        "hookbundle_reason", "1 while it has to be known of the daemon", labels=["code"]
    )
    there = {each.code for each in status.reasons}
    for code in Reason:
        reasons.add_metric([code.value], float(code in there))
    yield reasons
    lost: dict[tuple[str, ...], int] = {(): status.log_lines_lost}
    yield counter("log_lines_lost", "Lines of the log that could not be written", lost)


def _of_fair_limits(scene: Scene) -> Iterator[Metric]:
    used = GaugeMetricFamily(
        "hookbundle_limit_used", "What all workspaces hold of a common limit", labels=["limit"]
    )
    refused: dict[tuple[str, ...], int] = {}
    for limit in scene.fair_limits:
        used.add_metric([limit.name], limit.used)
        refused[limit.name, "workspace"] = limit.refused_owner
        refused[limit.name, "daemon"] = limit.refused_all
    yield used
    yield counter(
        "limit_refused",
        "Refused: a workspace had its share of a common limit, or the daemon had nothing left",
        refused,
        "limit",
        "whose",
    )
