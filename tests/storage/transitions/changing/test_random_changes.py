"""Whatever comes in whatever order: a window is as if only what is left had ever come."""

import random
from typing import Any

import pytest

from hookbundle.engine.messages.message import Incoming
from hookbundle.tests.storage.scratch import ScratchDatabase
from hookbundle.tests.storage.tables.routing.webhooks import is_sound
from hookbundle.tests.storage.transitions.changing.changes import (
    bundle,
    change,
    delete,
    detailed,
    edit,
)


def message(rng: random.Random, number: int) -> Incoming:
    return detailed(
        f"m{number}",
        rng.randint(0, 20),
        name=rng.choice(("Jane", "Jane", "Jane", "J.")),
        new=rng.random() < 0.1,
        permalink=rng.choice(("", f"https://a.example/{number}")),
        text="t" * rng.choice((3, 900)),
        account=b'{"phone":"%d"}' % rng.choice((1, 1, 1, 2)),
    )


def expected(left: dict[str, Incoming], edits: dict[str, str], path: Any) -> dict[str, Any]:
    """What a database has to which only that came which is left, as it is now."""
    fresh = ScratchDatabase(path)
    fresh.workspace()
    if left:
        fresh.accept(*left.values())
    changed = {each: text for each, text in edits.items() if each in left}
    for each, text in changed.items():
        change(fresh, edit(each, text))
    found = bundle(fresh)
    fresh.close()
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_window_tells_of_the_messages_that_are_left(
    db: ScratchDatabase, tmp_path: Any, seed: int
) -> None:
    rng = random.Random(seed)
    db.workspace()
    left, edits, number = dict[str, Incoming](), dict[str, str](), 0
    for step in range(40):
        db.now_ms += 1
        some = rng.sample(sorted(left), min(len(left), rng.randint(0, 3)))
        if rng.random() < 0.5 or not some:
            came = [message(rng, number + each) for each in range(rng.randint(1, 4))]
            number += len(came)
            db.accept(*came)
            left.update({each.message_id: each for each in came})
        elif rng.random() < 0.5:
            texts = {each: f"edit {step} " + "e" * rng.choice((1, 500)) for each in some}
            change(db, *(edit(each, text) for each, text in texts.items()))
            edits.update(texts)
        else:
            change(db, *map(delete, some))
            for each in some:
                del left[each]

    assert bundle(db) == expected(left, edits, tmp_path / "fresh")
    assert is_sound(db)
    db.seal()
    assert is_sound(db)
    assert db.view().named("outbound").state.buffered_bytes == 0
