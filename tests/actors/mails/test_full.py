"""The e-mail about a full webhook: each reason, what makes room, and no word of a tenant first."""

import re

import pytest

from hookbundle.actors.mails.full import REASONS
from hookbundle.actors.mails.text import Letterhead, compose
from hookbundle.engine.error_codes import Code
from hookbundle.server.console import catalogues
from hookbundle.storage.database.mail_records import Disabling, Mail
from hookbundle.storage.tables.routing.fullness import DETAILS

HEAD = Letterhead("hookbundle@mail.example", "", "epoch", catalogues.translations_of)
SENTENCE = re.compile(r"[A-Za-z]{2,},? [A-Za-z]{2,},? [A-Za-z]{2,}")


def text_of(reason: str, language: str, total: int = 1) -> str:
    full = Disabling("crm", 1_700_000_000_000, "crm.example", reason, 3, 2)
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
