"""The console put together: its pages, their sessions, and the samples for the overview."""

from collections.abc import Callable
from dataclasses import dataclass

from hookbundle.actors.chats import Chats
from hookbundle.actors.console.activity import Activity, Streams
from hookbundle.actors.console.directory import Directory
from hookbundle.actors.console.entrance import Entrance
from hookbundle.actors.console.outbound import Outbound
from hookbundle.actors.console.overview import Overview
from hookbundle.actors.console.queues import Queues
from hookbundle.actors.console.rendering import Renderer
from hookbundle.actors.console.samples import Samples
from hookbundle.actors.console.security import Origins
from hookbundle.actors.console.sessions import Guesses, Sessions
from hookbundle.actors.console.visits import Lodge
from hookbundle.actors.deliveries import Deliveries
from hookbundle.actors.feed import Feed
from hookbundle.actors.reports import Reports
from hookbundle.actors.routes import Route
from hookbundle.actors.shapes import StatusOut
from hookbundle.actors.signing_secrets import SigningSecrets
from hookbundle.actors.testing import TestRequests
from hookbundle.actors.workspaces import Workspaces
from hookbundle.engine.clock import Clock
from hookbundle.storage.listing import Listing
from hookbundle.storage.reads import Reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The doors' own parts that the console's pages act through."""

    workspaces: Workspaces
    secrets: SigningSecrets
    chats: Chats
    deliveries: Deliveries
    testing: TestRequests
    reports: Reports


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleConfig:
    """`public_url` is where people reach the console, if that is not where it listens."""

    public_url: str = ""
    errors_max: int = 10


class Console:
    """`start()` begins to take samples for the overview; `close()` ends it."""

    def __init__(
        self,
        config: ConsoleConfig,
        api: Api,
        reads: Reads,
        listing: Listing,
        feed: Feed,
        clock: Clock,
        status: Callable[[], StatusOut],
    ) -> None:
        self.sessions = Sessions(reads, clock)
        self.samples = Samples(status, reads, clock)
        renderer = Renderer(clock)
        lodge = Lodge(self.sessions, renderer, Origins(config.public_url))
        activity = Activity(lodge, reads, api.reports, feed, Streams())
        self._parts = (
            Outbound(
                lodge,
                reads,
                api.workspaces,
                api.testing,
                api.secrets,
                activity,
                config.errors_max,
            ),
            activity,
            Directory(lodge, reads, api.workspaces),
            Queues(lodge, reads, listing, api.chats, api.deliveries),
            Overview(lodge, self.samples, status),
            Entrance(lodge, self.sessions, Guesses(clock), renderer),  # the rest, so it goes last
        )

    def routes(self) -> list[Route]:
        return [route for part in self._parts for route in part.routes()]

    def start(self) -> None:
        self.samples.start()

    async def close(self) -> None:
        await self.samples.close()
