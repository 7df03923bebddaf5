"""The state of a partition's role on a node."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hookbundle.actors.replication.follower import Follower
from hookbundle.actors.replication.maintenance import Maintenance
from hookbundle.engine.errors import LogDamaged
from hookbundle.engine.replication.roles import CopyAt, Role, has_heir, is_further
from hookbundle.storage.database.records import SCHEMA_OLDEST

LACKS_S = 10.0  # a replica may be behind for so long
HEALED_AGAIN_S = 86_400.0


@dataclass(slots=True)
class RoleState:
    """`broken_by`: what broke the copy the last time; it stays when there is a new one.
    `stopped_by`: what the log lacks, while the role is `stopped`; else empty.
    `unreadable`: why the partition is never owned here, though it is followed; else empty.
    `claims`, `lost`, `taken`: how many claims, how many lost, and by how many it became owner.
    `may_have_one`: a copy of before, until it was looked for, or one that is kept. `maintenance`:
    of an owner's log. `owned_since_ms`: when the last claim counted. `lacks_since_s`: since when
    the log ends before what was heard of it, on the loop's clock. `copies`: of the live nodes, as
    the last `Look` said. `damaged`: which record of an owner's copy can't be read, if it goes on
    with it; else empty. `healed_s`: when the copy was made anew because of one, on the loop's
    clock. `recognised_s`: when an owner looked whether its log is there, on the loop's clock.
    """

    role: Role = Role.ABSENT
    broken_by: str = ""
    stopped_by: str = ""
    unreadable: str = ""
    claims: int = 0
    lost: int = 0
    taken: int = 0
    owned_since_ms: int = 0
    may_have_one: bool = True
    follower: Follower | None = None
    maintenance: Maintenance | None = None
    lacks_since_s: float | None = None
    copies: Mapping[str, CopyAt] = field(default_factory=dict)
    damaged: str = ""
    healed_s: float = float("-inf")
    recognised_s: float = float("-inf")

    @property
    def why(self) -> str:
        """What a person should know of the role; else empty."""
        return self.stopped_by or self.unreadable or self.broken_by

    def heals(self, node: str, now_s: float) -> bool:
        """Whether an owner with a damaged record makes its copy anew, while another owns. Else the
        rest of the partition's work goes on. Not again soon: a record that is damaged in the log
        would go from node to node."""
        is_too_soon = now_s - self.healed_s < HEALED_AGAIN_S
        if not self.damaged or is_too_soon or not has_heir(node, self.copies):
            return False
        self.healed_s = now_s
        return True

    @property
    def owner_life(self) -> str:
        """Of the process that owns the partition, as far as its log was read; else empty."""
        return "" if self.follower is None else self.follower.log.chain.life

    def copy_at(self) -> CopyAt:
        """What the node's beat says of its copy.

        One that has not been near to the end of the log since it was opened is joining to others:
        how many entries it is behind does not say how long they take to be read.
        """
        if self.follower is None:
            return CopyAt(self.role)
        own, role = self.follower.log, self.role
        if role is Role.FOLLOWING and not self.follower.has_caught_up:
            role = Role.JOINING
        return CopyAt(role, own.generation, own.chain.seq)

    def schema(self) -> int:
        """The highest of which the rows of the copy may be; the lowest if that is one that no node
        works on any more."""
        assert self.follower is not None, "there is no copy"
        stored = self.follower.env.identity.schema
        return max(self.follower.log.chain.schema, stored) if stored >= SCHEMA_OLDEST else stored

    def lacks(self, furthest: CopyAt | None, now_s: float) -> bool:
        """Whether a node was heard to have come further than the log, as far as this one can read.

        Raises: LogDamaged if that lasts.
        """
        mine = self.copy_at()
        if furthest is None or not is_further(furthest, mine):
            self.lacks_since_s = None
            return False
        if self.lacks_since_s is None:
            self.lacks_since_s = now_s
        if now_s - self.lacks_since_s < LACKS_S:
            return True
        raise LogDamaged(
            f"the log ends at entry {mine.seq} of generation {mine.generation}, and a node was "
            f"heard to have entry {furthest.seq} of generation {furthest.generation}"
        )

    def can_read(self, known: int) -> bool:
        """Whether the node, which knows schemas up to `known`, may work on the rows that it
        follows.

        Rows are bytes to a follower, so it follows those of any schema.
        """
        schema = self.schema()
        is_known = SCHEMA_OLDEST <= schema <= known
        self.unreadable = (
            ""
            if is_known
            else f"its rows have schema {schema}, and this node works on {known}: it follows them, "
            "and never owns the partition"
        )
        return is_known
