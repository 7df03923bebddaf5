"""What the connections of the lane share: who is let in, what is taken, what is counted.

A request with messages passes here what every request passes in the middleware and its handler, in
the same order, by the same rules. It is taken only if all of them let it pass. Whatever is to be
said about it but that its messages are on disk, aiohttp's application finds out anew, and says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from hookbundle.actors.chat import ChatKey, Collect, ReplyTo
from hookbundle.actors.portions import portions_of
from hookbundle.engine import limits
from hookbundle.engine.errors import HookbundleError
from hookbundle.engine.messages.message import Incoming, Skipped
from hookbundle.server.http.authentication import INTAKE_ROUTE
from hookbundle.server.http.callers.token_check import TokenCheck
from hookbundle.server.http.connection_guard import Guard, GuardedConnection
from hookbundle.server.http.hosts import host_of, is_ours
from hookbundle.server.http.lane import answers
from hookbundle.server.http.lane.heads import Asked, KnownHead
from hookbundle.server.http.problems import answer_for, failed
from hookbundle.server.http.resources.messages import Intake
from hookbundle.server.http.schemas.messages import AcceptedOut, SkippedOut
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.transitions.accepting import Accepted

HELD_S = 0.5


class Taken(msgspec.Struct, frozen=True):
    """A request, all of whose messages are of one chat, to which they go.

    `places`: what it holds in the Store's queue of the `intake`.
    """

    intake: Intake
    workspace_number: int
    chat_id: str
    messages: tuple[Incoming, ...]
    skipped: tuple[Skipped, ...]
    places: int


@dataclass(frozen=True, slots=True)
class AnyLane:
    """`held_s`: how long the rest of a body is waited for; aiohttp waits for one that is slower."""

    tokens: TokenCheck
    guard: Guard
    meters: Meters
    now_s: Callable[[], float]
    held_s: float

    def lets_in(self, connection: GuardedConnection, known: KnownHead, workspace_id: str) -> bool:
        """Whether the request is meant for us, and its caller may send messages to the workspace.

        A connection that is not its caller's yet becomes that in aiohttp's application.
        """
        if known.digest is None or not _is_ours(known.host, self.guard.limits.hosts):
            return False
        try:
            token = self.tokens.good(known.digest)
        except HookbundleError:
            return False
        if token is None or token.workspace_id not in ("", workspace_id):
            return False
        return connection.owner == token.workspace_id

    def take(self, asked: Asked, body: bytes, *, ndjson: bool) -> Taken | None:
        """What the body asks for, with its places; None if that is more than one chat has to do, or
        if there is anything to say about it."""
        raise NotImplementedError

    def tell(self, taken: Taken, reply: ReplyTo) -> None:
        """The chat has the messages. The reply may be called before this returns."""
        key = ChatKey(taken.workspace_number, taken.chat_id)
        taken.intake.tell_chat(key, Collect(taken.messages, taken.skipped, reply))

    def answer(self, taken: Taken, outcome: Accepted, *, is_last: bool) -> bytes:
        """The messages are on disk: what to answer."""
        if outcome.differs or taken.skipped:
            document = AcceptedOut(
                outcome.accepted,
                outcome.duplicate,
                [SkippedOut(one.message_id, one.reason) for one in taken.skipped],
                list(outcome.differs[: limits.DIFFERS_LISTED_MAX]),
                overflowed=outcome.overflowed,
                unrouted=outcome.unrouted,
            )
            return answers.accepted(msgspec.json.encode(document), is_last=is_last)
        counts = (outcome.accepted, outcome.duplicate, outcome.overflowed, outcome.unrouted)
        return answers.accepted(_counted(*counts), is_last=is_last)

    def refuse(self, error: HookbundleError, *, is_last: bool) -> bytes:
        """The Store would not have the messages: what to answer."""
        return answers.refused(answer_for(error), is_last=is_last)

    def give_back(self, taken: Taken) -> None:
        """Its places are free again."""
        taken.intake.store.places.give_back(taken.workspace_number, taken.places)

    def failed(self, workspace_id: str, error: Exception, *, is_last: bool) -> bytes:
        """The lane has failed over a request that nobody else can answer: what to answer."""
        self.meters.lane.failed += 1
        path = INTAKE_ROUTE.format(ws=workspace_id)
        return answers.refused(failed("POST", path, error), is_last=is_last)

    def count(self, status: int, took_s: float) -> None:
        """A request was answered."""
        self.meters.lane.answered += 1
        self.meters.request("POST", INTAKE_ROUTE, status, took_s)


@dataclass(frozen=True, slots=True)
class Lane(AnyLane):
    """Of a daemon alone."""

    intake: Intake

    def take(self, asked: Asked, body: bytes, *, ndjson: bool) -> Taken | None:
        return taken_by(self.intake, asked, body, ndjson=ndjson)


def taken_by(intake: Intake, asked: Asked, body: bytes, *, ndjson: bool) -> Taken | None:
    """As `AnyLane.take`, by one intake."""
    try:
        number = intake.number_of(asked.workspace_id)
    except HookbundleError:
        return None
    chats = intake.known.by_chat(number, body, ndjson=ndjson)
    if chats is None or len(chats) != 1:
        return None
    store = intake.store
    portions = portions_of(chats, asked.length, store.owners.webhooks.get(number, 1))
    (portion, *others) = portions
    (part, *other_parts) = portion.parts
    if others or other_parts or not store.places.has_taken(number, portion.places):
        return None
    messages, skipped = tuple(part.messages), tuple(part.skipped)
    return Taken(intake, number, part.chat_id, messages, skipped, portion.places)


@lru_cache(maxsize=256)
def _counted(accepted: int, duplicate: int, overflowed: int, unrouted: int) -> bytes:
    """The document of an answer that has nothing but these to say."""
    said = AcceptedOut(accepted, duplicate, [], overflowed=overflowed, unrouted=unrouted)
    return msgspec.json.encode(said)


@lru_cache(maxsize=256)
def _is_ours(host: str, hosts: tuple[str, ...]) -> bool:
    return is_ours(host_of(host), hosts)
