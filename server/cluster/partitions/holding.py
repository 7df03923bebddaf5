"""What nodes say of their copies in beats, as the assignment of partitions asks it."""

from collections.abc import Mapping

import msgspec

from hookbundle.engine.errors import CorruptRecord
from hookbundle.engine.replication.beats import Beat, Held
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.members import owners
from hookbundle.engine.replication.roles import CopyAt, Role, is_further
from hookbundle.server.cluster.partitions.hosting import PartitionHost


def staying(live: Mapping[str, Beat]) -> list[str]:
    """The nodes to which something may be assigned; all, if all are leaving."""
    return sorted(name for name, each in live.items() if not each.leaves) or sorted(live)


def held_by(host: PartitionHost) -> Held:
    state = host.role.state
    if state.follower is None:
        return Held(state.role)
    at, chain = state.copy_at(), state.follower.log.chain
    held = Held(at.role, chain.epoch, str(at.generation), at.seq)
    if at.role is not Role.OWNER:
        return held
    return msgspec.structs.replace(
        held,
        log_bytes=chain.base_bytes + chain.group_bytes,
        voids=state.follower.voids,
        since_ms=state.owned_since_ms,
        is_damaged=bool(state.damaged),
    )


def copy_of(held: Held) -> CopyAt:
    """A generation whose name can't be read is none: beats are not proven."""
    try:
        return CopyAt(held.role, Generation.read(held.generation), held.seq)
    except CorruptRecord:
        return CopyAt(held.role)


def held_at(live: Mapping[str, Beat], number: int) -> dict[str, Held]:
    """What the live nodes say that they are for the partition."""
    return {name: beat.held[number] for name, beat in live.items() if number in beat.held}


def owner_at(live: Mapping[str, Beat], number: int) -> str | None:
    """The live node that owns the partition."""
    held = {name: {number: each} for name, each in held_at(live, number).items()}
    return owners(held).get(number)


def copies_of(live: Mapping[str, Beat], number: int) -> dict[str, CopyAt]:
    """What the live nodes say of their copies of the partition."""
    return {name: copy_of(held) for name, held in held_at(live, number).items()}


def has_another_owner(live: Mapping[str, Beat], node: str, number: int, epoch: int) -> bool:
    return any(
        each.role is Role.OWNER and each.epoch > epoch
        for name, each in held_at(live, number).items()
        if name != node
    )


def behind_of(owner: Beat, other: Beat, number: int) -> int | None:
    """How many entries the copy of another node is behind; None if it has none to go on with."""
    own, held = owner.held.get(number), other.held.get(number)
    if own is None or held is None or held.role is not Role.FOLLOWING:
        return None
    if held.generation != own.generation:
        return None
    return max(own.seq - held.seq, 0)


def stopped_at(live: Mapping[str, Beat], number: int) -> list[str]:
    """The live nodes that have of the partition what its log has not."""
    held = held_at(live, number)
    return sorted(name for name, each in held.items() if each.role is Role.STOPPED)


class Furthest:
    """How far copies were ever heard to have come, since this node was started, and whose.

    Nodes that are gone by now count, too: what was acknowledged may be in their copies alone.
    """

    def __init__(self) -> None:
        self._found: dict[int, tuple[CopyAt, str]] = {}
        self._noted: dict[str, Beat] = {}

    def note(self, live: Mapping[str, Beat]) -> None:
        noted, self._noted = self._noted, dict(live)
        for name, beat in live.items():
            if noted.get(name) is beat:
                continue
            for number, held in beat.held.items():
                copy = copy_of(held)
                if is_further(copy, self.of(number) or CopyAt(Role.ABSENT)):
                    self._found[number] = copy, name

    def of(self, number: int) -> CopyAt | None:
        found = self._found.get(number)
        return None if found is None else found[0]

    def where(self, number: int) -> str:
        """The node that was heard to have come furthest; "" if none was."""
        found = self._found.get(number)
        return "" if found is None else found[1]
