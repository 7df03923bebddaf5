"""Messages without a text are skipped; the workspace's owner sees it in the activity."""

from hookbundle.engine.messages.message import Skipped
from hookbundle.storage.database.delivery_records import Action
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import activity


def note(unit: Unit, webhook: int, chat_id: str, skipped: tuple[Skipped, ...], now_ms: int) -> None:
    """One line for the skips of a chat in a row, so that they don't crowd out the failures."""
    reasons: set[str] = {each.reason for each in skipped}
    count = len(skipped)
    same = ("skipped", chat_id)
    before = activity.newest(unit, webhook, lambda line: (line.action, line.chat_id) == same)
    if before is not None:
        count += before.messages
        reasons.update(before.detail.split(", "))
    action = Action(
        at_ms=now_ms,
        action="skipped",
        chat_id=chat_id,
        messages=count,
        outcome="skipped",
        detail=", ".join(sorted(reasons)),
    )
    activity.add(unit, webhook, action, goes_on=before is not None)
