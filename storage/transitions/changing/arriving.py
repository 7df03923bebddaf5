"""New messages meet what was kept for them: edits and deletions that came before."""

from hookbundle.storage.change_facts import MessageDeleted, MessageEdited
from hookbundle.storage.database import feed_rows
from hookbundle.storage.database.settings import Settings
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables.changing import early
from hookbundle.storage.tables.changing.early import Arrived


def applied(unit: Unit, settings: Settings, chat_id: str, arrived: Arrived, now_ms: int) -> None:
    """What was kept for the messages has become part of them, and is told."""
    number, chat, totals = settings.workspace.number, chat_id.encode(), unit.meta.totals
    for change, digest in zip(arrived.applied, arrived.digests, strict=True):
        early.drop(unit, number, early.key_of(number, chat, digest), change)
    edits = [each.message_id for each in arrived.applied if each.text]
    deletions = [each.message_id for each in arrived.applied if not each.text]
    totals.edited += len(edits)
    totals.removed += len(deletions)
    for kind, ids in ((MessageEdited, edits), (MessageDeleted, deletions)):
        if ids:
            feed_rows.found_by_chat(unit, number, chat)
            unit.tell(settings.workspace, kind(early=ids), now_ms, chat_id)
