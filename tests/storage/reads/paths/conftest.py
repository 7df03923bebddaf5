"""A workspace of which two webhooks do not want every message."""

import pytest

from hookbundle.engine.filters.parsing import written
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.webhooks import add_webhook

ONLY_VIP = written({"labels": "vip"})
ONLY_PRICE = written({"text_contains": "price"})


@pytest.fixture
def acme(db: ScratchDatabase) -> ScratchDatabase:
    """Webhooks `outbound` for all, `vip` and `price` for what they want."""
    db.workspace()
    add_webhook(db, "acme", "price", filter=ONLY_PRICE)
    add_webhook(db, "acme", "vip", filter=ONLY_VIP)
    return db
