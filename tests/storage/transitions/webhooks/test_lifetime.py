"""A webhook made and changed: under the condition that was asked, and never with an old past."""

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import Changed, Code, Conflict, NotFound, PreconditionRequired
from hookbundle.engine.preconditions import Precondition, Tags, at_version
from hookbundle.storage.database.settings import Webhook
from hookbundle.storage.transitions.webhooks.lifetime import WebhookChanged
from hookbundle.tests.storage.deleting import assert_sound
from hookbundle.tests.storage.scratch import HOUR_MS, OK, URL, ScratchDatabase
from hookbundle.tests.storage.transitions.webhooks.leaving import (
    changing,
    drop,
    erase,
    put,
)
from hookbundle.tests.storage.webhooks import CRM_URL, add_webhook

ANY = Precondition(if_match=Tags.ANY)
ABSENT = Precondition(if_none_match=Tags.ANY)


def webhook(db: ScratchDatabase, webhook_id: str = "crm") -> Webhook:
    return db.view().named(webhook_id).webhook


def patch(db: ScratchDatabase, webhook_id: str = "crm", **given: object) -> WebhookChanged:
    return db.do(changing(db, webhook_id, **given), WebhookChanged)


def test_put_makes_what_is_not_there_and_gives_its_secret_once(db: ScratchDatabase) -> None:
    db.workspace()

    made = put(db, aggregation_ms=HOUR_MS, success="2xx")
    again = put(db, precondition=ANY, aggregation_ms=0)

    assert (made.created, made.secret) == (True, "whsec_crm")
    assert (again.created, again.secret, again.number) == (False, "", made.number)
    assert again.version > made.version
    crm = webhook(db)
    assert (crm.url, crm.aggregation_ms, crm.success) == (CRM_URL, 0, "2xx")
    assert [secret.value for secret in crm.secrets] == ["whsec_crm"]
    assert_sound(db)


@pytest.mark.parametrize("wanted", [None, Precondition(if_none_match=(99,))])
def test_put_replaces_nothing_for_one_who_names_no_version(
    db: ScratchDatabase, wanted: Precondition | None
) -> None:
    db.workspace()
    put(db)
    before = db.dump()

    with pytest.raises(PreconditionRequired) as refused:
        put(db, precondition=wanted, url=URL)

    assert refused.value.code is Code.WEBHOOK_PRECONDITION
    assert db.dump() == before


def test_a_change_is_made_only_to_the_version_it_was_meant_for(db: ScratchDatabase) -> None:
    db.workspace()
    seen = put(db).version
    now = patch(db, success="2xx", precondition=at_version(seen)).version
    before = db.dump()

    for stale in (at_version(seen), ABSENT):
        with pytest.raises(Changed) as refused:
            put(db, precondition=stale, url=URL)
        assert refused.value.code is Code.WEBHOOK_CHANGED
        with pytest.raises(Changed):
            patch(db, precondition=stale, url=URL)

    assert db.dump() == before
    assert (now > seen, webhook(db).url) == (True, CRM_URL)


def test_what_was_deleted_is_not_replaced_by_one_who_saw_it(db: ScratchDatabase) -> None:
    db.workspace()
    seen = put(db).version
    drop(db)

    for wanted in (at_version(seen), ANY):
        with pytest.raises(Changed) as refused:
            put(db, precondition=wanted)
        assert refused.value.code is Code.WEBHOOK_DELETED
    with pytest.raises(NotFound) as absent:
        patch(db, url=URL)
    assert absent.value.code is Code.UNKNOWN_WEBHOOK


def test_a_change_of_one_leaves_the_version_of_the_others(db: ScratchDatabase) -> None:
    db.workspace()
    put(db)
    put(db, "dwh")
    versions = {id: webhook(db, id).version for id in ("outbound", "crm")}

    patch(db, "dwh", success="2xx")
    patch(db, "dwh", enabled=False)

    assert {id: webhook(db, id).version for id in versions} == versions
    assert webhook(db, "dwh").version == db.view().settings.version


def test_there_are_twenty_at_most(db: ScratchDatabase) -> None:
    db.workspace()
    for count in range(limits.WEBHOOKS_MAX - 1):
        put(db, f"w{count}")
    before = db.dump()

    with pytest.raises(Conflict) as refused:
        put(db, "one-more")

    assert refused.value.code is Code.TOO_MANY_WEBHOOKS
    assert db.dump() == before
    drop(db, "w3")
    put(db, "one-more")
    assert_sound(db)


def test_made_and_deleted_in_a_loop_it_waits_for_the_erasing(db: ScratchDatabase) -> None:
    db.workspace()
    for _ in range(limits.WEBHOOKS_MAX):
        put(db)
        drop(db)

    with pytest.raises(Conflict) as refused:
        put(db)

    assert refused.value.code is Code.TOO_MANY_WEBHOOKS
    assert_sound(db)
    erase(db)
    assert put(db).created


@pytest.mark.parametrize("webhook_id", ["crm", "outbound"])
def test_a_new_one_has_nothing_of_the_old_one_of_its_id(
    db: ScratchDatabase, webhook_id: str
) -> None:
    db.workspace("acme", aggregation_ms=0)
    add_webhook(db, "acme", "other", aggregation_ms=0)
    seen, numbers = set(), set()
    for round_ in range(4):
        if round_ or webhook_id == "crm":
            given = {"url": ""} if webhook_id == "outbound" else {}  # all defaults
            made = put(db, webhook_id, secret=f"whsec_{round_}", **given)
            assert made.number not in numbers
            assert made.version not in seen
            assert made.version == webhook(db, webhook_id).version
            secrets = webhook(db, webhook_id).secrets
            assert [secret.value for secret in secrets] == [f"whsec_{round_}"]
            state = db.view().named(webhook_id).state
            assert (state.queued, state.windows, state.log_next) == (0, 0, 0)
        numbers.add(webhook(db, webhook_id).number)
        seen.add(webhook(db, webhook_id).version)
        if webhook_id == "crm":
            patch(db, success="2xx", aggregation_ms=0)
        else:
            patch(db, "outbound", url=URL)
        seen.add(webhook(db, webhook_id).version)
        db.accept(f"m{round_}", chat=f"c{round_}")
        db.attempt(OK, webhook(db, webhook_id).number)
        drop(db, webhook_id)
        if round_ % 2:  # else the next one is made while the old one is being erased
            erase(db)
    erase(db)
    assert_sound(db)


def test_the_chats_do_not_grow_by_webhooks_that_were(db: ScratchDatabase) -> None:
    """Each had a message and no window, so that no step comes to the chat."""
    db.workspace(aggregation_ms=0)
    for count in range(30):
        put(db, aggregation_ms=0 if count % 2 else HOUR_MS)
        db.accept(f"m{count}")
        db.seal()
        drop(db)
        erase(db, 500)

    db.accept("last")

    record = db.chat()
    assert record is not None
    assert len(record.collecting) <= 2  # of the last one that was, too
    assert_sound(db)


def test_outbound_without_url_collects_only_while_it_is_alone(db: ScratchDatabase) -> None:
    db.workspace(url="")
    db.accept("m1")
    put(db, aggregation_ms=HOUR_MS)

    db.accept("m2")

    held = {id: db.view().named(id).state.buffered_messages for id in ("outbound", "crm")}
    assert held == {"outbound": 1, "crm": 1}
    drop(db)
    db.accept("m3")
    assert db.view().state.buffered_messages == 2
    patch(db, "outbound", url=URL)
    put(db, aggregation_ms=HOUR_MS)
    db.accept("m4")
    assert db.view().state.buffered_messages == 3
