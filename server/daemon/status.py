"""The figures of `hookbundle status`."""

import os
from dataclasses import dataclass

from hookbundle import __version__
from hookbundle.actors.webhook import Traffic
from hookbundle.engine.clock import Clock
from hookbundle.server.daemon.partition import Partition
from hookbundle.server.daemon.watch import DaemonStatus
from hookbundle.server.http.schemas.status import OldestOut, StatusOut, reason_out
from hookbundle.server.http.schemas.times import iso
from hookbundle.server.http.sockets.given_sockets import Name

DISABLED_LISTED = 100


@dataclass(slots=True)
class Lifetime:
    started_ms: int = 0
    ready: bool = False


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The figures of `hookbundle status` at one moment."""

    partition: Partition
    traffic: Traffic
    clock: Clock
    lifetime: Lifetime
    sockets_given: list[Name]

    def now(self, status: DaemonStatus) -> StatusOut:
        partition = self.partition
        meta, usage = partition.reads.meta(), partition.env.usage()
        store, feed, actors = partition.store_queue.state, partition.feed, partition.virtual_actors
        totals = meta.totals
        return StatusOut(
            version=__version__,
            pid=os.getpid(),
            started_at=iso(self.lifetime.started_ms),
            now=iso(self.clock.now_ms()),
            ready=status.is_ready,
            windows=meta.windows,
            queued=meta.queued,
            dead_letters=meta.dead_letters,
            resending=meta.resending,
            mails=meta.mails,
            workspaces_disabled=partition.reads.disabled(DISABLED_LISTED),
            totals={name: getattr(totals, name) for name in totals.__struct_fields__},
            residents={
                "chats": actors.chats.active_count,
                "webhooks": actors.webhooks.active_count,
            },
            quarantined=actors.quarantined(),
            sending=self.traffic.in_flight,
            store={
                "waiting": partition.store_queue.waiting,
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
                "room_bytes": usage.room_bytes,
                "floor_bytes": partition.floor_bytes,
            },
            feed={
                "next": feed.next,
                "oldest": meta.feed_oldest,
                "subscribers": feed.subscribers,
                "lag_events_max": feed.lag_events_max,
            },
            lag_ms=partition.timer_state.late_ms,
            clock_held=partition.timer_state.held,
            reasons=[reason_out(each) for each in status.conditions],
            oldest=OldestOut(*status.oldest) if status.oldest else None,
            mails_unsent=status.mails_unsent,
            log_lines_lost=status.log_lost,
            sockets_given=self.sockets_given,
        )
