"""All partitions are checked, one after the other, while the caller goes on.

The node that was asked goes through them, and says in its beats how far it is and what it has found
(known.py), so that every node can show it. If it ends, all others say that the check has stopped:
nothing was changed by it that would have to be ended.
"""

from collections.abc import Awaitable, Callable, Mapping

import structlog

from hookbundle.engine.error_codes import Code
from hookbundle.engine.replication.beats import Beat, Check, CheckFound
from hookbundle.server.cluster.commanding.checking import Checked
from hookbundle.server.cluster.commanding.going_through import CALLER_CHARS_MAX, GoingThrough
from hookbundle.server.cluster.commanding.known import Known
from hookbundle.server.http.schemas.cluster import CheckFoundOut, CheckOfAllOut, FoundWhat
from hookbundle.server.http.schemas.times import iso

FOUND_MAX = 32  # that are named; more of the same would make beats long

log = structlog.get_logger(__name__)

CheckOne = Callable[[int, str, bool], Awaitable[Checked]]


class CheckingAll:
    """`begin()`, as often as it is wanted; `close()` ends what is under way."""

    def __init__(
        self,
        node: str,
        life: str,
        partitions: int,
        live: Callable[[], Mapping[str, Beat]],
        check: CheckOne,
    ) -> None:
        """`node`, `life`: this one. `check`: of a partition, for a caller; whether it repairs."""
        self._partitions = partitions
        self._live = live
        self._check = check
        self.known = Known[Check](life, lambda beat: beat.check)
        nothing = Check(0, node, life, "", partitions)
        self._work = GoingThrough(self.known, live, Code.CHECK_UNDER_WAY, nothing)

    def begin(self, caller: str, wall_ms: int, *, repairs: bool) -> None:
        """Raises: Conflict while one is under way, at whichever node."""
        began_ms, before = self._work.may_begin(wall_ms), self._work.state
        by, partitions = caller[:CALLER_CHARS_MAX], self._partitions
        begun = Check(began_ms, before.node, before.life, by, partitions, repairs=repairs)
        self._work.begin(begun, self._run(caller), "check of all copies")
        log.info("check of all copies", caller=caller, repairs=repairs)

    async def close(self) -> None:
        await self._work.close()

    def shown(self, *, judges: bool) -> CheckOfAllOut | None:
        """The last one, at whichever node; None as long as there was none. `judges`: whether this
        node has listened long enough to know who lives."""
        latest = self.known.latest
        if latest is None:
            return None
        has_stopped = judges and self.known.has_stopped(self._live())
        words = {each.value: each for each in FoundWhat}
        return CheckOfAllOut(
            latest.partitions,
            latest.done,
            "" if has_stopped else latest.doing,
            latest.faults,
            [
                CheckFoundOut(each.partition, each.node, words[each.what], each.detail)
                for each in latest.found
                if each.what in words
            ],
            latest.repairs,
            latest.node,
            latest.caller,
            iso(latest.began_ms),
            has_stopped,
        )

    async def _run(self, caller: str) -> None:
        for number in range(self._partitions):
            self._work.says(doing=f"partition {number}")
            await self._partition(number, caller)
            self._work.says(done=self._work.state.done + 1)
        self._work.says(doing="")
        log.info("check of all copies over", faults=self._work.state.faults)

    async def _partition(self, number: int, caller: str) -> None:
        try:
            checked = await self._check(number, caller, self._work.state.repairs)
        except Exception as exc:  # whatever it is, the other partitions have their turn
            log.error("partition not checked", partition=number, exc_info=exc)
            not_looked = CheckFound(number, "", FoundWhat.NOT_LOOKED_AT.value, "internal error")
            self._finds(1, [not_looked])
            return
        verdict = checked.verdict
        self._finds(verdict.faults(), verdict.found(checked.remade))

    def _finds(self, faults: int, found: list[CheckFound]) -> None:
        named = (*self._work.state.found, *found)[:FOUND_MAX]
        self._work.says(faults=self._work.state.faults + faults, found=named)
