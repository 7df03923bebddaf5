"""What is too large is cut: the longest texts first, at whole characters, with a mark."""

import msgspec
import pytest

from hookbundle.engine.formats.cutting import boundary, cut
from hookbundle.engine.formats.jobs import Rendered, Why
from hookbundle.tests.engine.formats.jobs import bundle, message, outcome, refused


def cut_to(template: object, body: bytes, most: int) -> Rendered:
    made = outcome(template, body, bytes_max=most)
    assert isinstance(made, Rendered), made
    assert len(made.body) <= most
    return made


def test_what_fits_is_not_touched() -> None:
    body = bundle([message("x" * 500)])
    whole = outcome({"a": "{{ messages | text }}"}, body)
    assert isinstance(whole, Rendered)

    assert cut_to({"a": "{{ messages | text }}"}, body, len(whole.body)) == whole
    assert cut_to({"a": "{{ messages | text }}"}, body, len(whole.body) - 1).cut == 1


def test_the_longest_text_is_cut_with_a_mark_and_the_others_are_whole() -> None:
    body = bundle([message("short"), message("x" * 5_000), message("y" * 400)])
    template = {"$each": "messages", "as": "m", "do": "{{ m.text }}"}

    made = cut_to(template, body, 2_000)

    short, long, other = msgspec.json.decode(made.body)
    assert (short, other, made.cut) == ("short", "y" * 400, 1)
    kept, _, mark = long.partition("… (")
    assert mark == f"{5_000 - len(kept)} characters more)"
    assert len(made.body) > 1_900


def test_most_of_the_room_is_used() -> None:
    body = bundle([message(letter * 3_000, at) for at, letter in enumerate('aא"<')])

    for most in (1_000, 3_000, 9_000):
        made = cut_to({"html": "{{ messages | html }}"}, body, most)
        assert len(made.body) > 0.9 * most


def test_html_stays_whole() -> None:
    body = bundle([message("<&>" * 2_000)])

    made = cut_to({"html": "{{ aggregation }}"}, body, 1_500)

    html = msgspec.json.decode(made.body)["html"]
    assert html.endswith("here</a> to open the conversation in the inbox")
    assert html.count("<br/>") == 1
    assert html.count("&") == html.count(";")


def test_json_within_a_text_stays_whole() -> None:
    body = bundle([message('"\\' * 3_000)])

    made = cut_to({"json": "{{ messages | json }}"}, body, 2_000)

    [inner] = msgspec.json.decode(msgspec.json.decode(made.body)["json"])
    assert inner["text"].endswith("characters more)")


def test_what_does_not_fit_without_any_text_can_not_be_rendered() -> None:
    body = bundle([message("x" * 40)] * 200)

    made = refused({"all": "{{ messages | text }}"}, body, bytes_max=2_000)

    assert made.code is Why.SIZE
    assert not made.is_past_limit


def test_a_text_that_would_not_get_shorter_is_left_whole() -> None:
    assert cut("x" * 50, 10) == "x" * 50
    assert cut("x" * 51, 10) == "x" * 10 + "… (41 characters more)"


@pytest.mark.parametrize(
    "one",
    ["👍🏽", "👨‍👩‍👧‍👦", "🇮🇱", "é", "❤️", "🏴\U000e0067\U000e0062\U000e007f"],
)
def test_what_is_one_character_to_people_is_not_cut_apart(one: str) -> None:
    text = f"ab{one}cd"

    for at in range(len(text)):
        kept = text[: boundary(text, at)]
        assert kept in ("", "a", "ab", f"ab{one}", f"ab{one}c")
