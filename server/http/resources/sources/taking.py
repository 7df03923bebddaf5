"""Reads a request of a source: is it authentic, and what does it yield?

A large body is read in a thread of its own, one at a time, together with those of intake; between
its events the thread rests. A short one of many parts is read there as well: to say what is wrong
with an event of three bytes takes as long as to read a message.
"""

import asyncio
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from hookbundle.engine.fairness.loop_share import READ_AT_ONCE_BYTES, LoopShare, Rests
from hookbundle.engine.sources import bodies
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.authentication import NotAuthentic, authenticate
from hookbundle.engine.sources.intake import sorting
from hookbundle.engine.sources.intake.sorting import Sorted
from hookbundle.engine.sources.kinds import KINDS, Kind, translate
from hookbundle.engine.sources.memory import Learned
from hookbundle.engine.sources.outcomes import Unreadable
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.reads.source_view import SourceReads

READ_AT_ONCE_PARTS = 400  # a message has up to some 100


class Read(msgspec.Struct, frozen=True):
    """What a request yields, and what it teaches."""

    sorted: Sorted
    learned: tuple[Learned, ...]


Taken = NotAuthentic | Unreadable | Read


@dataclass(slots=True)
class Reader:
    reads: SourceReads

    def is_authentic(self, source: Source, request: SourceRequest) -> NotAuthentic | None:
        """Why the request is not authentic; None if it is."""
        verdict = authenticate(kind_of(source).check, settings_of(source), request)
        return verdict if isinstance(verdict, NotAuthentic) else None

    async def taken(self, source: Source, request: SourceRequest, share: LoopShare) -> Taken:
        if len(request.body) <= READ_AT_ONCE_BYTES and not _has_many_parts(request.body):
            return self._taken(source, request)
        async with share.large(source.workspace):
            return await asyncio.to_thread(self._large_taken, source, request)

    def _large_taken(self, source: Source, request: SourceRequest) -> Taken:
        rest = Rests()
        taken = self._taken(source, msgspec.structs.replace(request, rest=rest))
        rest()  # as long as the last piece has taken, or all of a body without events
        return taken

    def _taken(self, source: Source, request: SourceRequest) -> Taken:
        refused = self.is_authentic(source, request)
        if refused is not None:
            return refused
        with self.reads.memory(source.workspace, source.number) as memory:
            found = translate(kind_of(source), settings_of(source), memory, request)
        if isinstance(found, Unreadable):
            return found
        return Read(sorting.sort(found, request.rest), found.learned)


def _has_many_parts(body: bytes) -> bool:
    return len(body) > READ_AT_ONCE_PARTS and bodies.parts_of(body) > READ_AT_ONCE_PARTS


def kind_of(source: Source) -> Kind:
    return KINDS[source.kind]


def settings_of(source: Source) -> SourceSettings:
    return _settings(source.settings)


@lru_cache(maxsize=1_000)  # to read them takes longer than all else of a small request
def _settings(written: bytes) -> SourceSettings:
    return source_settings.stored(written)
