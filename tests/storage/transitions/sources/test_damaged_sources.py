"""A source whose settings are damaged costs its own owner's requests, and nobody else's."""

import pytest

from hookbundle.storage.database.keyspace import DueKind
from hookbundle.storage.database.sources import keys
from hookbundle.storage.reads.source_view import SourceReads
from hookbundle.storage.transitions.sources.lifetime import ChangeSource, SourceKept
from hookbundle.tests.storage.deleting import delete, erase
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.transitions.sources.steps import (
    create,
    digest,
    note,
    requests_of,
    rows_of_sources,
    seen,
    step,
)
from hookbundle.tests.storage.transitions.test_damaged_records import damage


@pytest.fixture
def broken(db: ScratchDatabase) -> ScratchDatabase:
    """Workspace `acme` with two sources, of which the first is damaged."""
    db.workspace()
    create(db, token="broken")
    create(db, token="sound")
    damage(db, keys.of_source(1, 1, keys.SETTINGS))
    return db


def test_the_others_are_changed_and_made(broken: ScratchDatabase) -> None:
    transition = ChangeSource(
        workspace_id="acme",
        source_id="waha-2",
        name="new",
        settings=None,
        precondition=None,
        now_ms=broken.now_ms,
        caller="test",
    )

    assert broken.do(transition, SourceKept).source.name == "new"
    assert create(broken, token="third").id == "waha-3"


def test_the_requests_of_the_others_get_too_old(broken: ScratchDatabase) -> None:
    note(broken, seen(broken, "c"), source=2)
    assert len(requests_of(broken, "waha-2")) == 1

    assert step(broken)

    assert requests_of(broken, "waha-2") == []
    assert broken.dues(DueKind.SOURCE) == []


def test_its_workspace_is_deleted_with_all_that_leads_to_it(broken: ScratchDatabase) -> None:
    broken.workspace("other")
    create(broken, "other", token="theirs")

    delete(broken)
    erase(broken)

    assert rows_of_sources(broken) == []
    (token,) = [key for key in broken.dump() if key[:1] == keys.TOKENS]
    assert token == keys.token(digest("theirs"))
    assert SourceReads(broken.env).addressed(digest("theirs"), broken.now_ms) is not None
