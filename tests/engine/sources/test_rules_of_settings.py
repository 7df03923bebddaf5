"""What the settings of a source change in what comes of it."""

import json

import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.outcomes import (
    Edit,
    Ignored,
    MessageEvent,
    Reason,
)
from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.posting import (
    DIRECT,
    GROUP,
    SENT,
    body_of,
    chat_of,
    outcome_of,
    outcomes_of,
)
from hookbundle.tests.engine.sources.remembering import Remembering


def test_groups_and_sent_messages_can_be_left_out() -> None:
    accept = {"accept": {"groups": False, "sent": False}}

    assert outcome_of("waha", GROUP, accept) == Ignored(Reason.GROUPS_OFF, "message.any")
    assert outcome_of("waha", SENT, accept) == Ignored(Reason.SENT_OFF, "message.any")
    assert isinstance(outcome_of("waha", DIRECT, accept), MessageEvent)


@pytest.mark.parametrize(
    ("kind", "name", "texts"),
    [("evolution", "26-history-set", ["from last year"]), ("meta", "24-history", ["old"])],
)
def test_history_can_be_let_in(kind: str, name: str, texts: list[str]) -> None:
    found = outcomes_of(kind, body_of(kind, name), {"accept": {"history": True}})

    events = [each.event for each in found if isinstance(each, MessageEvent)]
    assert [event.message.text for event in events] == texts
    assert events[0].chat.chat_id == "15550101234"


def test_a_link_to_the_chat_is_filled_in_and_encoded() -> None:
    template = {"chat_url": "https://a.example/{chat_id}?p={phone}&a={account}"}
    in_group = body_of("meta", "16-group-text")
    in_group["entry"][0]["changes"][0]["value"]["messages"][0]["group_id"] = "a/b c"

    direct = chat_of(outcome_of("waha", DIRECT, template)).chat_url
    group = chat_of(outcome_of("meta", in_group, template)).chat_url

    assert direct == "https://a.example/15550101234?p=15550101234&a=15550100200"
    assert group == "https://a.example/a%2Fb%20c?p=&a=15550100200"


def test_a_link_that_would_be_too_long_is_left_out() -> None:
    template = {"chat_url": "https://a.example/" + "x" * 2_020 + "{chat_id}"}

    assert chat_of(outcome_of("waha", DIRECT, template)).chat_url == ""


def test_chats_of_several_numbers_can_be_kept_apart_in_changes_too() -> None:
    apart = {"chat_id": "{account}-{chat}"}

    edit = outcome_of("waha", body_of("waha", "19-wpp-edited"), apart)

    assert isinstance(edit, Edit)
    assert edit.chat_id == "15550100200-15550101234"


def test_an_account_has_the_name_that_is_set_for_its_session() -> None:
    numbers = {"numbers": {"default": {"full_name": "Tom Berg", "phone": "+1"}}}

    outcome = outcome_of("waha", DIRECT, numbers)

    assert isinstance(outcome, MessageEvent)
    assert outcome.event.whatsapp_account.full_name == "Tom Berg"
    assert outcome.event.whatsapp_account.phone == "+15550100200"


def test_two_spellings_of_a_number_can_be_one_chat_and_are_shown_as_they_are() -> None:
    body = json.loads(json.dumps(DIRECT).replace("15550101234", "5511987654321"))

    chat = chat_of(outcome_of("waha", body, {"fold_numbers": True}))

    assert (chat.chat_id, chat.phone) == ("551187654321", "+5511987654321")


def test_chatwoot_has_its_own_links() -> None:
    changes = {"chat_url": None, "base_url": "https://chat.example/"}
    settings_, _ = samples.settings_of("chatwoot")
    settings_ = source_settings.parse("chatwoot", changes, settings_)
    body = json.dumps(body_of("chatwoot", "01-incoming")).encode()

    (outcome,) = samples.translated("chatwoot", settings_, body, Remembering()).outcomes

    url = "https://chat.example/app/accounts/3/conversations/22"
    assert chat_of(outcome).chat_url == url
