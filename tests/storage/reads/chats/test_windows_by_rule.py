"""Windows by rule in lists: when each ends and why, in the true order also of those that move."""

import pytest

from hookbundle.storage.reads.chats import due_order
from hookbundle.storage.reads.chats.due_order import DueOrder
from hookbundle.storage.reads.listing import Listing
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming
from hookbundle.tests.storage.transitions.windows.ruled import at_time, ruled, says

CHATS = 9
JANE = b'{"chat_id":"c","full_name":"Jane","phone":"+15550100"}'
RULES = {
    "rules": [
        {"match": {"labels": "at"}, "window": {"at": ["18:00"]}},
        {"match": {"labels": "quiet"}, "window": {"quiet": "30m", "max": "1h"}},
        {"match": {"labels": "first"}, "window": {"every": "2h", "first": "now"}},
    ],
    "else": {"every": "6h"},
}


def by_due(db: ScratchDatabase, limit: int, **asked: object) -> list[tuple[str, int]]:
    """All pages: the chats, and when their windows end."""
    found, position = list[tuple[str, int]](), b""
    for _ in range(2 * CHATS):
        page = DueOrder(db.env, "acme", limit, position, **asked)  # type: ignore[arg-type]
        while page.read_on():
            pass
        found += [(window.chat_id, window.due_ms) for window in page.found]
        if page.position is None:
            break
        position = page.position
    return found


@pytest.mark.parametrize("few", [2_000, -1])
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_windows_that_move_stand_where_they_end(
    db: ScratchDatabase, monkeypatch: pytest.MonkeyPatch, few: int, limit: int
) -> None:
    monkeypatch.setattr(due_order, "FEW", few)
    monkeypatch.setattr(due_order, "ROWS_A_SLICE", 2)
    ruled(db, {"quiet": "30m", "max": "1h"})
    last = {}
    for minute in range(40):
        chat = f"c{minute * 7 % CHATS}"
        says(db, f"09:{minute:02}", f"m{minute}", chat=chat)
        last[chat] = minute
    ends = {
        chat: min(at_time(f"09:{minute:02}") + 30 * 60_000, window.opened_ms + 3_600_000)
        for chat, minute in last.items()
        if (window := db.window(chat)) is not None
    }

    assert by_due(db, limit) == sorted(ends.items(), key=lambda each: (each[1], each[0]))
    until_ms = sorted(ends.values())[3]
    assert {chat for chat, _ in by_due(db, limit, due_by_ms=until_ms)} == {
        chat for chat, end_ms in ends.items() if end_ms <= until_ms
    }


def test_a_window_is_listed_with_what_will_end_it(db: ScratchDatabase) -> None:
    ruled(db, RULES)
    for name in ("at", "quiet", "first", "other"):
        db.accept(incoming(name, chat=JANE, extra=b'{"labels":["%b"]}' % name.encode()), chat=name)
    says(db, "09:00", "more", chat="at")
    for minute in (20, 40):
        says(db, f"09:{minute}", f"m{minute}", chat="quiet")

    found = {each.chat_id: each for each in Listing(db.env).windows("acme", 10).found}

    assert {chat: (each.why, each.due_ms) for chat, each in found.items()} == {
        "at": ("at", at_time("18:00")),
        "quiet": ("max", at_time("10:00")),
        "first": ("time", at_time("11:00")),
        "other": ("time", at_time("15:00")),
    }
    assert {chat: (each.messages, each.first) for chat, each in found.items()} == {
        "at": (2, False),
        "quiet": (3, False),
        "first": (0, True),
        "other": (1, False),
    }
    assert found["first"].name.name == "Jane"
