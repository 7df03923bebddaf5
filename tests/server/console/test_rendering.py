"""Texts from outside on a page: what they may cost."""

from hookbundle.server.console.isolating import MARKS_MAX, bdi, shown


def test_what_cant_be_seen_is_shown_by_its_number() -> None:
    assert shown("a\u202eb") == 'a<span class="unseen">U+202E</span>b'


def test_a_text_full_of_what_cant_be_seen_ends_early() -> None:
    text = "a\u200b" * 128 * 1024

    written = shown(text)

    assert written.count("unseen") == MARKS_MAX
    assert written.endswith("…")
    assert len(written) < 100_000


def test_a_phone_keeps_its_order_among_arabic_words() -> None:
    assert bdi("+972 54-000") == '<bdi dir="ltr">+972 54-000</bdi>'
    assert bdi("Maria +1") == "<bdi>Maria +1</bdi>"
    assert bdi("+1 سامي") == "<bdi>+1 سامي</bdi>"
