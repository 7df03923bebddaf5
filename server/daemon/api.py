"""The API put together: every resource with the parts of the daemon that it asks."""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from hookbundle import __version__
from hookbundle.actors.attempt_slots import AttemptSlots
from hookbundle.actors.attempts.rendering import Rendering
from hookbundle.actors.outbound.client import GuardedClient
from hookbundle.engine.clock import Clock
from hookbundle.engine.conditions import Condition
from hookbundle.engine.fairness.fair_limit import Limit
from hookbundle.server.console.console import Api, Console
from hookbundle.server.console.sessions import SignedIn
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.daemon.partition import Partition
from hookbundle.server.feed.sse import FeedStream
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import Guard
from hookbundle.server.http.contract.serving import contract
from hookbundle.server.http.fair_limits import FairLimits
from hookbundle.server.http.idempotency import Repeats
from hookbundle.server.http.lane.connection import LaneConnection
from hookbundle.server.http.lane.lane import HELD_S, Lane
from hookbundle.server.http.resources.chats import Chats
from hookbundle.server.http.resources.cluster import ClusterCommands
from hookbundle.server.http.resources.deletions import Erasing
from hookbundle.server.http.resources.deliveries import Deliveries
from hookbundle.server.http.resources.histories import Histories
from hookbundle.server.http.resources.logs import Logs
from hookbundle.server.http.resources.mail_tests import MailTests
from hookbundle.server.http.resources.maintenance import Maintenance
from hookbundle.server.http.resources.messages import Intake
from hookbundle.server.http.resources.metrics import Metrics
from hookbundle.server.http.resources.replays import Replays
from hookbundle.server.http.resources.sources.intake import SourceIntake
from hookbundle.server.http.resources.sources.kept import SourceRequests
from hookbundle.server.http.resources.sources.observing import Observations
from hookbundle.server.http.resources.sources.owning import Sources
from hookbundle.server.http.resources.sources.taking import Reader
from hookbundle.server.http.resources.sources.trying import SourceTrials
from hookbundle.server.http.resources.status import Status
from hookbundle.server.http.resources.tokens import Tokens
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
from hookbundle.server.http.wire import MakeConnection
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.reads.chats.due_order import DueOrder
from hookbundle.storage.reads.chats.finding import ChatSearch
from hookbundle.storage.reads.chats.names import ChatNames
from hookbundle.storage.reads.delivery_view import DeliveryReads
from hookbundle.storage.reads.listing import Listing
from hookbundle.storage.reads.paths.chat_history import ChatHistory
from hookbundle.storage.reads.paths.message_path import MessagePaths
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.storage.reads.totals import waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What the resources ask. `config` answers with the configuration as it is now.

    `sessions`: who is signed in to the console.
    """

    partition: Partition
    tokens: TokenCheck
    sessions: SignedIn
    client: GuardedClient
    slots: AttemptSlots
    rendering: Rendering
    clock: Clock
    observations: Observations
    meters: Meters
    guard: Guard
    fair_limits: FairLimits
    maintenance: Maintenance
    config: Callable[[], DaemonConfig]
    status: Callable[[], StatusOut]
    conditions: Callable[[], tuple[Condition, ...]]
    started_ms: Callable[[], int]


def assemble(parts: ApiParts) -> tuple[list[Route], Console, MakeConnection]:
    """All routes of the daemon; the console, which is started and closed with the daemon; what
    makes its connections, which take messages by a shorter way too."""
    resources = resources_of(parts)
    console, routes = resources.console(), resources.routes
    lane = Lane(
        parts.tokens,
        parts.guard,
        parts.meters,
        asyncio.get_running_loop().time,
        min(HELD_S, parts.config().listeners.body_s),
        resources.intake,
    )
    make_connection = partial(LaneConnection, lane)
    return [*routes, *contract(routes, __version__), *console.routes()], console, make_connection


@dataclass(frozen=True, slots=True)
class Resources:
    """Of one partition. `console` makes its console. `limits`: those that belong to it alone."""

    routes: list[Route]
    intake: Intake
    console: Callable[[], Console]
    limits: tuple[Limit, ...]


def resources_of(parts: ApiParts) -> Resources:
    """What the API has of a partition."""
    partition, clock, config = parts.partition, parts.clock, parts.config
    reads, store_queue = partition.reads, partition.store_queue
    chats, wake = partition.virtual_actors.chats, partition.virtual_actors.wake
    random_bytes, listing = secrets.token_bytes, Listing(partition.env)
    source_reads, observations = SourceReads(partition.env), parts.observations

    async def write_noted(workspace_id: str) -> None:
        await observations.write(reads.workspace_number(workspace_id))

    policy, rendering = (lambda: config().addresses), parts.rendering
    webhooks = Webhooks(reads, store_queue, clock, policy, random_bytes, wake, rendering)
    api = Api(
        workspaces=Workspaces(reads, store_queue, clock, policy, random_bytes, wake, rendering),
        webhooks=webhooks,
        filters=FilterTests(partition.env, reads),
        simulations=Simulations(partition.env, reads, clock),
        format_tests=FormatTests(partition.env, reads, clock, rendering),
        switching=Switching(store_queue, clock, wake),
        merges=Merges(store_queue, clock),
        secrets=SigningSecrets(reads, store_queue, clock, random_bytes),
        chats=Chats(
            reads,
            listing,
            clock,
            lambda: config().product_name,
            chats.tell,
            partial(DueOrder, partition.env),
        ),
        deliveries=Deliveries(partition.env, store_queue, clock, wake, clock.now_ms()),
        replays=Replays(partition.env, store_queue, clock, wake),
        testing=TestRequests(
            reads,
            store_queue,
            parts.client,
            clock,
            random_bytes,
            parts.fair_limits.tests,
            rendering,
        ),
        previews=FormatPreviews(partition.env, reads, webhooks, rendering, parts.client, clock),
        logs=Logs(reads, clock),
        erasing=Erasing(store_queue, clock),
        histories=Histories(
            ChatHistory(partition.env), MessagePaths(partition.env), clock, clock.now_ms()
        ),
        status=Status(parts.status, parts.conditions),
        sources=Sources(
            source_reads,
            store_queue,
            clock,
            random_bytes,
            lambda: config().console.public_url,
            write_noted,
        ),
        source_trials=SourceTrials(reads, clock),
        mail_tests=MailTests(lambda: config().smtp, clock),
        verifications=Verifications(reads, clock),
    )
    console = partial(
        Console,
        config().console,
        api,
        reads,
        parts.sessions,
        listing,
        ChatNames(partition.env),
        partial(ChatSearch, partition.env),
        lambda id_: DeliveryReads(partition.env).delivery(id_).workspace_id,
        partition.feed,
        parts.fair_limits,
        clock,
        parts.status,
        parts.meters.wrong_token,
        lambda: bool(config().smtp.host),
    )
    limits = store_queue.places, api.testing.hourly
    metrics = Metrics(
        parts.meters,
        parts.guard,
        [
            *parts.fair_limits.all(),
            *limits,
            api.mail_tests.hourly,
            parts.client.look_ups_limit,
            *parts.slots.counts.values(),
            parts.rendering.room,
        ],
        rendering,
        parts.status,
        lambda: store_queue.state,
        partial(waiting, partition.env),
        parts.started_ms,
        clock.now_ms,
    )
    intake = Intake(reads, store_queue, chats.tell, Repeats(store_queue, clock))
    source_intake = SourceIntake(
        Reader(source_reads), store_queue, clock, intake.take, observations, parts.meters
    )
    routes = [
        *intake.routes(),
        *api.sources.routes(),
        *api.source_trials.routes(),
        *SourceRequests(source_reads, write_noted).routes(),
        *source_intake.routes(),
        *api.erasing.routes(),
        *parts.maintenance.routes(),
        *ClusterCommands(None).routes(),
        *api.workspaces.routes(),
        *api.webhooks.routes(),
        *api.switching.routes(),
        *api.merges.routes(),
        *api.filters.routes(),
        *api.simulations.routes(),
        *api.format_tests.routes(),
        *api.secrets.routes(),
        *api.chats.routes(),
        *api.deliveries.routes(),
        *api.replays.routes(),
        *Tokens(reads, store_queue, clock, random_bytes).routes(),
        *api.testing.routes(),
        *api.mail_tests.routes(),
        *api.verifications.routes(),
        *api.logs.routes(),
        *api.histories.routes(),
        *api.status.routes(),
        *FeedStream(partition.feed, parts.fair_limits.feed, parts.tokens).routes(),
        *metrics.routes(),
    ]
    return Resources(routes, intake, console, limits)
