"""What a source posts becomes messages, edits and deletions.

    token → source → body → authentic? → translated → intake (and what it teaches) → one answer

The token in the path is the caller's proof, found by its SHA-256 as bearer tokens are: neither the
answer nor its time says how near a guess was. What a source sends is answered so that it is sent
again when that helps, and never when it does not: what was understood, and what is not ours, is
200; only what is no JSON is 400, what is not authentic 401, an unknown token 404. For trouble of
our own it is 429, 503 or 507: some systems drop an event for good after a 400, 401, 403, 404, 422.

A request without message, edit or deletion is answered without a commit.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from aiohttp import web

from hookbundle.actors.portions import Portion, portions_of
from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import BadRequest, HookbundleError, NotFound
from hookbundle.engine.fairness.loop_share import LoopShare
from hookbundle.engine.sources.authentication import NotAuthentic
from hookbundle.engine.sources.kinds import EMPTY_TWIML, AnswerForm
from hookbundle.engine.sources.outcomes import Reason, Unreadable
from hookbundle.server.http.authentication import Caller, is_token, let_in
from hookbundle.server.http.bodies import body_bytes, read_away
from hookbundle.server.http.lists import LOOP_SHARE
from hookbundle.server.http.problems import SOURCES_PATH
from hookbundle.server.http.resources.sources import entering
from hookbundle.server.http.resources.sources.entering import Entered
from hookbundle.server.http.resources.sources.learning import Lessons
from hookbundle.server.http.resources.sources.observing import Observations
from hookbundle.server.http.resources.sources.taking import Read, Reader, kind_of
from hookbundle.server.http.routes import Route
from hookbundle.server.http.schemas.messages import AcceptedOut
from hookbundle.server.http.schemas.sources.answers import SourceAnswer
from hookbundle.server.metrics.meters import Meters
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.reads.source_view import Addressed
from hookbundle.storage.transitions.tokens import digest_of

READ_AWAY_BYTES_MAX = 64 * 1024 * 1024
LOOKS = ("GET",)  # and HEAD with it
VERBS = {"POST": "send", "GET": "check", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}
REFUSED = (401, 404, 408, 413, 415, 429, 507)
REFUSED_LOOKS = (403, 404, 429)

Take = Callable[[LoopShare, int, Sequence[Portion]], Awaitable[AcceptedOut]]


class SourceIntake:
    """`take`: intake's; see resources/messages.py."""

    def __init__(
        self,
        reader: Reader,
        store: StoreQueue,
        clock: Clock,
        take: Take,
        observations: Observations,
        meters: Meters,
    ) -> None:
        self._reader = reader
        self._store = store
        self._clock = clock
        self._take = take
        self._observations = observations
        self._meters = meters
        self._lessons = Lessons(store, clock)

    def routes(self) -> list[Route]:
        return [
            Route(
                method=method,
                path=f"{SOURCES_PATH}{{token}}{rest}",
                handler=self.look if method in LOOKS else self.post,
                name=f"{verb}_source_event{named}",
                summary=(
                    "See whether a source's address is right; the handshake of a source"
                    if method in LOOKS
                    else "Take what a source posts, in its own form; answered when it is on disk"
                ),
                answer=None if method in LOOKS else SourceAnswer,
                refusals=REFUSED_LOOKS if method in LOOKS else REFUSED,
                also_refusal_media=("text/plain",) if method in LOOKS else (),  # of a handshake
                open=True,
                ignores_query=True,
            )
            for rest, named in (("", ""), ("/{tail}", "_with_a_tail"))
            for method, verb in VERBS.items()
        ]

    async def look(self, request: web.Request) -> web.Response:
        """`GET /v1/sources/{token}[/{tail}]`: people try it, and some systems ask who is there."""
        entered = self._enter(request)
        handshake = kind_of(entered.source).handshake
        if handshake is None:
            return web.Response(status=200)
        answer = entering.handshake(handshake, entered)
        self._note(entered, {"handshake": 1}, answer.status)
        return web.Response(status=answer.status, text=answer.text, content_type="text/plain")

    async def post(self, request: web.Request) -> web.Response:
        """`POST /v1/sources/{token}[/{tail}]`"""
        entered = self._enter(request)
        try:
            body = await body_bytes(request, limits.REQUEST_BYTES_MAX)
        except BadRequest as exc:
            if exc.code != Code.BODY_TOO_LARGE:
                raise
            body = None
        if body is None:  # only here, as the error keeps what has come
            return await self._oversize(request, entered)
        entered.asked = msgspec.structs.replace(entered.asked, body=body)
        await self._lessons.over(entered.key)
        taken = await self._reader.taken(entered.source, entered.asked, request.app[LOOP_SHARE])
        match taken:
            case NotAuthentic(reason):
                counts = {f"refused.{reason}": 1}
                not_proven = HookbundleError.of(Code.SOURCE_NOT_PROVEN)
                raise self._refused(entered, not_proven, counts, reason)
            case Unreadable(fault):
                entered.faults.append(fault)
                error = BadRequest.of(Code.SOURCE_BODY_NOT_JSON)
                raise self._refused(entered, error, {"unreadable": 1})
            case Read():
                return await self._take_in(entered, taken, request.app[LOOP_SHARE])

    def _enter(self, request: web.Request) -> Entered:
        """The source that the request is for.

        Raises: NotFound if its token leads to none; TooManyRequests, Overloaded if its workspace
        may have no connection more.
        """
        token, now_ms = request.match_info["token"], self._clock.now_ms()
        found = self._addressed(token, now_ms)
        if found is None:
            self._meters.wrong_token("source")
            raise NotFound.of(Code.NO_SOURCE)
        let_in(request, Caller(found.source.id, "intake", found.workspace_id))
        return Entered(found.source, token, entering.asked(request, now_ms))

    def _addressed(self, token: str, now_ms: int) -> Addressed | None:
        if not is_token(token):
            return None
        return self._reader.reads.addressed(digest_of(token), now_ms)

    async def _oversize(self, request: web.Request, entered: Entered) -> web.Response:
        """Such bodies are media, which are no messages here; else they would be sent again."""
        is_over = await read_away(request, READ_AWAY_BYTES_MAX)
        counts = {f"ignored.{Reason.OVERSIZE}": 1}
        if not is_over:
            error = BadRequest.of(Code.BODY_TOO_LARGE, most=READ_AWAY_BYTES_MAX)
            raise self._refused(entered, error, counts)
        self._note(entered, counts, 200)
        return _answer(entered.source, SourceAnswer(0, 0, 0, ignored={Reason.OVERSIZE: 1}))

    async def _take_in(self, entered: Entered, read: Read, share: LoopShare) -> web.Response:
        """What the request has is durable, and what it teaches.

        Raises: NotFound if the workspace was deleted; as intake.
        """
        found, workspace = read.sorted, entered.source.workspace

        async def take() -> AcceptedOut:
            if not found.is_ours:
                return AcceptedOut(0, 0, [])
            webhooks = self._store.owners.webhooks.get(workspace, 1)
            portions = portions_of(found.chats, found.size, webhooks, found.changes)
            return await self._take(share, workspace, portions)

        try:
            taken = await self._lessons.taught(entered.key, read.learned, take)
        except HookbundleError as exc:
            self._note(entered, {f"not_taken.{exc.status}": 1}, exc.status)
            if isinstance(exc, NotFound):
                raise NotFound.of(Code.NO_SOURCE) from None
            raise
        entered.faults += found.faults
        entered.chats = found.named
        counts = entering.counts_of(taken, found)
        self._note(entered, counts, 200, is_ours=found.is_ours, messages=taken.accepted > 0)
        return _answer(entered.source, entering.answer_of(taken, found))

    def _refused(
        self,
        entered: Entered,
        error: HookbundleError,
        counts: Mapping[str, int],
        refused: str = "",
    ) -> HookbundleError:
        """The error, which is noted."""
        self._note(entered, counts, error.status, refused=refused)
        return error

    def _note(
        self,
        entered: Entered,
        counts: Mapping[str, int],
        status: int,
        *,
        is_ours: bool = False,
        messages: bool = False,
        refused: str = "",
    ) -> None:
        for outcome, count in counts.items():
            self._meters.source_events[entered.source.kind, outcome] += count
        is_quiet = not is_ours
        held = entered.held(status, counts, is_quiet=is_quiet)
        self._observations.note(
            entered.key, counts, held, is_quiet=is_quiet, messages=messages, refused=refused
        )


def _answer(source: Source, answer: SourceAnswer) -> web.Response:
    if kind_of(source).answer is AnswerForm.EMPTY_TWIML:
        return web.Response(body=EMPTY_TWIML, content_type="text/xml")
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json")
