"""What a tenant chose in a mail: short, last, and no link."""

import re

import pytest

from hookbundle.actors.mails.text import Letterhead, compose, defused
from hookbundle.engine.error_codes import QUOTED_CHARS_MAX
from hookbundle.server.console import catalogues
from hookbundle.storage.database.mail_records import Disabling, Mail

# As mail programs find links: a scheme, `www.`, a domain with or without a path, an address.
LINKS = re.compile(
    r"\w+://|\bwww\.|\bmailto:|[\w-]+[.\u3002\uff0e\uff61][a-z]{2,}\b|\S+[@\uff20]\S+",
    re.IGNORECASE,
)
HEAD = Letterhead(
    "hookbundle@mail.example", "https://console.example", "epoch", catalogues.translations_of
)
PHISHING = (
    "https://evil.example/pay",
    "Your account is locked, go to www.evil.example/login now",
    "evil.example/…",
    "write to help@evil.example",
    "mailto:help@evil.example",
    "evil\u3002example evil\uff0eexample a\uff20evil.example",
    "javascript:alert(1) tel:+1900555",
    "xn--evil-9ta.example",
)


@pytest.mark.parametrize("words", PHISHING)
def test_no_link_is_left_in_a_tenant_s_words(words: str) -> None:
    assert LINKS.search(words) or ":" in words
    assert not LINKS.search(defused(words)), defused(words)
    assert not re.search(r":\S", defused(words).replace("[:]", ""))


def test_names_stay_readable() -> None:
    assert defused("Acme Inc. (Berlin)") == "Acme Inc. (Berlin)"
    assert defused("hooks.zapier.com") == "hooks[.]zapier[.]com"
    assert defused("שלום \u202eabc\r\nBcc: x") == "שלום abc Bcc: x"


def test_what_is_written_for_dots_counts_as_characters() -> None:
    assert len(defused("a.b" * 99)) == QUOTED_CHARS_MAX


def test_a_tenant_s_words_are_short_and_last() -> None:
    disabling = Disabling("outbound", 1_700_000_000_000, "h" * 253, "timeout " * 99, 3, 2)
    mail = Mail(
        number=1,
        workspace=1,
        to="o@acme.example",
        created_ms=1_700_000_000_000,
        workspace_id="acme",
        workspace_name="N" * 1_024,
        kind="disabled",
        disablings=(disabling,),
    )

    message = compose(mail, HEAD)

    text = str(message.get_content())
    ours, theirs = text.split("--- What follows", 1)
    assert "N" * 3 not in ours + message["Subject"]
    assert "hhh" not in ours
    assert "N" * (QUOTED_CHARS_MAX - 1) + "…" in theirs
    assert "N" * QUOTED_CHARS_MAX not in theirs
    assert all(len(line) < 220 for line in theirs.splitlines())
    assert "https://console.example/console/w/acme/outbound\n" in ours


def test_a_name_written_from_the_right_turns_nothing_around_it_in_an_english_mail() -> None:
    disabling = Disabling("outbound", 1, "a.example", "timeout", 3, 2)
    mail = Mail(1, 1, "o@acme.example", 1, "acme", "متجر", kind="disabled", disablings=(disabling,))

    text = str(compose(mail, HEAD).get_content())

    assert "Name of the workspace: \u2068متجر\u2069\n" in text
    assert "host a[.]example;" in text


def test_a_mail_that_says_more_is_another_mail() -> None:
    disabling = Disabling("outbound", 1, "a.example", "timeout", 3, 2)
    mail = Mail(1, 1, "o@acme.example", 1, "acme", "", kind="disabled", disablings=(disabling,))
    first = compose(mail, HEAD)["Message-ID"]
    again = compose(mail, HEAD)["Message-ID"]
    mail.disablings, mail.total = (disabling, disabling), 2
    more = compose(mail, HEAD)["Message-ID"]
    mail.disablings, mail.told, mail.total = (disabling,), 2, 1
    rest = compose(mail, HEAD)["Message-ID"]

    assert first == again
    assert len({first, more, rest}) == 3


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_warning_says_how_many_errors_are_left_and_how_to_stop_it(language: str) -> None:
    warned = Disabling("crm", 1, "a.example", "http: 500 x", 3, 2, errors=10, errors_max=10)
    mail = Mail(
        1,
        1,
        "o@acme.example",
        1,
        "acme",
        "Acme",
        kind="warning",
        disablings=(warned,),
        language=language,
    )

    message = compose(mail, HEAD)

    text = str(message.get_content())
    assert "<warning-" in message["Message-ID"]
    assert "warnings" in text
    assert text.index("crm") < text.index("a[.]example")
    if language == "en":
        assert message["Subject"] == "A webhook is about to be disabled (workspace acme)"
        assert "After 1 more error in a row it is disabled" in text
        assert "was disabled" not in text
