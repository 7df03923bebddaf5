"""The settings of a source, as somebody wrote them."""

from typing import Any

import pytest

from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.sources import settings
from hookbundle.engine.sources.kinds import KINDS

FIELDS = {"message_id": "id", "chat_id": "chat", "text": "text"}


def faults_of(kind: str, value: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        settings.parse(kind, value)
    return [(fault.path, fault.code) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("kind", "value", "path", "code"),
    [
        ("waha", [], "settings", "not_an_object"),
        ("waha", {"hmac_kee": "x"}, "settings.hmac_kee", "misspelt_field"),
        ("waha", {"app_secret": "x"}, "settings.app_secret", "unknown_field"),
        ("waha", {"hmac_key": ""}, "settings.hmac_key", "empty"),
        ("waha", {"hmac_key": 5}, "settings.hmac_key", "not_text_or_number"),
        ("waha", {"hmac_key": ["a", "b", "c"]}, "settings.hmac_key", "too_many_entries"),
        ("waha", {"hmac_key": ["a", ""]}, "settings.hmac_key[1]", "empty"),
        ("waha", {"account": {"fullname": "N"}}, "settings.account.fullname", "misspelt_field"),
        ("waha", {"account": {"phone": 5}}, "settings.account.phone", "not_text"),
        ("waha", {"chat_id": "{account}"}, "settings.chat_id", "not_one_of"),
        (
            "waha",
            {"chat_url": "https://a.example/{chat}"},
            "settings.chat_url",
            "unknown_placeholder",
        ),
        ("waha", {"chat_url": "https://a.example/{"}, "settings.chat_url", "unknown_placeholder"),
        ("waha", {"chat_url": "a.example/{chat_id}"}, "settings.chat_url", "url_unreadable"),
        ("waha", {"fold_numbers": "yes"}, "settings.fold_numbers", "not_true_or_false"),
        ("waha", {"accept": {"group": False}}, "settings.accept.group", "misspelt_field"),
        ("whapi", {"header": {"name": "x y", "value": "v"}}, "settings.header.name", "no_id"),
        ("whapi", {"header": {"name": "x"}}, "settings.header.value", "missing"),
        (
            "whapi",
            {"header": {"name": "x", "value": "a\nb"}},
            "settings.header.value",
            "not_one_line",
        ),
        ("meta", {"numbers": {"1": {"mail": "x"}}}, "settings.numbers.1.mail", "misspelt_field"),
        ("twilio", {"public_url": "hooks.example"}, "settings.public_url", "url_unreadable"),
        ("generic", {}, "settings.fields", "missing"),
        ("generic", {"fields": {**FIELDS, "text": " "}}, "settings.fields.text", "empty"),
        ("generic", {"fields": {**FIELDS, "text": "a..b"}}, "settings.fields.text", "not_a_path"),
        ("generic", {"fields": {**FIELDS, "text": "len(a)"}}, "settings.fields.text", "not_a_path"),
        (
            "generic",
            {"fields": {**FIELDS, "text": "a[].b[]"}},
            "settings.fields.text",
            "not_a_path",
        ),
        (
            "generic",
            {"fields": {**FIELDS, "message_id": "a[].id", "text": "b[].text"}},
            "settings.fields.text",
            "several_lists",
        ),
    ],
)
def test_a_fault_has_its_path_and_its_code(kind: str, value: Any, path: str, code: str) -> None:
    assert (path, code) in faults_of(kind, value)


def test_all_faults_are_found_at_once() -> None:
    value = {"hmac_key": 5, "chat_url": "x", "nmae": 1, "accept": {"groups": "no"}}

    assert {path for path, _ in faults_of("waha", value)} == {
        "settings.hmac_key",
        "settings.chat_url",
        "settings.nmae",
        "settings.accept.groups",
    }


def test_no_secret_is_shown() -> None:
    said = {name: f"hush-{name}" for name in settings.SECRETS}
    for kind in KINDS:
        own = {name: value for name, value in said.items() if name in settings.FIELDS[kind]}
        header = {"header": {"name": "X-Own", "value": ["hush-1", "hush-2"]}}
        fields = {"fields": FIELDS} if kind == "generic" else {}

        shown = settings.shown(settings.parse(kind, {**own, **header, **fields}))

        assert "hush" not in str(shown)
        assert shown["header"] == {"name": "x-own", "value": {"set": True}}
        for name in own:
            assert shown[name] == {"set": True}


def test_a_change_leaves_what_it_does_not_name_and_null_takes_away() -> None:
    first = settings.parse(
        "waha", {"hmac_key": "key", "fold_numbers": True, "account": {"full_name": "Nadia"}}
    )

    second = settings.parse("waha", {"account": {"phone": "+1"}, "fold_numbers": None}, first)

    assert second.hmac_key == "key"
    assert second.fold_numbers is False
    assert second.account == settings.AccountSettings(phone="+1")


def test_what_is_stored_is_what_was_set() -> None:
    said = {
        "hmac_key": ["new", "old"],
        "chat_url": "https://a.example/{chat_id}?p={phone}&a={account}",
        "numbers": {"one": {"full_name": "Tom"}},
        "accept": {"groups": False},
        "header": {"name": "x", "value": "v"},
    }
    parsed = settings.parse("waha", said)

    assert settings.stored(settings.written(parsed)) == parsed


def test_every_kind_has_its_settings_and_a_name_for_people() -> None:
    assert set(KINDS) == set(settings.FIELDS)
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS)
