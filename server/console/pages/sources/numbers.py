"""Which numbers of its owner a source has messages of, as far as its last requests tell.

Nothing on disk records the accounts that a source has seen. What it keeps are its last requests, so
those that had messages are read once more, by the pure adapter, without a memory: that changes
nothing, and what a memory would tell is of contacts. Beside these count the numbers that the other
sources of the workspace are set to: their chats have the same ids. Of kinds whose chats are no
phones nothing of that is asked.
"""

from collections.abc import Iterable

from hookbundle.engine.fairness.loop_share import Rests
from hookbundle.engine.messages.phones import digits_of
from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.kinds import KINDS, translate
from hookbundle.engine.sources.memory import NoMemory
from hookbundle.engine.sources.outcomes import MessageEvent, Unreadable
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings
from hookbundle.storage.database.sources.records import Source
from hookbundle.storage.reads.source_view import RequestView, SourceView

SHOWN_MAX = 5


def may_mix(source: Source) -> bool:
    """Whether a contact would have one chat with several numbers of the owner."""
    is_plain = source_settings.stored(source.settings).chat_id == "{chat}"
    return is_plain and KINDS[source.kind].chats_are_phones


def seen(
    view: SourceView, requests: Iterable[RequestView], others: Iterable[SourceView]
) -> list[str]:
    """The digits of the numbers if there are several whose chats are not kept apart; else none.

    It is called in a thread, which rests: a request may be long, and hostile.
    """
    source = view.source
    if not may_mix(source):
        return []
    settings = source_settings.stored(source.settings)
    found, rest = dict[str, None](), Rests()
    for request in requests:
        rest()
        found |= dict.fromkeys(_of_request(source.kind, settings, request, rest))
    for other in others if found else ():
        if other.source.id != source.id and other.notes.message_ms and may_mix(other.source):
            said = source_settings.stored(other.source.settings)
            found |= dict.fromkeys(filter(None, (digits_of(said.account.phone),)))
    return sorted(found)[:SHOWN_MAX] if len(found) > 1 else []


def _of_request(kind: str, settings: SourceSettings, view: RequestView, rest: Rests) -> list[str]:
    """The numbers of the request's messages; none of one that was cut, as that is no JSON."""
    kept = view.request
    if not kept.outcomes.get("accepted"):
        return []
    asked = SourceRequest(
        body=view.body,
        arrived_ms=kept.at_ms,
        method=kept.method,
        headers=dict(kept.headers),
        tail=kept.tail,
        rest=rest,
    )
    read = translate(KINDS[kind], settings, NoMemory(), asked)
    if isinstance(read, Unreadable):
        return []
    events = (each.event for each in read.outcomes if isinstance(each, MessageEvent))
    return [digits for event in events if (digits := digits_of(event.whatsapp_account.phone or ""))]
