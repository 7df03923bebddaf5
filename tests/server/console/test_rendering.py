"""Texts from outside on a page: what they may cost."""

from hookbundle.server.console.isolating import MARKS_MAX, shown


def test_what_cant_be_seen_is_shown_by_its_number() -> None:
    assert shown("a\u202eb") == 'a<span class="unseen">U+202E</span>b'


def test_a_text_full_of_what_cant_be_seen_ends_early() -> None:
    text = "a\u200b" * 128 * 1024

    written = shown(text)

    assert written.count("unseen") == MARKS_MAX
    assert written.endswith("…")
    assert len(written) < 100_000
