"""The limits of a webhook end its windows early, and no body is larger than they say."""

import random

import pytest

from hookbundle.tests.storage.held import Held, ids_in
from hookbundle.tests.storage.scratch import START_MS, ScratchDatabase, incoming
from hookbundle.tests.storage.tables.routing.webhooks import is_sound, webhook


def bundles(db: ScratchDatabase) -> list[tuple[list[str], str]]:
    return [(ids_in(each), each.reason) for each in db.queued()]


def bodies(db: ScratchDatabase) -> list[Held]:
    return db.queued()


def test_a_window_ends_with_as_many_messages_as_the_webhook_wants(db: ScratchDatabase) -> None:
    db.workspace()
    webhook(db, "outbound", messages_max=3)

    db.accept(*(f"m{number}" for number in range(7)))

    assert bundles(db) == [(["m0", "m1", "m2"], "size"), (["m3", "m4", "m5"], "size")]
    assert db.view().state.buffered_messages == 1


@pytest.mark.parametrize("most", [1_024, 2_000, 9_999, 100_000])
@pytest.mark.parametrize("text", ["x", "&", '"', "\\", "\n", "\u0639", "\u202e"])
def test_no_bundle_is_larger_than_the_limit_but_one_of_a_single_message(
    db: ScratchDatabase, most: int, text: str
) -> None:
    """Accounts, chats, links and times change on the way: the frame of the body counts too."""
    rng = random.Random(most)
    db.workspace()
    webhook(db, "outbound", bytes_max=most)
    sent = []
    for number in range(60):
        name = b"n" * rng.choice((1, 50, 400))
        message = incoming(
            f"m{number}",
            START_MS + rng.randint(-(10**6), 10**6),
            text=text * rng.choice((1, 20, 300)),
            account=b'{"full_name":"%b","email":"","phone":""}' % name,
            chat=b'{"chat_id":"c","chat_url":"https://app.example/%b"}' % name,
            permalink="https://app.example/&" * rng.choice((0, 1, 9)),
            is_new_chat=number % 2 > 0,
        )
        sent.append(message.message_id)
        db.accept(message)
    db.seal()

    held = bodies(db)
    assert sorted(each for one in held for each in ids_in(one)) == sorted(sent)
    assert all(len(one.body) <= most or one.messages == 1 for one in held)
    assert any(one.messages > 1 for one in held) or most < 2_000 or text in '&"\\\u202e'
    assert is_sound(db)


def test_a_message_that_passes_the_limit_goes_alone_and_whole(db: ScratchDatabase) -> None:
    db.workspace()
    webhook(db, "outbound", bytes_max=2_000)

    for number, chars in enumerate((10, 5_000, 10)):
        db.accept(incoming(f"m{number}", START_MS + number, text="x" * chars))

    assert bundles(db) == [(["m0"], "size"), (["m1"], "size")]
    assert b"x" * 5_000 in bodies(db)[1].body


def test_a_lower_limit_ends_an_open_window_with_the_next_message(db: ScratchDatabase) -> None:
    db.workspace()
    db.accept("m1", "m2", "m3")
    webhook(db, "outbound", messages_max=2)
    assert bundles(db) == []

    db.accept("m4")

    assert bundles(db) == [(["m1", "m2", "m3"], "size")]
    assert db.view().state.buffered_messages == 1


def test_each_webhook_has_limits_of_its_own(db: ScratchDatabase) -> None:
    db.workspace()
    crm = webhook(db, "crm", messages_max=1)
    db.accept("m1", "m2")

    assert (db.view().state.queued, db.view().named("crm").state.queued) == (0, 2)
    assert crm
