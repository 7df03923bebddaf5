"""The console of a node. What is the cluster's is shown here: sign-in, lists, the overview, nodes.

A page of one workspace is made by the owner of its partition. Here it is only looked who asks, with
the checks that every page has; then the request is passed on, and the owner looks again.
"""

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from hookbundle.engine.clock import Clock
from hookbundle.engine.errors import HookbundleError
from hookbundle.server.cluster.asked import asked_of, response_of
from hookbundle.server.cluster.commanding.commands import Commanding
from hookbundle.server.cluster.console import notices
from hookbundle.server.cluster.console.lists import Everywhere
from hookbundle.server.cluster.console.nodes import NodesPage
from hookbundle.server.cluster.partitions import placing
from hookbundle.server.console.console import ConsoleConfig
from hookbundle.server.console.pages.checks.mail import MailPage
from hookbundle.server.console.pages.errors import ErrorsPage
from hookbundle.server.console.pages.finding import FindingPage
from hookbundle.server.console.pages.overview import OverviewPage
from hookbundle.server.console.pages.recent.news import NewsPage
from hookbundle.server.console.pages.sign_in import SignInPage
from hookbundle.server.console.pages.workspaces import WorkspacesPage
from hookbundle.server.console.rendering import Renderer
from hookbundle.server.console.samples import Samples
from hookbundle.server.console.security import Origins
from hookbundle.server.console.sessions import SignedIn
from hookbundle.server.console.visits import AccessCheck, Visit
from hookbundle.server.feed.source import Source
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.resources.mail_tests import MailTests
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut

BELOW = len("/console")
NEWS = "/console/w/{ws}/news"
LIST = "/console/workspaces"


class NodeConsole:
    """`start()` begins to take samples for the overview; `close()` ends it."""

    def __init__(
        self,
        config: ConsoleConfig,
        everywhere: Everywhere,
        cluster: Commanding,
        sessions: SignedIn,
        feed: Source,
        fair_limits: FairLimits,
        clock: Clock,
        wrong_token: Callable[[str], None],
        mail_tests: MailTests,
    ) -> None:
        self._everywhere = everywhere
        self.samples = Samples(everywhere.look, clock)
        access = AccessCheck(sessions, Renderer(clock, clustered=True), Origins(config.public_url))
        nothing: Any = None  # no page of these asks a database

        async def status() -> StatusOut:
            return (await everywhere.look()).status

        def needs_url() -> bool:
            return bool(mail_tests.config().host) and not config.public_url

        self._access = access
        self._workspaces = WorkspacesPage(access, nothing, nothing, everywhere.workspaces)
        self._parts = (
            NewsPage(access, lambda _: None, feed, fair_limits),
            FindingPage(access, nothing, nothing, everywhere.owner_of),
            OverviewPage(access, self.samples, status, needs_url),
            MailPage(access, mail_tests),
            NodesPage(access, cluster),
            ErrorsPage(access),
            SignInPage(access, sessions, wrong_token),
        )

    def routes(self, shape: Collection[Route]) -> list[Route]:
        """What only a cluster has, and then those of a daemon's console, `shape`, in its order."""
        own = {(route.method, route.path): route for part in self._parts for route in part.routes()}
        page = self._access.page
        for each in (
            page("GET", "/workspaces", self._listed),
            page("GET", "/workspaces/new", self._workspaces.ask, "operator"),
            page("POST", "/workspaces/new", self._made, "operator"),
        ):
            own[each.method, each.path] = each
        known = {(route.method, route.path) for route in shape}
        found = [route for key, route in own.items() if key not in known]
        for route in shape:
            key = route.method, route.path
            is_passed_on = "{ws}" in route.path and route.path != NEWS
            if is_passed_on:
                handler = page(route.method, route.path[BELOW:], self._passed_on).handler
                found.append(replace(route, handler=handler))
            else:
                found.append(own[key])
        return found

    def start(self) -> None:
        self.samples.start()

    async def close(self) -> None:
        await self.samples.close()

    # ---- what others make

    async def _listed(self, visit: Visit) -> web.StreamResponse:
        """All workspaces; who belongs to one is shown that, by its owner."""
        mine = visit.signed_in.caller.workspace_id
        if mine:
            return await self._of(mine, visit)
        return await self._workspaces.index(visit)

    async def _made(self, visit: Visit) -> web.StreamResponse:
        return await self._of(visit.form.get("id", "").strip(), visit)

    async def _passed_on(self, visit: Visit) -> web.StreamResponse:
        return await self._of(visit.ws, visit)

    async def _of(self, workspace_id: str, visit: Visit) -> web.StreamResponse:
        """The page as the owner of the workspace makes it. Raises: NotOwner; AnswerLost."""
        asked = await asked_of(visit.request)
        if visit.request.method == "POST":
            asked = replace(asked, body=urlencode(visit.form).encode())
        number = placing.of_workspace(workspace_id, self._everywhere.partitions)
        response = response_of(await self._everywhere.ask(number, asked))
        leads_to = (response.headers.get("Location"), response.headers.get("HX-Redirect"))
        if LIST in leads_to and visit.session is not None:
            with suppress(HookbundleError):  # what was done is done, whether it is said or not
                await notices.fetch(self._everywhere.ask, number, asked, visit.session)
        return response
