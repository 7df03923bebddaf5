"""What `message.received` says of the messages that filters dropped: by webhook, and shortly."""

from typing import Any

import pytest

from hookbundle.engine.filters.parsing import written
from hookbundle.storage.database import keyspace
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming
from hookbundle.tests.storage.tables.routing.webhooks import webhook

VIP: dict[str, Any] = {"extra": b'{"labels":["vip"]}'}
ONLY_VIP = written({"labels": "vip"})
ONLY_PRICE = written({"text_contains": "price"})


@pytest.fixture
def acme(db: ScratchDatabase) -> ScratchDatabase:
    """Webhooks `outbound` for all, `vip` and `price` for what they want."""
    db.workspace()
    webhook(db, "price", filter=ONLY_PRICE)
    webhook(db, "vip", filter=ONLY_VIP)
    return db


def received(db: ScratchDatabase) -> dict[str, Any]:
    data: dict[str, Any] = db.events("message.received")[-1]["data"]
    return data


def test_the_fact_names_the_webhooks_whose_filter_kept_none(acme: ScratchDatabase) -> None:
    acme.accept(incoming("m1", **VIP))

    assert received(acme)["filtered"] == {"price": None}


def test_the_fact_has_the_places_of_those_that_a_filter_did_not_keep(acme: ScratchDatabase) -> None:
    acme.accept("m0")
    acme.accept("m0", incoming("m1", **VIP), "m2", incoming("m3", text="price"))

    data = received(acme)
    assert data["accepted"] == ["m1", "m2", "m3"]
    assert data["filtered"] == {"price": [0, 1], "vip": [1, 2]}


def test_the_fact_says_nothing_where_every_filter_keeps_all(acme: ScratchDatabase) -> None:
    acme.accept(incoming("m1", text="price", **VIP))

    assert "filtered" not in received(acme)


def test_what_no_webhook_wanted_is_unrouted_and_nothing_more(db: ScratchDatabase) -> None:
    db.workspace(filter=ONLY_VIP)
    db.accept("m1", incoming("m2", **VIP))
    alone = received(db)
    webhook(db, "price", filter=ONLY_PRICE)
    db.accept("m3")

    assert (alone["unrouted"], "filtered" in alone) == (["m1"], False)
    assert (received(db)["unrouted"], "filtered" in received(db)) == (["m3"], False)


def test_what_a_filter_drops_costs_no_row_of_its_own(acme: ScratchDatabase) -> None:
    acme.accept("m1")

    assert "filtered" in received(acme)
    assert not [key for key in acme.dump() if key.startswith(keyspace.CHAT_FACTS)]
