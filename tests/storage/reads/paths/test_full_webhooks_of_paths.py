"""A webhook that was full when a message came: the path says what was the matter with it then."""

import pytest

from hookbundle.engine.messages.became import ADVICE, BecameCode
from hookbundle.storage.reads.paths.asking import Moment, Span
from hookbundle.storage.reads.paths.chat_history import ChatHistory
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.storage.reads.paths.asked import path, whole
from hookbundle.tests.storage.scratch import ScratchDatabase, failed
from hookbundle.tests.storage.webhooks import add_webhook

ERRORS_UNTIL_DISABLED = 11


@pytest.fixture
def acme(db: ScratchDatabase) -> ScratchDatabase:
    """`outbound` may hold one message, and has it; `crm` takes what comes, and sends it."""
    db.workspace(aggregation_ms=0)
    db.accept("m0")
    add_webhook(db, "acme", "crm")
    return db


def overflow(db: ScratchDatabase) -> None:
    db.quota = Quota(waiting_messages_max=3)
    assert db.accept("m1").overflowed == 1


def codes(db: ScratchDatabase) -> set[str]:
    """In the path, among what came and was not stored, and in the chat's history."""
    found = path(db, "m1")
    history = whole(ChatHistory(db.env).page("acme", "c", Span(), Moment(db.now_ms), 100))
    told = [
        *(each.group.became for each in found.webhooks if each.group.webhook == "outbound"),
        *found.came,
        *(each.became for each in history.found),
    ]
    return {each.code.value for each in told if each.code.value.startswith("overflowed")}


def test_one_that_somebody_had_disabled_has_to_be_enabled(acme: ScratchDatabase) -> None:
    acme.disable()
    acme.quota = Quota(messages_max=1)
    assert acme.accept("m1").overflowed == 1

    assert codes(acme) == {"overflowed.disabled_by_a_person"}
    advice = ADVICE[BecameCode.OVERFLOWED_BY_A_PERSON]
    assert "Enable" in advice
    assert "epair" not in advice


def test_one_that_errors_had_disabled_has_to_be_repaired(acme: ScratchDatabase) -> None:
    for _ in range(ERRORS_UNTIL_DISABLED):
        acme.attempt(failed())
        acme.wait()
    assert not acme.view().state.enabled
    acme.quota = Quota(messages_max=1)
    assert acme.accept("m1").overflowed == 1

    assert codes(acme) == {"overflowed.disabled_by_errors"}
    assert ADVICE[BecameCode.OVERFLOWED_BY_ERRORS].startswith("Repair the receiver")


@pytest.mark.parametrize("is_disabled_later", [False, True])
def test_of_one_that_was_enabled_then_nothing_more_is_said(
    acme: ScratchDatabase, is_disabled_later: bool
) -> None:
    overflow(acme)
    acme.now_ms += 1
    if is_disabled_later:
        acme.disable()

    assert codes(acme) == {"overflowed"}


def test_nor_of_one_that_was_enabled_since(acme: ScratchDatabase) -> None:
    acme.disable()
    acme.quota = Quota(messages_max=1)
    acme.accept("m1")
    acme.enable()

    assert codes(acme) == {"overflowed"}
