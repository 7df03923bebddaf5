"""Any filter judges any message as a second, naive reading of the contract does."""

import unicodedata
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hookbundle.engine.filters.compiled import compiled
from hookbundle.engine.filters.parsing import parse, written
from hookbundle.engine.messages.message import Incoming
from hookbundle.tests.engine.filters.known import message, subject_of

WORDS = st.sampled_from(["a", "B", "ab", "Straße", "ss", "é", "e\u0301", "e", "İ", "فا"])
PHONES = st.sampled_from(["+972 50", "97250", "0097250", "1", "972-5"])
MAILS = st.sampled_from(["ann@acme.com", "ANN@acme.com", "bob@acme.com"])
LABELS = st.sampled_from(["vip", "VIP", " vip", "new", "e\u0301", "é"])
IDS = st.sampled_from(["1", "2", "A", "a"])


def one_or_list(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return values | st.lists(values, min_size=1, max_size=3)


FIELDS = {
    "direction": one_or_list(st.sampled_from(["received", "sent"])),
    "kind": one_or_list(st.sampled_from(["direct", "group"])),
    "account": one_or_list(PHONES),
    "responsible": one_or_list(MAILS),
    "labels": one_or_list(LABELS)
    | st.fixed_dictionaries(
        {}, optional={name: one_or_list(LABELS) for name in ("any", "all", "none")}
    ).filter(bool),
    "is_new_chat": one_or_list(st.booleans()),
    "text_contains": one_or_list(WORDS),
    "text_lacks": one_or_list(WORDS),
    "chat_ids": one_or_list(IDS),
}
GROUPS = st.fixed_dictionaries({}, optional=FIELDS)
FILTERS = st.builds(
    lambda group, groups: {**group, **({"any": groups} if groups else {})},
    GROUPS,
    st.lists(GROUPS.filter(bool), max_size=3),
)
MESSAGES = st.fixed_dictionaries(
    {
        "text": st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
        "direction": st.sampled_from(["received", "sent"]),
        "account": st.none() | st.just("") | PHONES,
        "chat_id": IDS,
        "is_group": st.booleans(),
        "is_new_chat": st.booleans(),
    },
    optional={
        "responsible_email": st.none() | st.just("") | MAILS,
        "labels": st.none() | st.lists(LABELS, max_size=3),
    },
)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def fold(text: str | None) -> str:
    composed = unicodedata.normalize("NFC", (text or "").strip())
    return unicodedata.normalize("NFC", composed.casefold())


def phone(text: str | None) -> str:
    digits = "".join(each for each in text or "" if each in "0123456789")
    return digits[2:] if digits.startswith("00") else digits


def naive_group(group: dict[str, Any], known: dict[str, Any]) -> bool:
    for name, value in group.items():
        values = listed(value)
        labels = {fold(each) for each in known.get("labels") or []}
        match name:
            case "direction":
                fits = known["direction"] in values
            case "kind":
                fits = ("group" if known["is_group"] else "direct") in values
            case "is_new_chat":
                fits = known["is_new_chat"] in values
            case "chat_ids":
                fits = known["chat_id"] in values
            case "account":
                mine = phone(known["account"])
                fits = mine != "" and mine in [phone(each) for each in values]
            case "responsible":
                mine = fold(known.get("responsible_email"))
                fits = mine != "" and mine in [fold(each) for each in values]
            case "text_contains":
                fits = any(fold(word) in fold(known["text"]) for word in values)
            case "text_lacks":
                fits = not any(fold(word) in fold(known["text"]) for word in values)
            case "labels":
                parts = value if isinstance(value, dict) else {"any": value}
                wanted = {key: {fold(one) for one in listed(parts[key])} for key in parts}
                fits = (
                    ("any" not in wanted or bool(wanted["any"] & labels))
                    and wanted.get("all", set()) <= labels
                    and not wanted.get("none", set()) & labels
                )
            case _:
                raise AssertionError(name)
        if not fits:
            return False
    return True


def naive(value: dict[str, Any], known: dict[str, Any]) -> bool:
    conditions = {name: each for name, each in value.items() if name != "any"}
    groups = value.get("any", [{}])
    return naive_group(conditions, known) and any(naive_group(each, known) for each in groups)


@settings(max_examples=400, deadline=None)
@given(value=FILTERS, known=MESSAGES)
@example(
    value={},
    known={
        "text": "a",
        "direction": "sent",
        "account": None,
        "chat_id": "1",
        "is_group": True,
        "is_new_chat": False,
    },
)
def test_a_filter_judges_as_the_contract_reads(
    value: dict[str, Any], known: dict[str, Any]
) -> None:
    stored, kept = written(value), message(**known)

    assert isinstance(kept, Incoming)
    verdict = parse(value).keeps(subject_of(kept))
    assert verdict == naive(value, known)
    assert not stored or compiled(stored).keeps(subject_of(kept)) == verdict
