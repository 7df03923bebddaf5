"""The e-mail about a full webhook: each reason, what makes room, and no word of a tenant first."""

import re

import pytest

from hookbundle.actors.mails.full import REASONS, SWITCHED_OFF
from hookbundle.actors.mails.text import Letterhead, compose
from hookbundle.engine.error_codes import Code
from hookbundle.server.console import catalogues
from hookbundle.storage.database.mail_records import Disabling, Mail
from hookbundle.storage.tables.routing.fullness import DETAILS

HEAD = Letterhead("hookbundle@mail.example", "", "epoch", catalogues.translations_of)
WAITING = Code.WAITING_FULL.value
SENTENCE = re.compile(r"[A-Za-z]{2,},? [A-Za-z]{2,},? [A-Za-z]{2,}")


def text_of(reason: str, language: str, total: int = 1, disabled_by: str = "") -> str:
    full = Disabling("crm", 1_700_000_000_000, "crm.example", reason, 3, 2, disabled_by=disabled_by)
    mail = Mail(
        number=1,
        workspace=1,
        to="o@acme.example",
        created_ms=1,
        workspace_id="acme",
        workspace_name="Evil words of a tenant",
        kind="full",
        disablings=(full,),
        total=total,
        language=language,
    )
    message = compose(mail, HEAD)
    assert "Evil" not in str(message["Subject"])
    text = str(message.get_content()).replace("\u200f", "")
    return " ".join(text.split())


@pytest.mark.parametrize("reason", DETAILS)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_each_reason_has_its_words_in_each_language(reason: Code, language: str) -> None:
    words = catalogues.translations_of(language)

    text = text_of(reason, language)

    for said in REASONS[reason]:
        assert words.gettext(said) in text
    ours = text.partition("Evil")[0]
    assert language == "en" or not SENTENCE.search(ours.replace("hookbundle", ""))


def test_what_is_not_listed_is_counted() -> None:
    assert "and 2 earlier, which are not listed." in text_of("held_full", "en", total=3)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("by", SWITCHED_OFF)
def test_what_makes_room_depends_on_who_switched_it_off(by: str, language: str) -> None:
    """Only where errors did is there a receiver to repair; of too many chats neither is said."""
    words = catalogues.translations_of(language)

    held, waiting = (text_of(each, language, disabled_by=by) for each in ("held_full", WAITING))
    chats = text_of("chats_full", language, disabled_by=by)

    (other,) = set(SWITCHED_OFF) - {by}
    for text in (held, waiting):
        assert words.gettext(SWITCHED_OFF[by]) in text
        assert words.gettext(SWITCHED_OFF[other]) not in text
    assert words.gettext(REASONS[Code.CHATS_FULL][1]) in chats
    assert language == "ar" or ("Repair" in held) == (by == "errors")
