"""A window is read back as a sentence that says all of it, in English and in Arabic."""

from typing import Any

import pytest

from hookbundle.engine.phrasing import ENGLISH
from hookbundle.engine.windows import in_words

RULES = {
    "rules": [
        {"match": {"labels": "vip"}, "window": "none"},
        {
            "match": {"kind": "group", "any": [{"is_new_chat": True}, {"direction": ["sent"]}]},
            "window": {"at": ["18:00"]},
        },
    ],
    "else": {"quiet": "10m"},
}


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("none", "Each message at once"),
        ({"every": "1h"}, "Every hour"),
        ({"every": "90m"}, "Every 90 minutes"),
        ({"every": "24h"}, "Every 24 hours"),
        ({"every": "3661s"}, "Every 3661 seconds"),
        (
            {"quiet": "10m", "max": "6h"},
            "When the conversation has been quiet for 10 minutes, at the latest after 6 hours",
        ),
        (
            {"quiet": "1h"},
            "When the conversation has been quiet for 1 hour, at the latest after 6 hours",
        ),
        ({"at": ["18:00", "12:00"]}, "Every day at 12:00, 18:00"),
        (
            {"at": ["18:00"], "days": "sun-tue,thu", "zone": "Asia/Jerusalem"},
            "On Thu, Sun\u2013Tue at 18:00 (Asia/Jerusalem)",
        ),
        ({"at": ["18:00"], "days": "sat,sun"}, "On Sat, Sun at 18:00"),
        (
            {"every": "6h", "first": "now", "hours": {"from": "22:00", "to": "06:00"}},
            "Every 6 hours; the first message after a silence leaves at once; "
            "only 22:00\u201306:00 of the next day",
        ),
        (
            {
                "at": ["12:00"],
                "hours": {"days": "sun-thu", "from": "09:00", "to": "24:00", "zone": "UTC"},
            },
            "Every day at 12:00; only Sun\u2013Thu 09:00\u201324:00 (UTC)",
        ),
        (
            RULES,
            "(1) Labels: one of: vip → each message at once; (2) groups · any of: (New chat: yes) "
            "| (sent) → every day at 18:00; (3) all others → when the conversation has been quiet "
            "for 10 minutes, at the latest after 1 hour",
        ),
    ],
)
def test_each_rule_is_a_sentence(window: Any, said: str) -> None:
    assert in_words.sentence(window, ENGLISH) == said


def test_a_rule_that_goes_by_the_workspaces_zone_names_it_once() -> None:
    window = {"at": ["18:00"], "hours": {"from": "09:00", "to": "20:00"}}

    said = in_words.sentence(window, ENGLISH, "Africa/Cairo")

    assert said == "Every day at 18:00 (Africa/Cairo); only 09:00\u201320:00"


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        ((0, 1, 2, 3, 4, 5, 6), [(0, 7)]),
        ((0, 1, 2, 3, 6), [(6, 5)]),
        ((0, 2, 3, 6), [(2, 2), (6, 2)]),
        ((4,), [(4, 1)]),
        ((), []),
    ],
)
def test_days_that_follow_each_other_are_a_row(
    chosen: tuple[int, ...], rows: list[tuple[int, int]]
) -> None:
    assert in_words.runs(chosen) == rows
