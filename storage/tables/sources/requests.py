"""The last requests of a source, kept for its owner.

Of those in which nothing was ours, a flood of which most sources send, only a few are kept: they
must not push out what the owner looks for. Each request has a row under every chat of which it has
messages, by which it is erased with that; one of no known chat goes with the first deletion of any.
"""

import msgspec

from hookbundle.engine import limits
from hookbundle.storage.database.sources import keys
from hookbundle.storage.database.sources.records import Kept, KeptBody, KeptRequest, SourceNotes
from hookbundle.storage.database.unit import Unit

CHATS_MAX = 16  # that are named by a request; one with more counts as of no known chat
NO_CHAT = ("",)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A request that is to be kept, with what is kept of its body."""

    request: KeptRequest
    body: bytes
    is_quiet: bool


def keep(unit: Unit, workspace: int, source: int, notes: SourceNotes, seen: Seen) -> None:
    """The request is the source's newest one. `notes` is changed in place."""
    number = notes.request_next
    notes.request_next += 1
    request = msgspec.structs.replace(seen.request, chats=_named(seen.request.chats))
    body = KeptBody(seen.body[: limits.SOURCE_REQUEST_BYTES_MAX])
    size = unit.put(keys.request(workspace, source, number, keys.HEAD), request)
    size += unit.put(keys.request(workspace, source, number, keys.BODY), body)
    for chat in request.chats or NO_CHAT:
        unit.put_flag(keys.request_of_chat(workspace, chat.encode(), source, number))
    _count(unit, workspace, notes, size)
    notes.kept = (*notes.kept, Kept(number, request.at_ms, size, seen.is_quiet))
    quiet = [each for each in notes.kept if each.is_quiet]
    if len(quiet) > limits.SOURCE_QUIET_REQUESTS_MAX:
        drop(unit, workspace, source, notes, quiet[0])
    if len(notes.kept) > limits.SOURCE_REQUESTS_MAX:
        drop(unit, workspace, source, notes, notes.kept[0])


def drop(unit: Unit, workspace: int, source: int, notes: SourceNotes, kept: Kept) -> None:
    """The request is gone. `notes` is changed in place."""
    key = keys.request(workspace, source, kept.number, keys.HEAD)
    head = unit.readable(key, KeptRequest)
    for chat in (head.chats or NO_CHAT) if head else ():
        unit.delete(keys.request_of_chat(workspace, chat.encode(), source, kept.number))
    unit.delete(key)
    unit.delete(keys.request(workspace, source, kept.number, keys.BODY))
    notes.kept = tuple(each for each in notes.kept if each.number != kept.number)
    _count(unit, workspace, notes, -kept.size)


def find(notes: SourceNotes, number: int) -> Kept | None:
    return next((each for each in notes.kept if each.number == number), None)


def _count(unit: Unit, workspace: int, notes: SourceNotes, size: int) -> None:
    notes.kept_bytes += size
    usage = unit.find_usage(workspace)
    if usage is not None:  # else the workspace is being erased
        usage.source_bytes += size


def _named(chats: tuple[str, ...]) -> tuple[str, ...]:
    """The chats; none if they are too many, or one has an id that no chat can have."""
    named = tuple(dict.fromkeys(chats))
    sizes = [len(chat.encode()) for chat in named]
    is_known = len(named) <= CHATS_MAX and all(
        0 < size <= limits.CHAT_ID_BYTES_MAX for size in sizes
    )
    return named if is_known else ()
