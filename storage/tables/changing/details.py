"""What members of a window keep beside what is sent, so that some can be taken out of it.

A bundle has account and chat of its newest message, and the link of its earliest. When these are
deleted, it has those of what is left. Nearly always all messages of a window have the same account
and chat: then the window has them once, and no member any. Else a member has its own, if they are
not those of the member that arrived before it; the window has those of the first.
"""

from collections.abc import Iterator, Sequence

import msgspec

from hookbundle.engine.messages.message import Incoming
from hookbundle.storage.database.chat_records import Apart, Details, Kept, Member, Window


class _Flag(msgspec.Struct, frozen=True, gc=False):
    is_new_chat: bool = False


_flags = msgspec.json.Decoder(_Flag)


def keep(window: Window, message: Incoming) -> Kept | None:
    """What the message keeps, which comes into the window now; the window tells of it as well."""
    apart, own = window.apart, None
    before = (apart.last if apart else None) or window
    if window.count and not _are_same(message, before):
        own, apart = _of(message), apart or Apart()
        if apart.oldest is None:
            apart.oldest = _of(before)
            apart.beside += size_of(apart.oldest)
    if apart is not None:
        is_newest = message.sent_ms >= window.newest_ms
        apart.last = None if is_newest or _are_same(message, window) else _of(message)
    kept = None
    if own is not None or message.permalink or message.edited_ms:
        kept, apart = Kept(message.permalink, own, message.edited_ms), apart or Apart()
        apart.beside += bytes_of(kept)
    window.apart = apart
    return kept


def each(window: Window, members: Sequence[Member]) -> Iterator[Details]:
    """The details of all its members, in the order of arrival."""
    present = of_first(window)
    for member in members:
        present = own_of(member) or present
        yield present


def of_first(window: Window) -> Details:
    """Those of the member that arrived first; what has none of its own begins with them."""
    return (window.apart.oldest if window.apart else None) or _of(window)


def own_of(member: Member) -> Details | None:
    return member.kept.details if member.kept else None


def link_of(member: Member) -> str:
    return member.kept.permalink if member.kept else ""


def edited_ms(member: Member) -> int:
    return member.kept.edited_ms if member.kept else 0


def beside(window: Window) -> int:
    """The bytes that the window has of its members and no bundle has."""
    return window.apart.beside if window.apart else 0


def bytes_of(kept: Kept | None) -> int:
    """The bytes of what a member keeps."""
    if kept is None:
        return 0
    return len(kept.permalink) + (size_of(kept.details) if kept.details else 0)


def size_of(details: Details) -> int:
    return len(details.account) + len(details.chat) + len(details.extra)


def has_new_chat(details: Details) -> bool:
    return _flags.decode(details.chat).is_new_chat


def _of(one: Window | Incoming | Details) -> Details:
    return Details(one.account, one.chat, one.extra)


def _are_same(one: Incoming, other: Window | Details) -> bool:
    return (one.chat, one.account, one.extra) == (other.chat, other.account, other.extra)
