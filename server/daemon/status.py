"""How the daemon stands at this moment: the figures of `hookbundle status`."""

import os
from dataclasses import dataclass

from hookbundle import __version__
from hookbundle.actors.store_queue import StoreDoor
from hookbundle.actors.timer import TimerState
from hookbundle.actors.virtual_actors import Residents
from hookbundle.actors.webhook import Traffic
from hookbundle.engine.clock import Clock
from hookbundle.server.feed.subscription import Feed
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.http.schemas.times import iso
from hookbundle.storage.database.environment import Environment
from hookbundle.storage.reads.lookup import Reads

DISABLED_LISTED = 100


@dataclass(slots=True)
class Lifetime:
    started_ms: int = 0
    ready: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    env: Environment
    reads: Reads
    door: StoreDoor
    residents: Residents
    traffic: Traffic
    feed: Feed
    timer: TimerState
    clock: Clock
    lifetime: Lifetime

    def now(self) -> StatusOut:
        meta, usage, store = self.reads.meta(), self.env.usage(), self.door.state
        totals, residents = meta.totals, self.residents
        return StatusOut(
            version=__version__,
            pid=os.getpid(),
            started_at=iso(self.lifetime.started_ms),
            now=iso(self.clock.now_ms()),
            ready=self.lifetime.ready and store.intake_open,
            windows=meta.windows,
            pending=meta.pending,
            parked=meta.parked,
            mails=meta.mails,
            workspaces_disabled=self.reads.disabled(DISABLED_LISTED),
            totals={name: getattr(totals, name) for name in totals.__struct_fields__},
            residents={
                "chats": residents.chats.residents,
                "webhooks": residents.webhooks.residents,
            },
            quarantined=residents.quarantined(),
            in_flight=self.traffic.in_flight,
            store={
                "waiting": len(self.door.waiting),
                "commits": store.commits,
                "transitions": store.transitions,
                "commit_ms_mean": round(store.commit_ms / max(store.commits, 1), 2),
                "commit_ms_max": store.commit_ms_max,
                "intake_open": store.intake_open,
            },
            disk={
                "map_bytes": usage.map_bytes,
                "used_bytes": usage.used_bytes,
                "file_bytes": usage.file_bytes,
                "free_bytes": usage.free_bytes,
            },
            feed={
                "next": self.feed.next,
                "oldest": meta.feed_oldest,
                "subscribers": self.feed.subscribers,
                "lag_events_max": self.feed.lag_events_max,
            },
            lag_ms=self.timer.late_ms,
            clock_held=self.timer.held,
        )
