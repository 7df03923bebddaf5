"""What follows for partitions from the nodes that live, found anew only when that changes.

A node looks at its partitions several times a second. To rank all nodes for each of them, and to
ask each log, when nothing has happened, would keep an idle node busy.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from hookbundle.engine.replication.assignment import as_given, assign
from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.partitions.holding import staying
from hookbundle.server.cluster.partitions.hosting import PartitionHost

QUIET_S = 1.0  # between two looks at a partition with which nothing is to be done
QUIET = (Role.OWNER, Role.FOLLOWING, Role.ABSENT)

View = tuple[tuple[str, str, bool, tuple[tuple[int, int], ...]], ...]
Seen = tuple[View, Role, bool]


@dataclass(slots=True)
class Views:
    """`life`: of this node. `copies`: of each of the partitions."""

    life: str
    partitions: int
    copies: int
    _view: View = ()
    _live: Mapping[str, Beat] | None = None
    _of_live: View = ()
    _assigned: list[tuple[str, ...]] = field(default_factory=list)
    _looked: dict[int, tuple[Seen, float]] = field(default_factory=dict)

    def assigned(self, live: Mapping[str, Beat]) -> list[tuple[str, ...]]:
        """For each partition its owner to be, then those that are to hold copies."""
        view = self._view_of(live)
        if self._view != view or not self._assigned:
            names = staying(live)
            found = assign(self.partitions, names, self.copies)
            self._assigned = as_given(found, {name: live[name].given for name in names})
            self._view = view
        return self._assigned

    def is_quiet(
        self, number: int, host: PartitionHost, live: Mapping[str, Beat], *, drains: bool
    ) -> bool:
        """Whether it was looked at a moment ago, and nothing has changed since that could matter.

        What comes into its log is heard of apart from that. If not, it is looked at now.
        """
        role = host.role.state.role
        if role not in QUIET or (role is Role.FOLLOWING and not self._has_owner(host, live)):
            return False
        seen, now_s = (self._view_of(live), role, drains), asyncio.get_running_loop().time()
        before, at_s = self._looked.get(number, (None, 0.0))
        if before == seen and now_s < at_s + QUIET_S:
            return True
        self._looked[number] = seen, now_s
        return False

    def _has_owner(self, host: PartitionHost, live: Mapping[str, Beat]) -> bool:
        """Whether another node lives that owns the partition, as far as its log was read."""
        life = host.role.state.owner_life
        return life != self.life and any(each.life == life for each in live.values())

    def _view_of(self, live: Mapping[str, Beat]) -> View:
        """All of what nodes say of themselves that matters for who is to have what. Found once for
        all partitions that are looked at together."""
        if live is not self._live:
            self._live = live
            self._of_live = tuple(
                (name, live[name].life, live[name].leaves, tuple(live[name].given.items()))
                for name in sorted(live)
            )
        return self._of_live
