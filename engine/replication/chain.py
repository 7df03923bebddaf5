"""The chain rule: which entries of a partition's log count. Every reader applies it, the owner too.

Two nodes may write to a log at once, and what one of them sent long ago may arrive late. So each
entry says behind which number it wants to stand, and one that stands elsewhere is *void*: its
number is used up, and its content is ignored. An entry with the number n counts if `prev` is n - 1
and

- it is a claim, and its epoch is greater than the present one, which it becomes; or
- it is of another kind, and its epoch is the present one.

Which kinds may come at all is in `MAY_COME`: a generation is a base, then groups and claims, and
nothing counts after its end. The parts of an entry come one after another and are held until the
last; a claim or a new first part drops them.

An entry that is void, and of an epoch of which no claim was read, was written by an owner that this
reader does not know of. A whole log has none; `unclaimed` counts them.

So of two entries that want the same place one counts at most, and all readers agree which: the one
that stands there. Who appends needs no lock, and a lock that has expired does no harm.
"""

from dataclasses import dataclass, field
from enum import Enum, auto
from zlib import crc32

import msgspec

from hookbundle.engine.errors import CorruptRecord, LogDamaged
from hookbundle.engine.replication.cluster import FORMAT
from hookbundle.engine.replication.entries import (
    Begin,
    Claim,
    End,
    Entry,
    Header,
    Kind,
    Release,
    pack_rows,
    unpack,
)


class Phase(Enum):
    """How far a generation has come."""

    BASE = auto()  # its base is being written
    LIVE = auto()  # it is the log
    ENDED = auto()  # the log goes on in another generation


MAY_COME = {
    Phase.BASE: {Kind.BASE, Kind.GROUP, Kind.BEGIN},
    Phase.LIVE: {Kind.CLAIM, Kind.GROUP, Kind.RELEASE, Kind.END},
    Phase.ENDED: set(),
}
CUT = {Kind.BASE, Kind.GROUP}  # the kinds that may come in parts
NO_ROWS = pack_rows([])  # the body of a group that changes nothing
PHASE_AFTER = {Kind.BEGIN: Phase.LIVE, Kind.END: Phase.ENDED}


class Counts(msgspec.Struct, frozen=True):
    """The entry counts; `header` is that of its last part, `body` that of all."""

    seq: int
    header: Header
    body: bytes


class Held(msgspec.Struct, frozen=True):
    """A part that counts; the last one decides."""

    seq: int
    header: Header


class Void(msgspec.Struct, frozen=True):
    seq: int


Verdict = Counts | Held | Void


@dataclass(slots=True)
class Chain:
    """What a reader of a generation knows.

    `seq`: the last number that was read. `epoch`: the present one; a generation starts with the one
    in its name. `claim`: the `Hb-Id` of the claim by which the epoch began, and `owner` its node;
    both are empty if it was not read. `released_to`: whom the owner has given the partition to, ""
    if it did not say, None while it has not. `end`: where the log goes on. `voids`: entries that
    count for nobody, since this reader began, and `unclaimed` those of them that are of a later
    epoch than any claim. `held`: the parts of an unfinished entry. `mark`: the `Hb-Id` of the entry
    with the number `whole`, by which a reader knows the log again; empty if it is not known.

    Of the generation: `base_bytes` of its base, and `group_bytes` of all groups since that changed
    something; `begun_ms`, when its base was complete; `erased_ms`, when something was deleted for
    the first time that may stand in it (who reads the rows says so, by `note_erasure`). `schema`:
    the highest of which rows may be. They are the same for all readers, wherever they began.
    """

    seq: int
    epoch: int
    phase: Phase = Phase.LIVE
    claim: str = ""
    owner: str = ""
    released_to: str | None = None
    end: End | None = None
    voids: int = 0
    unclaimed: int = 0
    mark: str = ""
    schema: int = 0
    base_bytes: int = 0
    group_bytes: int = 0
    begun_ms: int = 0
    erased_ms: int | None = None
    held: list[Entry] = field(default_factory=list)

    @property
    def life(self) -> str:
        """Of the process that owns the partition, as far as the log tells; else empty."""
        return "" if self.released_to is not None else self.claim.partition(".")[0]

    @property
    def whole(self) -> int:
        """The last number before unfinished parts: where a reader may start again."""
        return self.seq - len(self.held)

    def note_erasure(self, at_ms: int) -> None:
        if self.erased_ms is None:
            self.erased_ms = at_ms

    def standing(self, id_: str) -> int:
        """How many parts of a publication are held."""
        return sum(part.header is not None and part.header.id == id_ for part in self.held)

    def feed(self, entry: Entry, *, is_own: bool = False) -> Verdict:
        """What the next entry is. `is_own`: it was not read, but is what was sent.

        Raises: LogDamaged if one is missing before it, or if it counts and is damaged;
            CorruptRecord if a later version has written it in a format that is not known here.
        """
        if entry.seq != self.seq + 1:
            raise LogDamaged(f"the log has a gap: {entry.seq} comes after {self.seq}")
        if entry.format > FORMAT:
            raise CorruptRecord(
                f"entry {entry.seq} of the log has format {entry.format}, and this program knows "
                f"{FORMAT}: use the version that the other nodes have"
            )
        self.seq = entry.seq
        header = entry.header
        if header is None or not self._counts(entry.seq, header):
            # Parts that are held stay where they are, and can't be continued any more: the next
            # part would have to stand at this number.
            self.held.clear()
            self.voids += 1
            self.unclaimed += self._is_unclaimed(header)
            self.mark = "" if header is None else header.id
            return Void(entry.seq)
        if not is_own and crc32(entry.body) != header.checksum:
            raise LogDamaged(f"entry {entry.seq} of the log is damaged: its checksum is wrong")
        if header.part == 1:
            self._drop_held()
        if header.part < header.parts:
            self.held.append(entry)
            return Held(entry.seq, header)
        body = b"".join([*(part.body for part in self.held), entry.body])
        self.held.clear()
        self._take(header, body)
        self.mark = header.id
        return Counts(entry.seq, header, body)

    def _drop_held(self) -> None:
        if self.held:
            before = self.held[-1].header
            self.mark = before.id if before is not None else ""
            self.held.clear()

    def _is_unclaimed(self, header: Header | None) -> bool:
        return header is not None and header.kind is not Kind.CLAIM and header.epoch > self.epoch

    def _counts(self, seq: int, header: Header) -> bool:
        if header.prev != seq - 1 or header.kind not in MAY_COME[self.phase]:
            return False
        if header.parts > 1 and header.kind not in CUT:
            return False
        if header.kind is Kind.CLAIM:
            return header.epoch > self.epoch
        return header.epoch == self.epoch and self._continues(header)

    def _continues(self, header: Header) -> bool:
        """Whether the part is the one that comes next; a whole entry is its own first part."""
        if header.part == 1:
            return True
        if len(self.held) != header.part - 1:
            return False
        before = self.held[-1].header
        assert before is not None
        return (before.id, before.kind, before.parts) == (header.id, header.kind, header.parts)

    def _take(self, header: Header, body: bytes) -> None:
        phase = self.phase
        self.phase = PHASE_AFTER.get(header.kind, phase)
        self.schema = max(self.schema, header.schema)
        match header.kind:
            case Kind.BASE | Kind.GROUP if phase is Phase.BASE:
                self.base_bytes += len(body)
            case Kind.GROUP if body != NO_ROWS:
                self.group_bytes += len(body)
            case Kind.CLAIM:
                claim = unpack(Claim, body)
                self.epoch, self.claim = header.epoch, header.id
                self.owner, self.released_to = claim.node, None
                self.schema = max(self.schema, claim.schema)
            case Kind.BEGIN:
                begin = unpack(Begin, body)
                self.owner, self.claim = begin.owner, begin.claim
                self.begun_ms, self.erased_ms = header.at_ms, begin.erased_ms
            case Kind.RELEASE:
                self.released_to = unpack(Release, body).to
            case Kind.END:
                self.end = unpack(End, body)
