"""What somebody wants to count as delivered: as it is stored, or every fault at its path."""

from typing import Any

import msgspec
import pytest

from hookbundle.engine.delivery.answers import lines, proposals, wanted
from hookbundle.engine.delivery.answers.proposals import Proposal
from hookbundle.engine.delivery.success import success_of
from hookbundle.engine.errors import Fault

RULE: dict[str, Any] = {"pointer": "/ok", "equals": True}


@pytest.mark.parametrize(
    ("value", "stored", "shown"),
    [
        ("200", "200", "200"),
        ("2xx", "2xx", "2xx"),
        ([200], "200", "200"),
        ([409, 201, 200], "200,201,409", [200, 201, 409]),
        (list(range(200, 300)), "2xx", "2xx"),
    ],
)
def test_statuses_are_stored_as_text_and_shown_as_they_may_be_wanted(
    value: object, stored: str, shown: object
) -> None:
    faults: list[Fault] = []

    assert wanted.success("success", value, faults) == stored
    assert (wanted.shown(stored), faults) == (shown, [])


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ("200,201", [("success", "no_success")]),
        (200, [("success", "no_success")]),
        (None, [("success", "no_success")]),
        ({}, [("success", "no_success")]),
        ([], [("success", "empty")]),
        ([200, 200], [("success[1]", "given_twice")]),
        ([True, 200.0, "200"], [(f"success[{n}]", "no_success_status") for n in range(3)]),
        ([199, 300, 404, 410], [(f"success[{n}]", "no_success_status") for n in range(3)]),
    ],
)
def test_every_fault_of_statuses(value: object, faults: list[tuple[str, str]]) -> None:
    found: list[Fault] = []
    wanted.success("success", value, found)

    assert [(each.path, each.code) for each in found] == faults


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ({}, [("r", "not_an_array")]),
        ([RULE] * 4, [("r", "too_many_entries")]),
        (["/ok"], [("r[0]", "not_an_object")]),
        ([{}], [("r[0].pointer", "missing"), ("r[0]", "no_test")]),
        ([{**RULE, "exists": True}], [("r[0]", "no_test")]),
        ([{"pointer": "ok", "exists": True}], [("r[0].pointer", "no_pointer")]),
        ([{"pointer": "/~2", "exists": True}], [("r[0].pointer", "no_pointer")]),
        ([{"pointer": 1, "exists": True}], [("r[0].pointer", "not_text")]),
        ([{"pointer": "/a\n", "exists": True}], [("r[0].pointer", "not_one_line")]),
        ([{"pointer": "/" + "a" * 256, "exists": True}], [("r[0].pointer", "too_long")]),
        ([{"pointer": "/a", "exists": False}], [("r[0].exists", "not_one_of")]),
        ([{"pointer": "/a", "absent": 1}], [("r[0].absent", "not_one_of")]),
        ([{"pointer": "", "absent": True}], [("r[0].absent", "never_met")]),
        ([{"pointer": "/a", "equals": [1]}], [("r[0].equals", "not_a_scalar")]),
        ([{"pointer": "/a", "equals": "x" * 257}], [("r[0].equals", "too_long")]),
        ([{"pointer": "/a", "equals": 2**63}], [("r[0].equals", "number_too_large")]),
        ([{**RULE, "else": "unknown"}], [("r[0].else", "not_one_of")]),
        ([{**RULE, "elze": "failed"}], [("r[0].elze", "misspelt_field")]),
    ],
)
def test_every_fault_of_rules(value: object, faults: list[tuple[str, str]]) -> None:
    found: list[Fault] = []
    wanted.rules("r", value, found)

    assert [(each.path, each.code) for each in found] == faults


def test_rules_are_stored_in_one_form_and_can_be_sent_as_they_are_shown() -> None:
    faults: list[Fault] = []
    stored = wanted.rules("r", [{"else": "failed", "equals": True, "pointer": "/ok"}], faults)

    assert (msgspec.json.decode(stored), faults) == ([RULE], [])
    assert wanted.rules("r", wanted.shown_rules(stored), faults) == stored
    assert wanted.rules("r", None, faults) == wanted.rules("r", [], faults) == b""


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("/ok equals true", RULE),
        (
            '  /s  equals  "a b" else rejected ',
            {"pointer": "/s", "equals": "a b", "else": "rejected"},
        ),
        ("/errors absent", {"pointer": "/errors", "absent": True}),
        ('"" exists', {"pointer": "", "exists": True}),
        ("/a b exists", {"pointer": "/a b", "exists": True}),
        *((wrong, None) for wrong in ("", "/ok", "/ok equals", "/ok equals yes", "/ok is true")),
    ],
)
def test_a_rule_as_a_line(line: str, rule: dict[str, Any] | None) -> None:
    found = lines.rule_of(line, "r")

    if rule is None:
        assert isinstance(found, Fault)
        assert found.code == "no_rule_line"
    else:
        assert found == rule == lines.rule_of(lines.line_of(rule), "r")


@pytest.mark.parametrize(
    ("status", "body", "stored", "proposal"),
    [
        (201, b"", "200", Proposal(201, "2xx")),
        (204, b"", "200,202", Proposal(204, "200,202,204")),
        (200, b'{"ok": false}', "200", Proposal(200, "", RULE)),
        (201, b'{"ok": false}', "200", Proposal(201, "2xx", RULE)),
        (200, b'{"success":false}', "2xx", Proposal(200, "", {**RULE, "pointer": "/success"})),
        (200, b'{"errors":[1]}', "2xx", Proposal(200, "", {"pointer": "/errors", "absent": True})),
        *((200, body, "200", None) for body in (b"", b"ok", b'{"errors":[]}', b'{"ok":0}', b"[]")),
        *((status, b'{"ok": false}', "200", None) for status in (302, 404, 409, 500)),
    ],
)
def test_only_what_is_beyond_doubt_is_proposed(
    status: int, body: bytes, stored: str, proposal: Proposal | None
) -> None:
    assert proposals.of_answer(status, body, success_of(stored)) == proposal
