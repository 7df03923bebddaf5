"""Counters of the partitions that a node owns, which come and go.

Totals stand in the database of a partition, and move with it. For a node they are counted from the
moment on at which it began to own the partition, and stay when it owns it no more: so each message
is counted by one node, and no counter goes back while the node runs.
"""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from hookbundle.actors.store_queue import StoreState
from hookbundle.engine.errors import HookbundleError
from hookbundle.server.cluster import figures
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.server.metrics.meters import Buckets
from hookbundle.storage.database.records import Totals

SECONDS_OF_AN_APPEND = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
OF_A_PARTITION = ("store_places", "test_requests_hourly")  # the limits that each has for itself


@dataclass(slots=True)
class Past:
    """What was counted in partitions that the node owns no more. `refused_…`: by limit."""

    totals: Counter[str] = field(default_factory=Counter)
    store: StoreState = field(default_factory=StoreState)
    refused_owner: Counter[str] = field(default_factory=Counter)
    refused_all: Counter[str] = field(default_factory=Counter)


class Counting:
    """Belongs to the loop. `owned`: by number; it changes all the time. `appends`: how long it took
    until groups were in the log."""

    def __init__(self, owned: Mapping[int, Owned]) -> None:
        self.appends = Buckets(SECONDS_OF_AN_APPEND)
        self._owned = owned
        self._past = Past()

    def ended(self, owned: Owned) -> None:
        """The partition is owned no more; its copy is open still."""
        past, store = self._past, owned.partition.store_queue.state
        with suppress(HookbundleError):  # the copy may be what has failed
            past.totals.update(owned.counted())
        past.store.commits += store.commits
        past.store.transitions += store.transitions
        past.store.rolled_back += store.rolled_back
        for limit in owned.limits:
            past.refused_owner[limit.name] += limit.refused_owner
            past.refused_all[limit.name] += limit.refused_all

    def status(self, now: StatusOut) -> StatusOut:
        """The same, with the totals that this node has counted."""
        totals = Counter(dict.fromkeys(Totals.__struct_fields__, 0))
        totals.update(self._past.totals)
        for owned in self._owned.values():
            totals.update(owned.counted())
        return msgspec.structs.replace(now, totals=dict(totals))

    def store(self) -> StoreState:
        present = (each.partition.store_queue.state for each in self._owned.values())
        return figures.store_of([self._past.store, *present])

    def limits(self) -> list["Summed"]:
        """Those that each partition has for itself, as one."""
        return [Summed(name, self._owned, self._past) for name in OF_A_PARTITION]


@dataclass(frozen=True, slots=True)
class Summed:
    """A limit of all partitions of the node together."""

    name: str
    _owned: Mapping[int, Owned]
    _past: Past

    @property
    def used(self) -> int:
        return self._sum("used")

    @property
    def refused_owner(self) -> int:
        return self._past.refused_owner[self.name] + self._sum("refused_owner")

    @property
    def refused_all(self) -> int:
        return self._past.refused_all[self.name] + self._sum("refused_all")

    def _sum(self, what: str) -> int:
        of_all = (limit for each in self._owned.values() for limit in each.limits)
        return sum(getattr(limit, what) for limit in of_all if limit.name == self.name)
