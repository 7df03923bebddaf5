"""What a window may be, what it is read as, and how it is stored."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine.filters.parsing import parse as filter_of
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.engine.windows.parsing import parse, plain_ms, written
from hookbundle.engine.windows.rule import (
    EVERY_DAY,
    At,
    Choice,
    Every,
    Hours,
    Quiet,
    Rule,
    WindowSetting,
)
from hookbundle.tests.engine.windows.settings import DIRECT, LARGE, OFFICE, rule, with_rules

HOUR, DAY = 3_600_000, 86_400_000
NINE, SIX, MIDNIGHT = 9 * 60, 18 * 60, 24 * 60


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("none", Rule(None)),
        ({"every": "1s"}, Rule(Every(1_000))),
        ({"every": "90s"}, Rule(Every(90_000))),
        ({"every": "1d"}, Rule(Every(DAY))),
        ({"every": "1h", "first": "now"}, Rule(Every(HOUR), first=True)),
        ({"quiet": "10m"}, Rule(Quiet(HOUR // 6, HOUR))),
        ({"quiet": "10m", "max": "10m"}, Rule(Quiet(HOUR // 6, HOUR // 6))),
        ({"at": ["18:00"]}, Rule(At((SIX,)))),
        ({"at": ["18:00", "09:00", "18:00"]}, Rule(At((NINE, SIX)))),
        ({"at": ["00:00", "23:59"]}, Rule(At((0, MIDNIGHT - 1)))),
        (
            {"at": ["18:00"], "days": "mon", "zone": "Asia/Jerusalem"},
            Rule(At((SIX,), (0,), "Asia/Jerusalem")),
        ),
        ({"every": "1h", "hours": OFFICE}, Rule(Every(HOUR), hours=Hours(NINE, SIX))),
        (
            {"every": "1h", "hours": {"from": "18:00", "to": "09:00"}},
            Rule(Every(HOUR), hours=Hours(SIX, NINE)),
        ),
        (
            {
                "every": "1h",
                "hours": {"from": "09:00", "to": "24:00", "days": "fri", "zone": "UTC"},
            },
            Rule(Every(HOUR), hours=Hours(NINE, MIDNIGHT, (4,), "UTC")),
        ),
    ],
)
def test_a_window_is_read(value: Any, found: Rule) -> None:
    assert parse(value) == WindowSetting(found)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ("mon", (0,)),
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("sun-thu", (0, 1, 2, 3, 6)),
        ("sat-sun", (5, 6)),
        ("sun-sat", EVERY_DAY),
        ("mon-mon", (0,)),
        ("sun, tue-wed ,fri - sat", (1, 2, 4, 5, 6)),
        ("mon,mon-tue,tue", (0, 1)),
    ],
)
def test_days_are_a_list_of_days_and_ranges_which_may_wrap(
    days: str, found: tuple[int, ...]
) -> None:
    assert parse({"at": ["18:00"], "days": days}).otherwise == Rule(At((SIX,), found))


def test_rules_are_read_in_their_order() -> None:
    value = {
        "rules": [
            {"match": {"labels": "vip"}, "window": "none"},
            {"match": DIRECT, "window": {"quiet": "10m", "first": "now"}},
        ],
        "else": {"every": "6h"},
    }

    assert parse(value) == WindowSetting(
        Rule(Every(6 * HOUR)),
        (
            Choice(filter_of({"labels": "vip"}), Rule(None)),
            Choice(filter_of(DIRECT), Rule(Quiet(HOUR // 6, HOUR), first=True)),
        ),
    )


@pytest.mark.parametrize(
    "value",
    [
        {"at": [f"{hour:02}:30" for hour in range(24)]},
        with_rules(*[rule({"quiet": "24h", "max": "24h"})] * 10),
        with_rules(rule("none", LARGE), rule("none", LARGE)),
        {"every": "1h", "hours": {"from": "00:00", "to": "00:00"}},
    ],
)
def test_what_is_just_allowed_is_taken(value: Any) -> None:
    parse(value)


def test_a_window_is_stored_as_it_was_written_with_its_fields_in_one_order() -> None:
    value = {
        "else": {"hours": {"to": "18:00", "from": "09:00"}, "max": "60m", "quiet": "10m"},
        "rules": [
            {
                "window": {"zone": "UTC", "first": "now", "days": "fri", "at": ["18:00", "09:00"]},
                "match": {"labels": {"none": "a", "any": "b"}, "kind": "group"},
            }
        ],
    }

    stored = written(value)

    assert stored == (
        b'{"rules":[{"match":{"kind":"group","labels":{"any":"b","none":"a"}},'
        b'"window":{"at":["18:00","09:00"],"days":"fri","zone":"UTC","first":"now"}}],'
        b'"else":{"quiet":"10m","max":"60m","hours":{"from":"09:00","to":"18:00"}}}'
    )
    assert written(msgspec.json.decode(stored)) == stored
    assert setting_of(0, stored) == parse(value)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("none", 0),
        ({"every": "6h"}, 6 * HOUR),
        ({"every": "6h", "first": "now"}, None),
        ({"every": "6h", "hours": OFFICE}, None),
        ({"quiet": "6h"}, None),
        ({"at": ["18:00"]}, None),
        (with_rules(rule("none")), None),
    ],
)
def test_a_plain_length_is_told_from_all_others(value: Any, plain: int | None) -> None:
    setting = parse(value)

    assert plain_ms(setting) == plain
    if plain is not None:
        assert setting_of(plain, b"") == setting
