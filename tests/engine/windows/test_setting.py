"""Which rule of a setting a window gets, and what is asked of a setting as a whole."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine.filters.compiled import SMALL_BYTES
from hookbundle.engine.windows import compiled
from hookbundle.engine.windows.compiled import setting_of
from hookbundle.engine.windows.parsing import parse, written
from hookbundle.engine.windows.rule import OTHERWISE, Every, Rule
from hookbundle.tests.engine.filters.known import subject
from hookbundle.tests.engine.windows.settings import OFFICE, rule, with_rules

VIP: dict[str, Any] = {
    "rules": [
        {"match": {"labels": "vip"}, "window": "none"},
        {"match": {"text_contains": "invoice"}, "window": {"every": "1m"}},
        {"match": {"text_contains": ["invoice", "offer"]}, "window": {"every": "1h"}},
    ],
    "else": {"every": "6h"},
}


@pytest.mark.parametrize(
    ("known", "number", "found"),
    [
        ({"labels": ["VIP"]}, 0, Rule(None)),
        ({"labels": ["vip"], "text": "invoice"}, 0, Rule(None)),
        ({"text": "Your invoice"}, 1, Rule(Every(60_000))),
        ({"text": "Your offer"}, 2, Rule(Every(3_600_000))),
        ({"text": "Hello"}, OTHERWISE, Rule(Every(6 * 3_600_000))),
    ],
)
def test_the_first_rule_that_matches_is_taken(
    known: dict[str, Any], number: int, found: Rule
) -> None:
    setting = parse(VIP)

    assert setting.choose(subject(**known)) == number
    assert setting.rule(number) == found


def test_what_choosing_looks_through_is_counted() -> None:
    seen = subject(text="0123456789")

    parse(VIP).choose(seen)

    assert seen.looked_through == 20


@pytest.mark.parametrize("number", [3, 254, OTHERWISE, -1])
def test_a_rule_that_there_is_no_longer_is_that_of_all_others(number: int) -> None:
    assert parse(VIP).rule(number) == parse(VIP).otherwise


def test_the_number_of_all_others_fits_into_a_byte_and_is_no_choices() -> None:
    assert len(VIP["rules"]) < OTHERWISE < 256


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("none", False),
        ({"every": "1s"}, True),
        (VIP, True),
        ({**VIP, "else": "none"}, True),
        ({"rules": VIP["rules"][:1], "else": "none"}, False),
    ],
)
def test_a_setting_holds_messages_if_any_rule_does(value: Any, holds: bool) -> None:
    assert parse(value).holds is holds


@pytest.mark.parametrize(
    ("value", "uses"),
    [
        ("none", False),
        ({"every": "1h"}, False),
        ({"at": ["18:00"]}, True),
        ({"at": ["18:00"], "zone": "UTC"}, False),
        ({"every": "1h", "hours": OFFICE}, True),
        ({"every": "1h", "hours": {**OFFICE, "zone": "UTC"}}, False),
        ({"at": ["18:00"], "zone": "UTC", "hours": OFFICE}, True),
        ({**VIP, "else": {"at": ["18:00"]}}, True),
        (with_rules(rule({"at": ["18:00"]})), True),
    ],
)
def test_a_setting_says_whether_the_workspaces_zone_matters(value: Any, uses: bool) -> None:
    assert parse(value).uses_workspace_zone is uses


def test_a_setting_says_for_which_words_it_looks() -> None:
    assert parse(VIP).words == {"invoice", "offer"}
    assert parse("none").words == frozenset()


def test_a_setting_is_read_once_and_large_ones_push_out_no_small_one() -> None:
    small = written({"quiet": "10m"})
    kept = setting_of(0, small)
    ids = {"chat_ids": ["c" * 190] * 3}
    for number in range(200):
        rules = [{"match": {**ids, "account": str(number)}, "window": "none"}]
        large = written({"rules": rules, "else": "none"})
        assert len(large) > SMALL_BYTES
        setting_of(0, large)

    assert setting_of(0, bytes(bytearray(small))) is kept
    assert compiled._large.cache_info().currsize <= 128


def test_what_is_stored_is_read_as_it_was_meant() -> None:
    assert setting_of(0, b"") == parse("none")
    assert setting_of(60_000, b"") == parse({"every": "1m"})
    assert setting_of(0, written(VIP)) == parse(VIP)
    assert msgspec.json.decode(written("none")) == "none"
