"""What the steps read: a damaged delivery must not hold up those behind it."""

from hookbundle.engine.errors import CorruptRecord
from hookbundle.storage.database.delivery_records import Delivery
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.database.unit import Unit
from hookbundle.storage.tables import queue


def readable(unit: Unit, webhook: Webhook, number: int) -> Delivery | None:
    """The delivery, whatever became of it; None if it is gone or damaged, which `check` names."""
    try:
        return queue.find(unit, webhook.number, number)
    except CorruptRecord:
        return None
