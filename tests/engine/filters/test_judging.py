"""Which messages a filter keeps, and which condition is named when it does not."""

from typing import Any

import pytest

from hookbundle.engine.filters.parsing import parse
from hookbundle.engine.filters.verdicts import SENTENCES, FilterCode
from hookbundle.tests.engine.filters.known import subject

NFC, NFD = "caf\u00e9", "cafe\u0301"
ANN = "ann@acme.com"


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        ({}, {}),
        (None, {}),
        ({"direction": "received"}, {}),
        ({"direction": ["sent", "received"]}, {}),
        ({"kind": "direct"}, {}),
        ({"kind": "group"}, {"is_group": True}),
        ({"is_new_chat": True}, {"is_new_chat": True}),
        ({"is_new_chat": [True, False]}, {}),
        ({"chat_ids": "10010001"}, {}),
        ({"chat_ids": ["7", "10010001"]}, {}),
        ({"account": "+972500000000"}, {}),
        ({"account": "972500000000"}, {}),
        ({"account": "00972 50-000-0000"}, {}),
        ({"account": ["1", "+972 (50) 0000000"]}, {}),
        ({"account": "+1 555 0100"}, {"account": "15550100"}),
        ({"responsible": "ANN@acme.com"}, {"responsible_email": ANN}),
        ({"responsible": ["bob@acme.com", ANN]}, {"responsible_email": " Ann@Acme.Com "}),
        ({"labels": "vip"}, {"labels": ["VIP", "new"]}),
        ({"labels": ["old", "new"]}, {"labels": ["vip", "new"]}),
        ({"labels": {"any": ["new"]}}, {"labels": ["vip", "new"]}),
        ({"labels": {"all": ["new", "vip"]}}, {"labels": ["vip", "x", "new"]}),
        ({"labels": {"none": ["spam"]}}, {"labels": ["vip"]}),
        ({"labels": {"none": "spam"}}, {}),
        ({"labels": {"any": NFC}}, {"labels": [NFD]}),
        ({"labels": {"any": "a", "all": "b", "none": "c"}}, {"labels": ["a", "b"]}),
        ({"text_contains": "much"}, {}),
        ({"text_contains": "MUCH IS"}, {}),
        ({"text_contains": ["price", "much"]}, {}),
        ({"text_contains": "STRASSE"}, {"text": "in der Straße"}),
        ({"text_contains": NFC}, {"text": f"un {NFD}!"}),
        ({"text_contains": "فاتورة"}, {"text": "أين الفاتورة؟"}),
        ({"text_lacks": ["price", "cost"]}, {}),
        ({"any": [{"direction": "sent"}, {"kind": "direct"}]}, {}),
        ({"direction": "received", "any": [{"text_contains": "much"}]}, {}),
    ],
)
def test_a_message_that_is_as_wanted_is_kept(wanted: Any, known: dict[str, Any]) -> None:
    assert parse(wanted).failed(subject(**known)) is None


@pytest.mark.parametrize(
    ("wanted", "known", "path", "code"),
    [
        ({"direction": "sent"}, {}, "direction", "direction"),
        ({"kind": "group"}, {}, "kind", "kind"),
        ({"is_new_chat": True}, {}, "is_new_chat", "is_new_chat"),
        ({"chat_ids": ["1001000"]}, {}, "chat_ids", "chat_ids"),
        ({"account": "+97250000000"}, {}, "account", "account"),
        ({"responsible": ANN}, {"responsible_email": "bob@acme.com"}, "responsible", "responsible"),
        ({"labels": "vip"}, {"labels": ["vips"]}, "labels.any", "labels_any"),
        ({"labels": {"all": ["a", "b"]}}, {"labels": ["a"]}, "labels.all", "labels_all"),
        ({"labels": {"none": ["a", "b"]}}, {"labels": ["B"]}, "labels.none", "labels_none"),
        ({"text_contains": ["price"]}, {}, "text_contains", "text_contains"),
        ({"text_contains": "e"}, {"text": NFC[3]}, "text_contains", "text_contains"),
        ({"text_lacks": ["price", "MUCH"]}, {}, "text_lacks", "text_lacks"),
        ({"any": [{"direction": "sent"}, {"kind": "group"}]}, {}, "any", "any"),
        # an AND: one that holds does not help another one that does not
        ({"direction": "received", "kind": "group"}, {}, "kind", "kind"),
        ({"text_contains": "much", "text_lacks": "is it"}, {}, "text_lacks", "text_lacks"),
        ({"direction": "sent", "any": [{"kind": "direct"}]}, {}, "direction", "direction"),
        ({"any": [{"kind": "direct", "direction": "sent"}]}, {}, "any", "any"),
    ],
)
def test_a_dropped_message_names_the_first_condition_that_fails(
    wanted: Any, known: dict[str, Any], path: str, code: str
) -> None:
    assert parse(wanted).failed(subject(**known)) == (path, FilterCode(code))


@pytest.mark.parametrize(
    ("wanted", "known"),
    [
        ({"account": "1"}, {"account": ""}),
        ({"account": "1"}, {"account": None}),
        ({"account": "1"}, {"account": "no phone"}),
        ({"account": "1"}, {"account": "1" * 33}),
        ({"responsible": ANN}, {}),
        ({"responsible": ANN}, {"responsible_email": None}),
        ({"labels": "vip"}, {}),
        ({"labels": {"all": ["vip"]}}, {"labels": []}),
        ({"labels": "vip"}, {"labels": None}),
    ],
)
def test_what_is_empty_matches_nothing(wanted: Any, known: dict[str, Any]) -> None:
    assert not parse(wanted).keeps(subject(**known))


def test_conditions_of_several_webhooks_look_at_a_text_once() -> None:
    one = subject(text="A word")

    assert one.has("word")
    assert one.has("word")
    assert not one.has("other")
    assert one._found == {"word": True, "other": False}


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(FilterCode)
