"""How the fact of a message's acceptance is found in the feed by its time, and what it tells."""

from typing import Any

import pytest

from hookbundle.storage.database import codec, keyspace
from hookbundle.storage.reads.paths import acceptance
from hookbundle.storage.reads.paths.acceptance import Acceptance
from hookbundle.storage.reads.paths.members import Seen
from hookbundle.storage.transitions.accepting import AcceptMessages
from hookbundle.tests.storage.populated import put
from hookbundle.tests.storage.reads.paths.asked import commits, path, told, whole
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

SECOND_MS = 1_000


def filtered(db: ScratchDatabase, message: str) -> bool:
    return ("price", "filtered") in told(path(db, message))


def test_each_fact_of_a_long_feed_is_found_by_its_time(acme: ScratchDatabase) -> None:
    for number in range(40):
        acme.accept(f"m{number}")
        commits(acme, 3)

    assert all(filtered(acme, f"m{number}") for number in range(40))


def late(db: ScratchDatabase, message: str, by_ms: int, chat: str = "c") -> AcceptMessages:
    """A message that came so long ago, and waited for the Store."""
    db.now_ms -= by_ms
    waited = db.accepting(message, chat=chat)
    db.now_ms += by_ms
    return waited


def test_the_fact_tells_each_message_s_own_webhooks(acme: ScratchDatabase) -> None:
    messages = [incoming("m1"), incoming("m2", text="price"), incoming("m3")]
    acme.accept(*messages)
    webhooks = [each.webhook for each in acme.view().webhooks]

    told = {}
    for each in messages:
        asked = Acceptance(1, "c", Seen(each.message_id, arrived_ms=acme.now_ms))
        groups = whole(asked.not_got(acme.env, webhooks))
        told[each.message_id] = [group.webhook for group in groups]

    assert told == {"m1": ["price", "vip"], "m2": ["vip"], "m3": ["price", "vip"]}


def test_a_fact_that_waited_for_the_store_is_found_behind_its_time(acme: ScratchDatabase) -> None:
    commits(acme, 20)
    acme.group(late(acme, "m1", 10 * SECOND_MS))
    commits(acme, 20)

    assert filtered(acme, "m1")


@pytest.mark.parametrize("after", range(1, 12))
def test_a_fact_is_found_before_rows_of_what_waited_longer(
    acme: ScratchDatabase, after: int
) -> None:
    """Among these the halving may end."""
    acme.now_ms += 30 * SECOND_MS
    acme.group(late(acme, "m1", 5 * SECOND_MS), acme.accepting("x", chat="x"))
    for number in range(after):
        acme.group(late(acme, f"y{number}", 20 * SECOND_MS, chat="y"))
    commits(acme, 3)

    assert filtered(acme, "m1")


def test_a_damaged_row_hides_only_its_own_facts(acme: ScratchDatabase) -> None:
    acme.accept("m1")
    commits(acme, 3)
    acme.accept("m2")
    commits(acme, 3)
    rows = {key: value for key, value in acme.dump().items() if key.startswith(keyspace.FEED)}
    put(acme, next(key for key, value in rows.items() if b"m1" in value), b"damaged")

    assert (filtered(acme, "m1"), filtered(acme, "m2")) == (False, True)


def test_the_look_through_the_feed_is_bounded(
    acme: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the time that its rows are of, and by their number."""
    commits(acme, 300)
    asked = Acceptance(1, "c", Seen("never", arrived_ms=acme.now_ms - 150 * SECOND_MS))
    looked = count_rows(monkeypatch)

    whole(asked.not_got(acme.env, ()))
    by_time = looked()
    monkeypatch.setattr(acceptance, "ROWS_MOST", 5)
    whole(asked.not_got(acme.env, ()))

    halving, minute = 20, 62
    assert 2 * 60 <= by_time < halving + 2 * minute
    assert looked() - by_time < halving + 2 * 5


def count_rows(monkeypatch: pytest.MonkeyPatch) -> Any:
    read = [0]
    readable = codec.readable

    def counted(key: bytes, value: bytes, kind: Any) -> Any:
        read[0] += 1
        return readable(key, value, kind)

    monkeypatch.setattr(codec, "readable", counted)
    return lambda: read[0]
