"""The copies of a partition, compared with each other, and each with itself; one made anew.

The node that was asked has each node with a copy hold one moment of it, takes the latest of these
as the place at which they are compared, and waits until each has looked through its own. A copy
that can't be looked through is named, with the reason: an answer never leaves one out in silence.

A follower's copy that differs may be made anew from the log, one of a partition at a time, so that
the others are there meanwhile (verdict.py).
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from hookbundle.actors.replication.between import Place
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import CorruptRecord, HookbundleError, NotFound
from hookbundle.engine.replication.entries import Generation
from hookbundle.server.cluster.asked import AnswerLost, Asked
from hookbundle.server.cluster.commanding.asking import JSON, Nodes
from hookbundle.server.cluster.commanding.comparing import (
    ANSWER_S,
    DONE,
    HOLD,
    LOOK,
    NOT_YET,
    REFUSED,
    REMAKE,
    HeldOut,
    HoldIn,
    LookedOut,
    LookIn,
    RefusedOut,
    RemakeIn,
)
from hookbundle.server.cluster.commanding.verdict import Copy, Verdict
from hookbundle.server.cluster.partitions.holding import held_at, owner_at
from hookbundle.server.http.schemas.cluster import CheckedOut, CheckIn
from hookbundle.storage.cluster_facts import OfCluster, PartitionRepaired

SILENT = "it does not answer"
REMAKE_WHY = "it was not as its owner's: `cluster check --repair`"


class NotLookedAt(Exception):
    """In words, why not."""


@dataclass(frozen=True, slots=True)
class Checked:
    """`place`: in the log, at which copies were compared; None if none was. `remade`: the node that
    makes its copy anew; "" if none does."""

    verdict: Verdict
    place: Place | None
    remade: str


class Checking:
    """`nodes`: all, this one too. `tell` is told of copies that are made anew."""

    def __init__(self, partitions: int, nodes: Nodes, tell: Callable[[OfCluster], None]) -> None:
        self._partitions = partitions
        self._nodes = nodes
        self._tell = tell

    async def check(self, wanted: CheckIn, caller: str) -> CheckedOut:
        """Takes as long as it takes to read the largest copy. Raises: NotFound."""
        number = wanted.partition
        if number >= self._partitions:
            raise NotFound.of(Code.NO_PARTITION, partition=number)
        checked = await self.checked(number, caller, repairs=wanted.repair)
        verdict, place, remade = checked.verdict, checked.place, checked.remade
        return CheckedOut(
            partition=number,
            partitions=self._partitions,
            owner=verdict.owner,
            generation=str(place.generation) if place else "",
            seq=place.seq if place else 0,
            copies=[verdict.shown(copy, is_remade=copy.node == remade) for copy in verdict.copies],
            advice=verdict.advice(remade),
        )

    async def checked(self, number: int, caller: str, *, repairs: bool) -> Checked:
        """The partition is one of the cluster's."""
        live = self._nodes.live()
        owner, names = owner_at(live, number), sorted(held_at(live, number))
        check = secrets.token_hex(8)
        moments = await asyncio.gather(*(self._moment(name, number, check) for name in names))
        place = max((each for each in moments if isinstance(each, Place)), default=None)
        looked = await asyncio.gather(
            *(
                self._looked(name, check, moment, place)
                for name, moment in zip(names, moments, strict=True)
            )
        )
        verdict = Verdict(number, owner, looked)
        remade = ""
        if repairs and (node := verdict.to_be_remade()) is not None:
            remade = await self._remade(node, number)
        if remade:
            copy = next(each for each in looked if each.node == remade)
            differs = tuple(verdict.shown(copy, is_remade=True).differs)
            self._tell(
                PartitionRepaired(node=remade, caller=caller, partition=number, differs=differs)
            )
        return Checked(verdict, place, remade)

    async def _moment(self, node: str, number: int, check: str) -> Place | str:
        """Of its copy, held; in words, why there is none. One node that is silent is not waited for
        so long that the others hold theirs no more."""
        try:
            async with asyncio.timeout(ANSWER_S):
                body = await self._asked(node, HOLD, HoldIn(number, check))
            held = msgspec.json.decode(body, type=HeldOut)
            return Place(Generation.read(held.generation), held.seq)
        except NotLookedAt as exc:
            return str(exc)
        except (TimeoutError, msgspec.DecodeError, CorruptRecord):
            return SILENT

    async def _looked(
        self, node: str, check: str, moment: Place | str, place: Place | None
    ) -> Copy:
        if isinstance(moment, str) or place is None:
            return Copy(node, LookedOut(why=str(moment)))
        wanted = LookIn(check, str(place.generation), place.seq)
        try:
            while not (body := await self._asked(node, LOOK, wanted)):
                pass
            return Copy(node, msgspec.json.decode(body, type=LookedOut))
        except NotLookedAt as exc:
            return Copy(node, LookedOut(why=str(exc)))
        except msgspec.DecodeError:
            return Copy(node, LookedOut(why=SILENT))

    async def _remade(self, node: str, number: int) -> str:
        """The node, if it makes its copy anew; else empty."""
        try:
            await self._asked(node, REMAKE, RemakeIn(number, REMAKE_WHY))
        except NotLookedAt:
            return ""
        return node

    async def _asked(self, node: str, path: str, what: msgspec.Struct) -> bytes:
        """The answer; empty if it is not there yet. Raises: NotLookedAt."""
        try:
            answered = await self._nodes.ask(
                node, Asked("POST", path, JSON, msgspec.json.encode(what))
            )
        except AnswerLost:
            # Who is asked to look again hears of the same work.
            if path == LOOK and node in self._nodes.live():
                return b""
            raise NotLookedAt(SILENT) from None
        except HookbundleError:
            raise NotLookedAt(SILENT) from None
        if answered.status == REFUSED:
            raise NotLookedAt(msgspec.json.decode(answered.body, type=RefusedOut).why)
        if answered.status not in (DONE, NOT_YET):
            raise NotLookedAt(f"it answers with {answered.status}")
        return answered.body
