"""What a node does for `cluster check`: one moment of a copy, held, looked through, and digested.

Another node asks in two steps, so that all copies of a partition are compared as of one place in
its log: for the moment that this one can have now, and then for what is in the copy at a later
place (storage/maintenance/replication/comparing.py). One copy at a time is looked through, on a
thread of its own; a moment that nobody asks for any more is not held any longer.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.actors.replication.between import Place, place_of, rows_between
from hookbundle.actors.replication.messages import MakeAnew
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import HookbundleError, Overloaded, in_words
from hookbundle.engine.replication.entries import Generation
from hookbundle.engine.replication.roles import Role
from hookbundle.server.cluster.partitions.hosting import PartitionHost
from hookbundle.server.http.requests import body_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.storage.database.replication.position import Position
from hookbundle.storage.database.rows import Collected
from hookbundle.storage.maintenance.check import Finding
from hookbundle.storage.maintenance.replication.comparing import LookedThrough, look_through

HOLD = "/cluster/hold"
LOOK = "/cluster/look"
REMAKE = "/cluster/remake"
ANSWER_S = 20.0  # less than a node waits for another one's answer
HELD_S = 30.0  # without a question; more than ANSWER_S, for which others are waited for meanwhile
TOO_LATE = "it was not asked in time to go on with the check; give the command again"
BETWEEN_BYTES_MAX = 64 << 20  # of a copy that is further behind
DONE, NOT_YET, REFUSED = 200, 202, 409


class NotComparedError(Exception):
    """In words, why not."""


class HoldIn(msgspec.Struct, frozen=True):
    """`check`: a name of the check that no other has."""

    partition: int
    check: str


class HeldOut(msgspec.Struct, frozen=True):
    generation: str
    seq: int


class LookIn(msgspec.Struct, frozen=True):
    check: str
    generation: str
    seq: int


class LookedOut(msgspec.Struct, frozen=True):
    """`why`: it could not be looked through; else empty."""

    records: int = 0
    digests: dict[str, str] = {}
    findings: list[Finding] = []
    why: str = ""


class RemakeIn(msgspec.Struct, frozen=True):
    partition: int
    why: str


class RefusedOut(msgspec.Struct, frozen=True):
    why: str


@dataclass(slots=True)
class Held:
    """`missing`: the rows until the place, once that is known. `asked_s`: when it was asked for the
    last time, on the loop's clock."""

    check: str
    host: PartitionHost
    began: asyncio.Future[Position]
    asked_s: float
    missing: "Future[Collected]" = field(default_factory=Future)
    work: asyncio.Future[LookedThrough] | None = None
    bringing: asyncio.Task[None] | None = None


class Comparing:
    """`close()` ends what is under way."""

    def __init__(self, hosts: Mapping[int, PartitionHost]) -> None:
        self._hosts = hosts
        self._held: Held | None = None
        self._is_closing = False

    def between_nodes(self) -> list[Route]:
        """What the others ask of this one."""
        asked = {HOLD: self._hold, LOOK: self._look, REMAKE: self._remake}
        return [
            Route(method="POST", path=path, handler=handler, summary="")
            for path, handler in asked.items()
        ]

    async def close(self) -> None:
        self._is_closing = True
        held = self._held
        if held is not None and held.work is not None:
            if held.bringing is not None:
                held.bringing.cancel()
            await asyncio.wait([held.work])

    # ---- one moment

    async def _hold(self, request: web.Request) -> web.Response:
        wanted = await body_of(request, HoldIn)
        host = self._hosts[wanted.partition]
        state, loop = host.role.state, asyncio.get_running_loop()
        if state.role not in (Role.FOLLOWING, Role.OWNER) or state.follower is None:
            return _refused(f"its copy is {state.role.value}: {state.why}".rstrip(": "))
        if self._is_closing or (self._held is not None and not _is_over(self._held)):
            return _refused("it looks through another copy; give the command again later")
        held = self._held = Held(wanted.check, host, loop.create_future(), loop.time())
        held.work = loop.run_in_executor(None, self._looked_through, held, state.follower.env, loop)
        held.work.add_done_callback(_why)  # perhaps nobody asks how it ended
        either: set[asyncio.Future[Any]] = {held.began, held.work}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not held.began.done():
            return _refused(_why(held.work))
        place = place_of(held.began.result())
        return json_response(HeldOut(str(place.generation), place.seq))

    def _looked_through(
        self, held: Held, env: Any, loop: asyncio.AbstractEventLoop
    ) -> LookedThrough:
        """In a thread of its own."""

        def tick() -> None:
            env.ends_if_told()
            is_waiting = not held.missing.done()
            if self._is_closing:
                raise Overloaded.of(Code.STOPPING)
            if is_waiting and loop.time() > held.asked_s + HELD_S:
                raise NotComparedError(TOO_LATE)

        def began(at: Position) -> None:
            loop.call_soon_threadsafe(_set, held.began, at)

        return look_through(env, began, held.missing, tick)

    # ---- looked through

    async def _look(self, request: web.Request) -> web.Response:
        """Waits for a while; who asks again hears of the same work."""
        wanted = await body_of(request, LookIn)
        held = self._held
        if held is None or held.work is None or held.check != wanted.check:
            return _refused("it has forgotten the check; give the command again")
        held.asked_s = asyncio.get_running_loop().time()
        if held.bringing is None:
            until = Place(Generation.read(wanted.generation), wanted.seq)
            held.bringing = asyncio.create_task(self._bring(held, until), name="rows for a check")
        await asyncio.wait([held.work], timeout=ANSWER_S)
        if not held.work.done():
            return web.Response(status=NOT_YET)
        if why := _why(held.work):
            return json_response(LookedOut(why=why))
        found = held.work.result()
        return json_response(LookedOut(found.records, found.digests, list(found.findings)))

    async def _bring(self, held: Held, until: Place) -> None:
        """What the moment lacks until the place is told to the thread that waits for it."""
        try:
            async with asyncio.timeout(HELD_S):
                at = held.began.result()
                rows = await rows_between(held.host.raw, at, until, BETWEEN_BYTES_MAX)
            if rows is None:
                raise NotComparedError("it is too far behind to be compared")
            held.missing.set_result(rows)
        except (HookbundleError, NotComparedError) as exc:
            held.missing.set_exception(exc)
        except (TimeoutError, asyncio.CancelledError):
            held.missing.set_exception(NotComparedError("its log was not read in time"))

    # ---- made anew

    async def _remake(self, request: web.Request) -> web.Response:
        wanted = await body_of(request, RemakeIn)
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        role = self._hosts[wanted.partition].role.actor_ref
        role.tell(MakeAnew(why=wanted.why, then=lambda is_done: _set(told, is_done)))
        try:
            async with asyncio.timeout(ANSWER_S):
                is_done = await told
        except TimeoutError:
            is_done = False
        return json_response({}) if is_done else _refused("it does not follow now")


def _set(future: asyncio.Future[Any], result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _is_over(held: Held) -> bool:
    return held.work is None or held.work.done()


def _why(work: asyncio.Future[LookedThrough]) -> str:
    """Why the work has failed; empty if it has not."""
    error = work.exception()
    if error is None:
        return ""
    is_in_words = isinstance(error, HookbundleError | NotComparedError)
    return str(error) if is_in_words else in_words(error)


def _refused(why: str) -> web.Response:
    return json_response(RefusedOut(why), status=REFUSED)
