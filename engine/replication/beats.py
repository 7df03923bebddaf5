"""A beat: what a node says twice a second of itself and of the partitions that it has copies of.

Beats are not stored, and not proven: who believed a wrong one would make a claim that is lost, or
wait. What can't be read is no beat.
"""

from typing import Annotated, Any, NamedTuple

import msgspec

from hookbundle.engine.replication.names import NODE, PARTITIONS_MAX
from hookbundle.engine.replication.roles import Role

EVERY_S = 0.5
BYTES_MAX = 64 * 1024
LINE_CHARS_MAX = 200

Number = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Short = Annotated[str, msgspec.Meta(max_length=80)]
Line = Annotated[str, msgspec.Meta(max_length=LINE_CHARS_MAX)]


class Held(msgspec.Struct, frozen=True, array_like=True):
    """What a node is for a partition; of its log as far as it has read it.

    Of an owner, for people: `log_bytes` of its generation, `voids` (entries that count for nobody,
    since it has read the log), `since_ms`, when it has taken the partition, by its clock;
    `is_damaged`: it can't read a record of it.
    """

    role: Role
    epoch: Number = 0
    generation: Short = ""
    seq: Number = 0
    log_bytes: Number = 0
    voids: Number = 0
    since_ms: Number = 0
    is_damaged: bool = False


class Work(msgspec.Struct, frozen=True, array_like=True):
    """What `node`, in its life `life`, goes through all partitions for; `caller` has asked for it.

    `began_ms` is greater than that of any before. `done`: how many partitions. `doing`: what is
    under way; empty if it is over.
    """

    began_ms: Number
    node: Short
    life: Short
    caller: Short
    partitions: Number
    done: Number = 0
    doing: Line = ""

    @property
    def place(self) -> tuple[Any, ...]:
        """Of two that are known the one with the greater place is the later one, or says more."""
        return self.began_ms, self.node, self.life, not self.doing, self.done


class Compaction(Work, frozen=True, array_like=True):
    """The last compaction that a node knows of. `left_out`: what could not be done, and why.
    `is_told`: the node has ended before it was through, and that stands in the feed."""

    left_out: tuple[Line, ...] = ()
    is_told: bool = False

    @property
    def place(self) -> tuple[Any, ...]:
        return self.began_ms, self.node, self.life, not self.doing, self.is_told, self.done


class CheckFound(msgspec.Struct, frozen=True, array_like=True):
    """What a check has found of a partition, at a node if it is about one. `what`: a word, which a
    program of another version may not know. `detail`: kinds of records, a count, or a reason."""

    partition: Number
    node: Short
    what: Short
    detail: Line = ""


class Check(Work, frozen=True, array_like=True):
    """The last comparison of all copies that a node knows of. `repairs`: copies that differ are
    made anew. `faults`: how many there are; `found`: what they are, the first of them."""

    repairs: bool = False
    faults: Number = 0
    found: tuple[CheckFound, ...] = ()


class Works(NamedTuple):
    """The last ones that a node knows of, at whichever node; None as long as there was none."""

    compaction: Compaction | None
    check: Check | None


class Beat(msgspec.Struct, frozen=True, array_like=True):
    """`settings`: a digest of those that shape data. `leaves`: it gives away all that it owns.

    `given`: partitions that it was given by command, and in which epoch of theirs. `record`: the
    revision of the cluster's record that it knows; who hears of a later one reads the record.
    `compaction`, `check`: the last ones that it knows of, at whichever node.
    """

    node: Short
    life: Short
    version: Short
    wall_ms: Number
    free_bytes: Number
    settings: Short
    held: dict[int, Held]
    leaves: bool = False
    given: dict[int, Number] = {}
    record: Number = 0
    compaction: Compaction | None = None
    check: Check | None = None


def pack(beat: Beat) -> bytes:
    return _encode(beat)


def read(body: bytes) -> Beat | None:
    """None for what is no beat."""
    if len(body) > BYTES_MAX:
        return None
    try:
        beat = _beats.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not NODE.fullmatch(beat.node) or not beat.life:
        return None
    if not all(0 <= partition < PARTITIONS_MAX for partition in (*beat.held, *beat.given)):
        return None
    return beat


_encode = msgspec.msgpack.Encoder().encode
_beats = msgspec.msgpack.Decoder(Beat)
"""Later fields at the end of a beat are passed over by programs that do not know them."""
