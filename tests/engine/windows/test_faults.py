"""Every fault of what is no window is named at once, with its path and what would be right."""

from typing import Any

import pytest

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.windows.parsing import parse
from hookbundle.tests.engine.windows.settings import DIRECT, LARGE, OFFICE, rule, with_rules


def refused(value: Any) -> tuple[Fault, ...]:
    with pytest.raises(InvalidInput) as refusal:
        parse(value)
    return refusal.value.faults


def faults_of(value: Any) -> list[tuple[str, str]]:
    return [(fault.path, fault.code) for fault in refused(value)]


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        # no window at all
        (None, "window", "not_a_window"),
        (True, "window", "not_a_window"),
        (3600, "window", "not_a_window"),
        ([], "window", "not_a_window"),
        ("", "window", "not_a_window"),
        ("None", "window", "not_a_window"),
        ("25h", "window", "not_a_window"),
        ("1h", "window", "only_a_length"),
        ({}, "window", "no_end_of_window"),
        ({"hours": OFFICE}, "window", "no_end_of_window"),
        ({"every": "1h", "quiet": "1h"}, "window", "several_ends"),
        ({"every": "1h", "quiet": "1h", "at": ["18:00"]}, "window", "several_ends"),
        # a length
        ({"every": 3600}, "window.every", "no_length"),
        ({"every": "none"}, "window.every", "no_length"),
        ({"every": "1"}, "window.every", "no_length"),
        ({"every": "0s"}, "window.every", "no_length"),
        ({"every": "1500ms"}, "window.every", "no_length"),
        ({"every": "86401s"}, "window.every", "no_length"),
        ({"every": None}, "window.every", "no_length"),
        ({"quiet": "999ms"}, "window.quiet", "no_length"),
        ({"quiet": "2d"}, "window.quiet", "no_length"),
        ({"quiet": "10m", "max": "25h"}, "window.max", "no_length"),
        ({"quiet": "10m", "max": None}, "window.max", "no_length"),
        ({"quiet": "10m", "max": "9m"}, "window.max", "max_below_quiet"),
        # fields that mean nothing there
        ({"every": "1h", "max": "2h"}, "window.max", "only_beside"),
        ({"every": "1h", "days": "mon"}, "window.days", "only_beside"),
        ({"quiet": "1h", "zone": "UTC"}, "window.zone", "only_beside"),
        ({"at": ["18:00"], "max": "1h"}, "window.max", "only_beside"),
        ({"first": "now"}, "window.first", "first_with_none"),
        ({"first": "now", "hours": OFFICE}, "window.first", "first_with_none"),
        ({"every": "1h", "frist": "now"}, "window.frist", "misspelt_field"),
        ({"every": "1h", "colour": "red"}, "window.colour", "unknown_field"),
        ({"every": "1h", "first": True}, "window.first", "not_one_of"),
        ({"every": "1h", "first": ["now"]}, "window.first", "not_one_of"),
        ({"every": "1h", "first": "Now"}, "window.first", "not_one_of"),
        ({"every": "1h", "first": None}, "window.first", "not_one_of"),
        # times
        ({"at": []}, "window.at", "empty"),
        ({"at": "18:00"}, "window.at", "not_an_array"),
        ({"at": ["18:00"] * 25}, "window.at", "too_many_entries"),
        ({"at": ["18:00", "9:00"]}, "window.at[1]", "no_time_of_day"),
        ({"at": ["24:00"]}, "window.at[0]", "no_time_of_day"),
        ({"at": ["18:60"]}, "window.at[0]", "no_time_of_day"),
        ({"at": ["18:00:00"]}, "window.at[0]", "no_time_of_day"),
        ({"at": ["6 pm"]}, "window.at[0]", "no_time_of_day"),
        ({"at": ["\u0661\u0668:00"]}, "window.at[0]", "no_time_of_day"),
        ({"at": ["18:00\n"]}, "window.at[0]", "no_time_of_day"),
        ({"at": [1800]}, "window.at[0]", "no_time_of_day"),
        ({"at": [None]}, "window.at[0]", "no_time_of_day"),
        # days and zones
        ({"at": ["18:00"], "days": ""}, "window.days", "empty"),
        ({"at": ["18:00"], "days": " "}, "window.days", "empty"),
        ({"at": ["18:00"], "days": ["mon"]}, "window.days", "not_text"),
        ({"at": ["18:00"], "days": None}, "window.days", "not_text"),
        ({"at": ["18:00"], "days": "mon,,tue"}, "window.days", "no_day"),
        ({"at": ["18:00"], "days": "Monday"}, "window.days", "no_day"),
        ({"at": ["18:00"], "days": "mon-"}, "window.days", "no_day"),
        ({"at": ["18:00"], "days": "mon-tue-wed"}, "window.days", "no_day"),
        ({"at": ["18:00"], "days": "mon," * 25 + "tue"}, "window.days", "too_long"),
        ({"at": ["18:00"], "zone": "Tel Aviv"}, "window.zone", "no_zone_but_near"),
        ({"at": ["18:00"], "zone": "GMT+3"}, "window.zone", "no_zone"),
        ({"at": ["18:00"], "zone": ""}, "window.zone", "no_zone"),
        ({"at": ["18:00"], "zone": None}, "window.zone", "not_text"),
        ({"at": ["18:00"], "zone": "x" * 65}, "window.zone", "too_long"),
        # hours
        ({"every": "1h", "hours": "09:00-18:00"}, "window.hours", "not_an_object"),
        ({"every": "1h", "hours": None}, "window.hours", "not_an_object"),
        ({"every": "1h", "hours": {}}, "window.hours.from", "missing"),
        ({"every": "1h", "hours": {}}, "window.hours.to", "missing"),
        ({"every": "1h", "hours": {"from": "09:00"}}, "window.hours.to", "missing"),
        ({"every": "1h", "hours": {**OFFICE, "days": ""}}, "window.hours.days", "empty"),
        ({"every": "1h", "hours": {**OFFICE, "days": "mo"}}, "window.hours.days", "no_day"),
        ({"every": "1h", "hours": {**OFFICE, "zone": "X/Y"}}, "window.hours.zone", "no_zone"),
        ({"every": "1h", "hours": {**OFFICE, "from": 9}}, "window.hours.from", "no_time_of_day"),
        (
            {"every": "1h", "hours": {**OFFICE, "from": "24:00"}},
            "window.hours.from",
            "no_time_of_day",
        ),
        ({"every": "1h", "hours": {**OFFICE, "to": "24:01"}}, "window.hours.to", "no_time_of_day"),
        ({"every": "1h", "hours": {**OFFICE, "till": "1"}}, "window.hours.till", "unknown_field"),
        # rules
        ({"rules": [rule("none")]}, "window.else", "no_else"),
        ({"else": "none"}, "window.else", "only_beside"),
        (with_rules(), "window.rules", "empty"),
        ({"rules": {}, "else": "none"}, "window.rules", "not_an_array"),
        ({"rules": None, "else": "none"}, "window.rules", "not_an_array"),
        (with_rules(*[rule("none")] * 11), "window.rules", "too_many_entries"),
        (with_rules(rule("none"), "none"), "window.rules[1]", "not_an_object"),
        (with_rules({"window": "none"}), "window.rules[0].match", "missing"),
        (with_rules({"match": DIRECT}), "window.rules[0].window", "missing"),
        (with_rules(rule("none", {})), "window.rules[0].match", "empty"),
        (with_rules(rule("none", None)), "window.rules[0].match", "empty"),
        (with_rules(rule("none", [])), "window.rules[0].match", "not_an_object"),
        (with_rules(rule("none", {"kind": "x"})), "window.rules[0].match.kind", "not_one_of"),
        (
            with_rules({**rule("none"), "windows": "none"}),
            "window.rules[0].windows",
            "misspelt_field",
        ),
        (with_rules(rule("1h")), "window.rules[0].window", "only_a_length"),
        (with_rules(rule(None)), "window.rules[0].window", "not_a_window"),
        (
            with_rules(rule({"first": "now"})),
            "window.rules[0].window.first",
            "first_with_none",
        ),
        (
            with_rules(rule("none"), **{"else": {"first": "now"}}),
            "window.else.first",
            "first_with_none",
        ),
        (with_rules(rule("none"), **{"else": "6h"}), "window.else", "only_a_length"),
        (
            with_rules(rule(with_rules(rule("none")))),
            "window.rules[0].window.rules",
            "nested_rules",
        ),
        (with_rules(rule("none"), **{"else": with_rules()}), "window.else.rules", "nested_rules"),
        (with_rules(rule("none"), every="1h"), "window.every", "not_beside_rules"),
        (with_rules(rule("none"), first="now"), "window.first", "not_beside_rules"),
        (with_rules(rule("none"), hours=OFFICE), "window.hours", "not_beside_rules"),
        (with_rules(rule("none"), elsee="none"), "window.elsee", "misspelt_field"),
        (with_rules(*[rule("none", LARGE)] * 3), "window", "too_long_as_bytes"),
    ],
)
def test_a_fault_is_named_with_its_path(value: Any, path: str, code: str) -> None:
    assert (path, code) in faults_of(value)


def test_every_fault_is_named_at_once() -> None:
    wrong = {
        "rules": [
            {"match": {"kind": "both", "text_lacks": []}, "window": {"quiet": "2h", "max": "1h"}},
            {"match": DIRECT, "window": {"at": ["6 pm", "18:00"], "days": "sun-thr", "zone": "?"}},
            {"window": {"every": "1h", "hours": {"from": "09:00", "days": "weekend"}}},
        ],
        "first": "now",
    }

    assert faults_of(wrong) == [
        ("window.first", "not_beside_rules"),
        ("window.rules[0].match.kind", "not_one_of"),
        ("window.rules[0].match.text_lacks", "empty"),
        ("window.rules[0].window.max", "max_below_quiet"),
        ("window.rules[1].window.at[0]", "no_time_of_day"),
        ("window.rules[1].window.days", "no_day"),
        ("window.rules[1].window.zone", "no_zone"),
        ("window.rules[2].match", "missing"),
        ("window.rules[2].window.hours.to", "missing"),
        ("window.rules[2].window.hours.days", "no_day"),
        ("window.else", "no_else"),
    ]


def test_so_many_faults_are_listed_and_no_more() -> None:
    faults = faults_of({"every": "1h", **{str(number): 1 for number in range(1_000)}})

    assert len(faults) == limits.FAULTS_LISTED_MAX + 1
    assert faults[-1] == ("", "too_many_faults")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("1h", 'is only a length; write {"every": "1h"}'),
        ("hourly", 'must be "none" or an object, as {"every": "1h"}; is \'hourly\''),
        ({"quiet": "10m", "max": "5m"}, "must be 10m or longer, as quiet is; is '5m'"),
        ({"every": "1h", "max": "2h"}, "is only taken beside quiet"),
        (
            {"every": 60},
            'must be whole seconds, minutes or hours from 1s to 24h, as "10m"; is 60',
        ),
        (
            {"at": ["18:00"], "days": "mon-fry"},
            "has 'fry', which is no day; write mon, tue, wed, thu, fri, sat or sun, ranges as "
            "sun-thu, and commas between",
        ),
        (
            {"at": ["18:00"], "zone": "Tel Aviv"},
            "'Tel Aviv' is not the name of an IANA time zone; did you mean 'Asia/Tel_Aviv'?",
        ),
    ],
)
def test_a_fault_says_what_would_be_right(value: Any, says: str) -> None:
    assert [fault.detail for fault in refused(value)] == [says]
