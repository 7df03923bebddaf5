"""The operator's page: what the daemon is doing, and did in the last hours."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.server.console.plots import BYTES, NUMBERS, TIMES, plot
from hookbundle.server.console.samples import EVERY_S, SAMPLES_MAX, Samples
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut

SPAN_MS = round(EVERY_S * SAMPLES_MAX * 1_000)
RATES = ("accepted", "delivered", "failed")
LEVELS = {
    "windows": NUMBERS,
    "queued": NUMBERS,
    "dead_letters": NUMBERS,
    "queue_age_ms": TIMES,
    "disk_used_bytes": BYTES,
}


@dataclass(frozen=True, slots=True)
class OverviewPage:
    """`lacks_link`: e-mails are sent, and can't lead here: `console.url` is not set."""

    access: AccessCheck
    samples: Samples
    status: Callable[[], Awaitable[StatusOut]]
    lacks_link: Callable[[], bool]

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", "/overview", self.show, "operator"),
            page("GET", "/overview/now", self.now, "operator"),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return visit.page("overview.html", section="overview", **await self._words())

    async def now(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that changes."""
        return visit.render("parts/overview.html", **await self._words())

    async def _words(self) -> dict[str, Any]:
        taken = list(self.samples.taken)
        plots = {
            name: plot([(rate.at_ms, rate.a_minute) for rate in self.samples.rates(name)], SPAN_MS)
            for name in RATES
        }
        for name, tops in LEVELS.items():
            points = [(each.at_ms, getattr(each, name)) for each in taken]
            plots[name] = plot(points, SPAN_MS, tops)
        latest = taken[-1] if taken else None
        return {
            "daemon": await self.status(),
            "plots": plots,
            "latest": latest,
            "lacks_link": self.lacks_link(),
        }
