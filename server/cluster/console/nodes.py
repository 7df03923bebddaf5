"""The operator's page of a cluster: nodes, partitions, and what needs a person.

It says what this node has heard of the others in the last seconds; nobody is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from hookbundle.engine.replication.beats import Beat
from hookbundle.engine.replication.roles import Role
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.routes import Route

APART_MS = 1_000  # of two clocks; more is worth a look
LOW_BYTES = 1 << 30
FAR_BEHIND = 1_000  # entries
COPIES = frozenset({Role.FOLLOWING, Role.CLAIMING, Role.JOINING})


@dataclass(frozen=True, slots=True)
class ShownNode:
    """`apart_ms`: its clock, from this machine's; `owns`, `follows`: how many partitions."""

    name: str
    version: str
    apart_ms: int
    free_bytes: int
    owns: int
    follows: int
    leaves: bool


@dataclass(frozen=True, slots=True)
class ShownCopy:
    """`behind`: entries of the log; None if nobody can say."""

    node: str
    role: Role
    behind: int | None


@dataclass(frozen=True, slots=True)
class ShownPartition:
    """`owner` empty: nobody owns it."""

    number: int
    owner: str
    epoch: int
    seq: int
    copies: tuple[ShownCopy, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """What a person has to look at: `word` is known to the template."""

    word: str
    of: str
    amount: int = 0


@dataclass(frozen=True, slots=True)
class ClusterView:
    nodes: tuple[ShownNode, ...]
    partitions: tuple[ShownPartition, ...]
    needs: tuple[Need, ...]


def view_of(live: Mapping[str, Beat], partitions: int, copies: int, now_ms: int) -> ClusterView:
    """`copies`: of each partition that there should be, its owner's among them."""
    nodes = tuple(
        ShownNode(
            name,
            each.version,
            each.wall_ms - now_ms,
            each.free_bytes,
            sum(held.role is Role.OWNER for held in each.held.values()),
            sum(held.role in COPIES for held in each.held.values()),
            each.leaves,
        )
        for name, each in sorted(live.items())
    )
    shown = tuple(_partition(live, number) for number in range(partitions))
    wanted = min(copies, len(nodes))
    return ClusterView(nodes, shown, (*_of_partitions(shown, wanted), *_of_nodes(nodes)))


def _partition(live: Mapping[str, Beat], number: int) -> ShownPartition:
    held = {name: each.held[number] for name, each in live.items() if number in each.held}
    owners = {name: each for name, each in held.items() if each.role is Role.OWNER}
    owner = max(owners, key=lambda name: owners[name].epoch, default="")
    top = held[owner] if owner else max(held.values(), key=lambda each: each.epoch, default=None)
    copies = tuple(
        ShownCopy(
            name,
            each.role,
            max(top.seq - each.seq, 0)
            if top is not None and each.generation == top.generation
            else None,
        )
        for name, each in sorted(held.items())
        if name != owner
    )
    epoch, seq = (0, 0) if top is None else (top.epoch, top.seq)
    return ShownPartition(number, owner, epoch, seq, copies)


def _of_partitions(shown: tuple[ShownPartition, ...], wanted: int) -> list[Need]:
    found = []
    for each in shown:
        number = str(each.number)
        usable = [copy for copy in each.copies if copy.role in COPIES]
        if not each.owner:
            found.append(Need("unowned", number))
        if len(usable) + bool(each.owner) < wanted:
            found.append(Need("copies", number, wanted))
        for copy in each.copies:
            if copy.role is Role.BROKEN:
                found.append(Need("broken", f"{number} ({copy.node})"))
            elif copy.behind is not None and copy.behind > FAR_BEHIND:
                found.append(Need("behind", f"{number} ({copy.node})", copy.behind))
    return found


def _of_nodes(nodes: tuple[ShownNode, ...]) -> list[Need]:
    found = [
        Need("clock", each.name, each.apart_ms) for each in nodes if abs(each.apart_ms) > APART_MS
    ]
    found += [
        Need("disk", each.name, each.free_bytes) for each in nodes if each.free_bytes < LOW_BYTES
    ]
    if len({each.version for each in nodes}) > 1:
        found.append(Need("versions", ", ".join(sorted({each.version for each in nodes}))))
    return found


@dataclass(frozen=True, slots=True)
class NodesPage:
    access: AccessCheck
    view: Callable[[], ClusterView]
    node: str

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", "/cluster", self.show, "operator"),
            page("GET", "/cluster/now", self.now, "operator"),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return visit.page("cluster.html", section="cluster", cluster=self.view(), own=self.node)

    async def now(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that changes."""
        return visit.render("parts/cluster.html", cluster=self.view(), own=self.node)
