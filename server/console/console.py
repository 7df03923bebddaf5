"""The console put together: its pages, their sessions, and the samples for the overview."""

from collections.abc import Callable
from dataclasses import dataclass

from hookbundle.engine.clock import Clock
from hookbundle.server.console.pages.calling.page import CallingPage
from hookbundle.server.console.pages.checks.mail import MailPage
from hookbundle.server.console.pages.checks.signature import SignaturePage
from hookbundle.server.console.pages.consequences import Counting
from hookbundle.server.console.pages.deleting import DeletingPage
from hookbundle.server.console.pages.deliveries import DeliveriesPage
from hookbundle.server.console.pages.errors import ErrorsPage
from hookbundle.server.console.pages.filters.page import FilterPage
from hookbundle.server.console.pages.finding import FindingPage
from hookbundle.server.console.pages.formats.page import FormatPage
from hookbundle.server.console.pages.overview import OverviewPage
from hookbundle.server.console.pages.paths import PathsPage
from hookbundle.server.console.pages.recent.activity import ActivityPage
from hookbundle.server.console.pages.recent.news import NewsPage
from hookbundle.server.console.pages.replays import ReplaysPage
from hookbundle.server.console.pages.sign_in import SignInPage
from hookbundle.server.console.pages.sources.making import NewSourcePage
from hookbundle.server.console.pages.sources.page import SourcePage
from hookbundle.server.console.pages.sources.trying import SourceTrying
from hookbundle.server.console.pages.success.page import TestPage
from hookbundle.server.console.pages.webhook import WebhookPage
from hookbundle.server.console.pages.webhooks import WebhooksPage
from hookbundle.server.console.pages.window_rules.trying import Trying
from hookbundle.server.console.pages.windows import WindowsPage
from hookbundle.server.console.pages.workspaces import WorkspacesPage, searching
from hookbundle.server.console.rendering import Renderer
from hookbundle.server.console.samples import Samples, look_at
from hookbundle.server.console.security import Origins
from hookbundle.server.console.sessions import SignedIn
from hookbundle.server.console.visits import AccessCheck
from hookbundle.server.feed.subscription import Feed
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.resources.chats import Chats
from hookbundle.server.http.resources.deletions import Erasing
from hookbundle.server.http.resources.deliveries import Deliveries
from hookbundle.server.http.resources.histories import Histories
from hookbundle.server.http.resources.logs import Logs
from hookbundle.server.http.resources.mail_tests import MailTests
from hookbundle.server.http.resources.replays import Replays
from hookbundle.server.http.resources.sources.owning import Sources
from hookbundle.server.http.resources.sources.trying import SourceTrials
from hookbundle.server.http.resources.status import Status
from hookbundle.server.http.resources.webhooks.filtering import FilterTests
from hookbundle.server.http.resources.webhooks.format_testing import FormatTests
from hookbundle.server.http.resources.webhooks.merging import Merges
from hookbundle.server.http.resources.webhooks.previewing import FormatPreviews
from hookbundle.server.http.resources.webhooks.settings import Webhooks
from hookbundle.server.http.resources.webhooks.signing_secrets import SigningSecrets
from hookbundle.server.http.resources.webhooks.simulating import Simulations
from hookbundle.server.http.resources.webhooks.switching import Switching
from hookbundle.server.http.resources.webhooks.testing import TestRequests
from hookbundle.server.http.resources.webhooks.verifying import Verifications
from hookbundle.server.http.resources.workspaces import Workspaces
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.status import StatusOut
from hookbundle.storage.reads.chats.finding import ChatSearch
from hookbundle.storage.reads.chats.names import ChatNames
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.lookup import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The API's resources, through which the console's pages act."""

    workspaces: Workspaces
    secrets: SigningSecrets
    webhooks: Webhooks
    switching: Switching
    merges: Merges
    filters: FilterTests
    simulations: Simulations
    format_tests: FormatTests
    chats: Chats
    deliveries: Deliveries
    replays: Replays
    testing: TestRequests
    previews: FormatPreviews
    logs: Logs
    erasing: Erasing
    histories: Histories
    status: Status
    sources: Sources
    source_trials: SourceTrials
    mail_tests: MailTests
    verifications: Verifications


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """`public_url` is where people reach the console, if that is not where it listens.

    `clustered`: it is that of a node of a cluster.
    """

    public_url: str = ""
    errors_max: int = 10
    clustered: bool = False


class Console:
    """`start()` begins to take samples for the overview; `close()` ends it."""

    def __init__(
        self,
        config: ConsoleConfig,
        api: Api,
        reads: Reads,
        sessions: SignedIn,
        listing: Listing,
        names: ChatNames,
        search: Callable[[str, str, int, bytes], ChatSearch],
        owner_of_delivery: Callable[[str], str],
        feed: Feed,
        fair_limits: FairLimits,
        clock: Clock,
        status: Callable[[], StatusOut],
        wrong_token: Callable[[str], None],
        sends_mail: Callable[[], bool],
    ) -> None:
        self.samples = Samples(lambda: look_at(status(), reads), clock)

        async def status_now() -> StatusOut:
            return status()

        renderer = Renderer(clock, clustered=config.clustered)
        access = AccessCheck(sessions, renderer, Origins(config.public_url))
        activity = ActivityPage(access, reads, names, api.logs, feed)

        async def owner_of(delivery_id: str) -> str:
            return owner_of_delivery(delivery_id)

        finding = FindingPage(access, reads, search, owner_of)
        counting = Counting(api.simulations.env, listing, clock)
        self._parts = (
            WebhooksPage(access, reads, api.workspaces, api.webhooks, activity, counting),
            WebhookPage(
                access,
                reads,
                api.workspaces,
                api.webhooks,
                api.secrets,
                api.switching,
                api.merges,
                activity,
                counting,
                Trying(api.simulations),
                clock,
                config.errors_max,
                sends_mail,
            ),
            TestPage(access, reads, api.webhooks, api.testing, activity),
            SignaturePage(access, reads, api.verifications),
            CallingPage(access, reads, api.webhooks),
            FormatPage(access, reads, api.previews),
            FilterPage(access, reads, names, api.webhooks, api.filters),
            NewSourcePage(access, reads, api.sources, SourceTrying(api.source_trials)),
            SourcePage(
                access, reads, api.sources, activity.of_list, SourceTrying(api.source_trials)
            ),
            DeletingPage(access, reads, api.erasing),
            activity,
            NewsPage(access, reads.workspace, feed, fair_limits),
            WorkspacesPage(access, reads, api.workspaces, searching(api.workspaces.read_page)),
            WindowsPage(access, reads, api.chats, activity.of_list),
            DeliveriesPage(access, reads, api.deliveries, activity.of_list),
            ReplaysPage(access, reads, api.deliveries, api.replays, activity.of_list),
            finding,
            PathsPage(access, reads, names, api.histories, finding, activity.of_list),
            OverviewPage(
                access, self.samples, status_now, lambda: sends_mail() and not config.public_url
            ),
            MailPage(access, api.mail_tests),
            ErrorsPage(access),
            SignInPage(access, sessions, wrong_token),  # the rest, so it goes last
        )

    def routes(self) -> list[Route]:
        return [route for part in self._parts for route in part.routes()]

    def start(self) -> None:
        self.samples.start()

    async def close(self) -> None:
        await self.samples.close()
