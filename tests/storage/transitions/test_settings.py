"""Settings: made, changed only as long as nobody was faster, secrets rotated without a break."""

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import Conflict, NotFound
from hookbundle.storage.database.settings import Secret
from hookbundle.storage.transitions.attempting import Begun
from hookbundle.storage.transitions.webhooks.secrets import RotateSecret, SecretRotated
from hookbundle.tests.storage.logs import log_of
from hookbundle.tests.storage.scratch import HOUR_MS, URL, ScratchDatabase


def rotate(db: ScratchDatabase, new: str, keep_ms: int) -> None:
    transition = RotateSecret(
        workspace_id="acme",
        new_secret=new,
        keep_until_ms=db.now_ms + keep_ms,
        now_ms=db.now_ms,
        caller="test",
    )
    db.do(transition, SecretRotated)


def signing(db: ScratchDatabase) -> tuple[str, ...]:
    """The secrets that sign the next attempt."""
    begun = db.begin()
    assert isinstance(begun, Begun)
    return begun.secrets


# ---- made and changed


def test_a_workspace_is_made_with_its_settings_and_given_its_secret_once(
    db: ScratchDatabase,
) -> None:
    made = db.change("acme", name="Acme", url=URL, aggregation_ms=HOUR_MS, success="2xx")
    changed = db.change("acme", name="Acme Ltd")

    settings, webhook = db.view().settings, db.view().webhook
    assert (made.created, made.secret, made.version) == (True, "whsec_first", 1)
    assert (changed.created, changed.secret, changed.version) == (False, "", 2)
    assert (settings.name, webhook.url, webhook.aggregation_ms, webhook.success) == (
        *("Acme Ltd", URL),
        *(HOUR_MS, "2xx"),
    )


def test_a_new_workspace_is_enabled_unless_asked_otherwise(db: ScratchDatabase) -> None:
    db.change("on")
    db.change("off", enabled=False)

    assert db.view("on").state.enabled
    assert not db.view("off").state.enabled
    assert db.view("off").state.disabled_reason == "manual"


def test_workspaces_have_numbers_of_their_own_and_are_listed_by_id(db: ScratchDatabase) -> None:
    numbers = [db.change(ws).workspace_number for ws in ("b", "a", "c")]

    listed = [view.settings.id for view in db.reads.workspaces(2).found]
    rest = [view.settings.id for view in db.reads.workspaces(2, after="b").found]

    assert numbers == [1, 2, 3]
    assert (listed, rest) == (["a", "b"], ["c"])


def test_a_change_that_changes_nothing_leaves_the_version(db: ScratchDatabase) -> None:
    db.change("acme", name="Acme", url=URL)

    again = db.change("acme", name="Acme", url=URL, enabled=True)

    assert again.version == 1
    assert db.events("workspace.changed") == []


def test_a_change_is_made_only_to_the_version_it_was_meant_for(db: ScratchDatabase) -> None:
    db.change("acme", name="one")
    db.change("acme", name="two", version=1)
    before = db.dump()

    with pytest.raises(Conflict, match="at version 2 by now; read it again"):
        db.change("acme", name="three", version=1)

    assert db.dump() == before


def test_a_workspace_that_is_not_there_is_made_only_on_request(db: ScratchDatabase) -> None:
    before = db.dump()

    with pytest.raises(NotFound):
        db.change("acme", create=False)
    with pytest.raises(Conflict):
        db.change("acme", version=3)

    assert {key for key in db.dump() if key not in before} <= {b"M"}


def test_it_can_not_be_enabled_without_a_url_but_together_with_one(db: ScratchDatabase) -> None:
    db.change("acme", enabled=False)

    with pytest.raises(Conflict, match="no webhook URL"):
        db.change("acme", enabled=True)

    assert db.change("acme", enabled=True, url=URL).version == 2
    assert db.view().state.enabled


def test_switching_by_settings_is_a_change_with_a_version(db: ScratchDatabase) -> None:
    db.change("acme", url=URL)

    versions = [db.change("acme", enabled=on).version for on in (False, False, True)]

    assert versions == [2, 2, 3]
    assert len(db.events("webhook.disabled", "webhook.enabled")) == 2


def test_every_change_is_told_with_what_and_by_whom(db: ScratchDatabase) -> None:
    db.change("acme", url=URL + "?token=hidden", aggregation_ms=6 * HOUR_MS)
    db.change("acme", aggregation_ms=0)

    facts, lines = (
        db.events("workspace.created", "workspace.changed"),
        db.reads.activity("acme"),
    )
    assert [fact["data"]["caller"] for fact in facts] == ["test", "test"]
    assert facts[1]["data"]["changes"] == {"aggregation_ms": 0}
    assert lines[0].detail == "aggregation none, by test"
    assert "aggregation 6h" in lines[1].detail
    assert "hidden" not in lines[1].detail


def test_changes_that_are_not_asked_for_stay(db: ScratchDatabase) -> None:
    db.change("acme", name="Acme", owner_email="o@acme.example", url=URL)

    db.change("acme", success="2xx")

    settings, url = db.view().settings, db.view().webhook.url
    assert (settings.name, settings.owner_email, url) == ("Acme", "o@acme.example", URL)


# ---- secrets


@pytest.fixture
def sending(db: ScratchDatabase) -> ScratchDatabase:
    db.workspace(aggregation_ms=0)
    db.accept("m1")
    return db


def test_both_secrets_sign_until_the_old_one_expires(sending: ScratchDatabase) -> None:
    rotate(sending, "whsec_new", keep_ms=HOUR_MS)
    sending.now_ms += HOUR_MS - 1
    during = signing(sending)
    sending.now_ms += 1

    assert during == ("whsec_new", "whsec_first")
    assert signing(sending) == ("whsec_new",)


def test_an_old_secret_can_be_dropped_at_once(sending: ScratchDatabase) -> None:
    rotate(sending, "whsec_new", keep_ms=0)

    assert signing(sending) == ("whsec_new",)
    assert sending.view().webhook.secrets == (Secret(value="whsec_new"),)


def test_rotated_twice_all_of_them_sign_newest_first(sending: ScratchDatabase) -> None:
    rotate(sending, "whsec_second", keep_ms=HOUR_MS)
    rotate(sending, "whsec_third", keep_ms=2 * HOUR_MS)
    all_three = signing(sending)
    sending.now_ms += HOUR_MS

    assert all_three == ("whsec_third", "whsec_second", "whsec_first")
    assert signing(sending) == ("whsec_third", "whsec_second")


def test_a_shorter_grace_shortens_that_of_older_secrets_but_does_not_end_it(
    sending: ScratchDatabase,
) -> None:
    rotate(sending, "whsec_second", keep_ms=24 * HOUR_MS)
    rotate(sending, "whsec_third", keep_ms=HOUR_MS)
    within = signing(sending)
    sending.now_ms += HOUR_MS

    assert within == ("whsec_third", "whsec_second", "whsec_first")
    assert signing(sending) == ("whsec_third",)


def test_no_secret_is_in_the_feed_or_the_logs(sending: ScratchDatabase) -> None:
    rotate(sending, "whsec_new", keep_ms=HOUR_MS)

    claimed = (
        str(sending.feed())
        + str(sending.reads.activity("acme"))
        + str(log_of(sending.reads, "acme"))
    )

    assert "whsec" not in claimed
    assert sending.view().settings.version == 2


def test_only_so_many_secrets_sign_at_once(sending: ScratchDatabase) -> None:
    for number in range(limits.SECRETS_MAX - 1):
        rotate(sending, f"whsec_{number}", keep_ms=HOUR_MS)

    with pytest.raises(Conflict, match="still signs with"):
        rotate(sending, "whsec_one_more", keep_ms=HOUR_MS)

    rotate(sending, "whsec_at_once", keep_ms=0)
    assert signing(sending) == ("whsec_at_once",)
