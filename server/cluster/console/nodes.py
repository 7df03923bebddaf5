"""The operator's page of a cluster: what needs a person, nodes, partitions, and commands on them.

It says what this node has heard of the others in the last seconds; only the log servers are asked,
if they answer, which nodes are on record. Commands are those of `/v1/cluster`; what can't be undone
or makes callers wait asks before. `recover` and `forget` are not here: who needs them has to look
first, and the page names the command.
"""

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from hookbundle.engine.replication.members import APART_MS
from hookbundle.engine.replication.names import PARTITIONS_MAX
from hookbundle.server.cluster.commanding.commands import Commanding
from hookbundle.server.console.questions import Consequence, unanswered
from hookbundle.server.console.sessions import Notice
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.http.requests import number_of
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.cluster import CheckAllIn, ClusterOut, DrainIn, MoveIn

PATH = "/cluster"
BACK = f"/console{PATH}"
QUESTION = "cluster_question.html"


@dataclass(frozen=True, slots=True)
class NodesPage:
    access: AccessCheck
    cluster: Commanding

    def routes(self) -> list[Route]:
        page = self.access.page
        return [
            page("GET", PATH, self.show, "operator"),
            page("GET", f"{PATH}/now", self.now, "operator"),
            page("POST", f"{PATH}/check", self.check, "operator", back=BACK),
            page("POST", f"{PATH}/compact", self.compact, "operator", back=BACK),
            page("POST", f"{PATH}/drain", self.drain, "operator", back=BACK),
            page("POST", f"{PATH}/move", self.move, "operator", back=BACK),
            page("POST", f"{PATH}/upgrade", self.upgrade, "operator", back=BACK),
        ]

    async def show(self, visit: Visit) -> web.StreamResponse:
        return visit.page("cluster.html", section="cluster", **await self._words())

    async def now(self, visit: Visit) -> web.StreamResponse:
        """The part of the page that changes."""
        return visit.render("parts/cluster.html", **await self._words())

    async def _words(self) -> dict[str, Any]:
        cluster, needs = (await self.cluster.heard()).judged()
        return {"cluster": cluster, "needs": needs, "apart_ms": APART_MS}

    # ---- commands

    async def check(self, visit: Visit) -> web.StreamResponse:
        repairs = bool(visit.form.get("repair"))
        found = [Consequence("made_anew")] if repairs else []
        if question := self._asks(visit, "repair", found):
            return question
        self.cluster.check_all(CheckAllIn(repairs), visit.caller)
        return visit.done(BACK, Notice("check_begun"))

    async def compact(self, visit: Visit) -> web.StreamResponse:
        partitions = len((await self.cluster.overview()).partitions)
        if question := self._asks(visit, "compact", [Consequence("rewritten", more=partitions)]):
            return question
        self.cluster.compact(visit.caller)
        return visit.done(BACK, Notice("compaction_begun"))

    async def drain(self, visit: Visit) -> web.StreamResponse:
        name, undo = visit.form.get("node", ""), bool(visit.form.get("undo"))
        owns = _owned_by(await self.cluster.overview(), name)
        found = [] if undo else [Consequence("gives_away", more=owns, text=name)]
        if question := self._asks(visit, "drain", found):
            return question
        drained = await self.cluster.drain(DrainIn(name, undo), visit.caller)
        word = "undrained" if undo else "drained"
        return visit.done(BACK, Notice(word, text=drained.node, count=drained.owns))

    async def move(self, visit: Visit) -> web.StreamResponse:
        """No question: it takes less than a second, and is undone in the same way."""
        number = number_of(visit.form.get("partition", ""), PARTITIONS_MAX)
        wanted = MoveIn(PARTITIONS_MAX if number is None else number, visit.form.get("node", ""))
        moved = await self.cluster.move(wanted, visit.caller)
        return visit.done(BACK, Notice("partition_moved", text=moved.owner, count=moved.partition))

    async def upgrade(self, visit: Visit) -> web.StreamResponse:
        schema = (await self.cluster.overview()).upgrade
        if schema is None:
            return visit.done(BACK)  # there is nothing to raise, or nobody can say
        # If it is a later one by now than the page has said, it is asked once more.
        found = [Consequence("no_way_back", count=schema)]
        if question := self._asks(visit, "upgrade", found):
            return question
        upgraded = await self.cluster.upgrade(visit.caller)
        return visit.done(BACK, Notice("cluster_upgraded", count=upgraded.schema))

    def _asks(self, visit: Visit, act: str, found: list[Consequence]) -> web.Response | None:
        return unanswered(visit, act, found, BACK, template=QUESTION, section="cluster")


def _owned_by(cluster: ClusterOut, node: str) -> int:
    return sum(each.owner == node for each in cluster.partitions)
