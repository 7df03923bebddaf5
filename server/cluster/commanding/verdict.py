"""What is wrong with which copy of a partition, and what is to be done: pure.

A copy is compared with its owner's. Where the owner's is the one that stands out, because its check
finds something or all others agree against it, no copy is made anew: the log has what the owner
wrote, and another node should own the partition first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from hookbundle.engine.replication.beats import LINE_CHARS_MAX, CheckFound
from hookbundle.server.cluster.commanding.comparing import LookedOut
from hookbundle.server.http.schemas.cluster import CopyCheckedOut, CopyFindingOut, FoundWhat
from hookbundle.storage.database.data_file.pages import WHAT_TO_DO

REPAIR = "`hookbundle cluster check --repair`"
ENOUGH = 2  # copies that agree against the owner's


@dataclass(frozen=True, slots=True)
class Copy:
    """What came of one copy."""

    node: str
    looked: LookedOut

    @property
    def is_sound(self) -> bool:
        """It was looked through, and agrees with itself."""
        return bool(self.looked.digests) and not self.looked.findings


@dataclass(frozen=True, slots=True)
class Verdict:
    """`owner`: of the partition; None if it has none."""

    number: int
    owner: str | None
    copies: Sequence[Copy]

    def shown(self, copy: Copy, *, is_remade: bool) -> CopyCheckedOut:
        looked, wanted = copy.looked, self._reference()
        is_compared = not looked.why and bool(wanted) and len(self._known()) > 1
        kinds = sorted(wanted.keys() | looked.digests.keys()) if looked.digests else []
        return CopyCheckedOut(
            node=copy.node,
            records=looked.records,
            same=looked.digests == wanted if is_compared else None,
            differs=[kind for kind in kinds if looked.digests.get(kind) != wanted.get(kind)],
            findings=[
                CopyFindingOut(each.where, each.what, each.workspace) for each in looked.findings
            ],
            why=looked.why,
            remade=is_remade,
        )

    def to_be_remade(self) -> str | None:
        """The node whose copy may be made anew from the log; None if there is none now."""
        own = self._own()
        if own is None or not own.is_sound or self._stands_out(own) is not None:
            return None
        others = (each for each in self._known() if each.node != self.owner)
        return next((each.node for each in others if self._is_other(each, own)), None)

    def advice(self, remade: str) -> list[str]:
        """What a person should know or do, in sentences. `remade`: the node that does it."""
        return [self._in_words(what, node) for what, node in self._advised(remade)]

    def found(self, remade: str) -> list[CheckFound]:
        """What is wrong with each copy, and what is advised, in words that pages know."""
        found = list[tuple[FoundWhat, str, str]]()
        for copy in self.copies:
            shown = self.shown(copy, is_remade=False)
            if shown.why:
                found.append((FoundWhat.NOT_LOOKED_AT, copy.node, shown.why))
            if shown.same is False:
                found.append((FoundWhat.DIFFERS, copy.node, ", ".join(shown.differs)))
            if shown.findings:
                found.append((FoundWhat.FAULTS, copy.node, str(len(shown.findings))))
        found += [(what, node, "") for what, node in self._advised(remade)]
        return [
            CheckFound(self.number, node, what.value, detail[:LINE_CHARS_MAX])
            for what, node, detail in found
        ]

    def faults(self) -> int:
        """How many there are: of each copy, or that it has none."""
        shown = [self.shown(each, is_remade=False) for each in self.copies]
        count = sum(bool(each.why) + (each.same is False) + len(each.findings) for each in shown)
        return count or len(self._advised(""))

    def _advised(self, remade: str) -> list[tuple[FoundWhat, str]]:
        """Each with the node that it is about, or ""."""
        own, found = self._own(), list[tuple[FoundWhat, str]]()
        if not self.copies:
            found.append((FoundWhat.NO_COPY, ""))
        elif self.owner is None:
            found.append((FoundWhat.UNOWNED, ""))
        if own is not None and (better := self._stands_out(own)) is not None:
            found.append((FoundWhat.MOVE_FIRST, better.node))
        elif remade:
            found.append((FoundWhat.REMADE, remade))
        elif (node := self.to_be_remade()) is not None:
            found.append((FoundWhat.REPAIR, node))
        elif any(each.looked.findings for each in self._known()):
            is_alone = len(self._known()) == 1
            found.append((FoundWhat.ONLY_COPY if is_alone else FoundWhat.IN_LOG, ""))
        return found

    def _in_words(self, what: FoundWhat, node: str) -> str:
        number = self.number
        match what:
            case FoundWhat.NO_COPY:
                return f"no node that lives has a copy of partition {number}"
            case FoundWhat.UNOWNED:
                return f"partition {number} has no owner now"
            case FoundWhat.MOVE_FIRST:
                return (
                    f"the copy of {self.owner}, which owns partition {number}, is the one that is "
                    f"wrong: `hookbundle cluster move {number} {node}`, then {REPAIR}"
                )
            case FoundWhat.REMADE:
                return (
                    f"{node} makes its copy of partition {number} anew from the log: check again "
                    "when `hookbundle cluster status` shows that it follows"
                )
            case FoundWhat.REPAIR:
                return (
                    f"the copy of partition {number} on {node} is not as its owner's: {REPAIR} has "
                    f"{node} make it anew from the log"
                )
            case FoundWhat.IN_LOG:
                return (
                    f"what was found in partition {number} stands in its log, and a copy made anew "
                    f"would have it, too: {WHAT_TO_DO}"
                )
        return (
            f"there is no other copy of partition {number} to compare with: if its node is "
            f"stopped, partitions/{number:03} removed from its data directory, and the node "
            "started again, it makes the copy anew from the log"
        )

    def _stands_out(self, own: Copy) -> Copy | None:
        """A copy that is better than the owner's; None if the owner's is as good as any."""
        others = [each for each in self._known() if each.node != own.node]
        sound = [each for each in others if each.is_sound and self._is_other(each, own)]
        if sound and not own.is_sound:
            return sound[0]
        agree = all(each.looked.digests == others[0].looked.digests for each in others)
        return sound[0] if len(sound) >= ENOUGH and len(sound) == len(others) and agree else None

    @staticmethod
    def _is_other(copy: Copy, own: Copy) -> bool:
        return copy.looked.digests != own.looked.digests

    def _known(self) -> list[Copy]:
        return [each for each in self.copies if not each.looked.why]

    def _own(self) -> Copy | None:
        return next((each for each in self._known() if each.node == self.owner), None)

    def _reference(self) -> dict[str, str]:
        """The digests of the owner's copy; of the first that can be read, if that can't."""
        own = self._own()
        if own is not None and own.looked.digests:
            return own.looked.digests
        return next((each.looked.digests for each in self._known() if each.looked.digests), {})
