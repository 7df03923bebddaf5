"""Who lives, as far as one node has heard: pure, but for what it is told.

A node lives while its last beat is younger than `dead_after`, by the clock of the one who listens.
It hears its own beats, too: who does not is cut off from what others know, and can't tell who
lives. Its own name with another life is a double, of whom one has to go: the one that has begun to
listen just now, or was frozen until now, at once; the other one only if that goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from hookbundle.engine.replication.beats import EVERY_S, Beat, Held, read
from hookbundle.engine.replication.roles import Role

NODES_MAX = 256
UNHEARD_S = 3 * EVERY_S + 0.1  # three beats of its own that did not come back
DOUBLE_BEATS = 4  # after which a node believes that another of its name stays
APART_MS = 1_000  # clocks of nodes that are further apart are named
LOW_BYTES = 1 << 30  # of room on a node's disk: with less it is named
CLOCK_BEATS = 4  # by which a node's clock is judged


@dataclass(frozen=True, slots=True)
class Member:
    """A node by its last beat, and when that came. `apart_ms`: by how much its wall clock was ahead
    of this node's with each of the last beats."""

    beat: Beat
    heard_s: float
    apart_ms: tuple[int, ...]

    @property
    def ahead_ms(self) -> int:
        """By how much its clock is ahead: a beat that was under way for long says too little."""
        return max(self.apart_ms)


@dataclass(slots=True)
class MembersState:
    """`own_s`: when this node heard itself last; `own_since_s`: since when without a break.

    `ignored`: what was heard and is no beat, or one too many. `double`: another life of this name,
    to which this one gives way. `doubles`: how many beats of such a life were heard, by life.
    """

    heard: dict[str, Member] = field(default_factory=dict)
    own_s: float = float("-inf")
    own_since_s: float = float("-inf")
    ignored: int = 0
    double: str = ""
    doubles: tuple[str, int] = ("", 0)


class Members:
    """As one node sees them. Times are of any clock that only goes on, in seconds."""

    def __init__(self, node: str, life: str, dead_after_s: float) -> None:
        self._node = node
        self._life = life
        self._dead_after_s = dead_after_s
        self.state = MembersState()

    def hear(self, body: bytes, now_s: float, wall_ms: int) -> None:
        """Something was heard where beats are."""
        beat = read(body)
        if beat is None:
            self.state.ignored += 1
        elif beat.node == self._node:
            self._hear_own(beat, now_s)
        elif self._has_room(beat.node, now_s):
            last = self.state.heard.get(beat.node)
            before = last.apart_ms[-CLOCK_BEATS + 1 :] if last else ()
            apart_ms = (*before, beat.wall_ms - wall_ms)
            self.state.heard[beat.node] = Member(beat, now_s, apart_ms)
        else:
            self.state.ignored += 1

    def live(self, now_s: float) -> Mapping[str, Member]:
        """The other nodes that live."""
        since_s = now_s - self._dead_after_s
        return {name: each for name, each in self.state.heard.items() if each.heard_s > since_s}

    def beats(self, now_s: float, wall_ms: int) -> dict[str, Beat]:
        """What the other nodes that live have said, with what their clocks say by now."""
        return {
            name: replace(each.beat, wall_ms=wall_ms + each.ahead_ms)
            for name, each in self.live(now_s).items()
        }

    def life_of(self, node: str, now_s: float) -> str | None:
        """None if it does not live."""
        if node == self._node:
            return self._life
        found = self.live(now_s).get(node)
        return None if found is None else found.beat.life

    def unheard_s(self, now_s: float) -> float:
        """For how long this node has not heard itself."""
        return now_s - self.state.own_s

    def heard_s(self, now_s: float) -> float:
        """For how long it has, without a break; 0: it does not now."""
        if self.unheard_s(now_s) > UNHEARD_S:
            return 0.0
        return now_s - self.state.own_since_s

    def _hear_own(self, beat: Beat, now_s: float) -> None:
        state = self.state
        if beat.life != self._life:
            life, count = state.doubles
            state.doubles = beat.life, count + 1 if life == beat.life else 1
            if not self.heard_s(now_s) or state.doubles[1] >= DOUBLE_BEATS:
                state.double = beat.life
            return
        if now_s - state.own_s > UNHEARD_S:
            state.own_since_s = now_s
        state.own_s = now_s

    def _has_room(self, node: str, now_s: float) -> bool:
        heard = self.state.heard
        if node in heard or len(heard) < NODES_MAX:
            return True
        self.forget_dead(now_s)
        return len(self.state.heard) < NODES_MAX

    def forget_dead(self, now_s: float) -> None:
        """What those said who do not live any more is of no use."""
        self.state.heard = dict(self.live(now_s))


def owners(members: Mapping[str, Mapping[int, Held]]) -> dict[int, str]:
    """The live owner of each partition that has one: of two, the one of the greater epoch."""
    found: dict[int, tuple[int, str]] = {}
    for name, held in members.items():
        for partition, each in held.items():
            if each.role is Role.OWNER:
                found[partition] = max((each.epoch, name), found.get(partition, (-1, "")))
    return {partition: name for partition, (_, name) in found.items()}


def behind(members: Mapping[str, Mapping[int, Held]]) -> dict[tuple[int, str], int]:
    """By how many entries each copy is behind its owner; for `assignment.yields`.

    A copy in another generation, and one whose owner is not heard, is not in it.
    """
    found = {}
    owned = owners(members)
    for name, held in members.items():
        for partition, each in held.items():
            owner = members[owned[partition]][partition] if partition in owned else None
            if owner is None or each.role is not Role.FOLLOWING:
                continue
            if each.generation == owner.generation:
                found[partition, name] = max(owner.seq - each.seq, 0)
    return found
