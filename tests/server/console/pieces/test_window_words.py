"""Windows in Arabic, with its plurals, and texts from outside isolated."""

from typing import Any

import pytest

from hookbundle.engine.windows import in_words
from hookbundle.server.console.catalogues import ARABIC, translations
from hookbundle.server.console.wording import Phrases

ARABIC_WORDS = Phrases(translations(ARABIC))


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ("none", "كل رسالة فورًا"),
        ({"every": "1h"}, "كل ساعة"),
        ({"every": "2h"}, "كل ساعتين"),
        ({"every": "6h"}, "كل 6 ساعات"),
        ({"every": "90m"}, "كل 90 دقيقة"),
        ({"every": "100m"}, "كل 100 دقيقة"),
        ({"every": "103s"}, "كل 103 ثوانٍ"),
        (
            {"quiet": "2m", "max": "11h"},
            "عندما تهدأ المحادثة لمدة دقيقتين، وبعد 11 ساعة على الأكثر",
        ),
        (
            {"at": ["18:00"], "days": "sun-thu"},
            'من الأحد إلى الخميس عند <bdi dir="ltr">18:00</bdi>',
        ),
    ],
)
def test_arabic_says_each_rule_in_its_forms(window: Any, said: str) -> None:
    assert in_words.sentence(window, ARABIC_WORDS) == said


def test_a_label_is_shown_as_a_text_from_outside() -> None:
    rules = [{"match": {"labels": "<b>vip"}, "window": "none"}]

    said = in_words.sentence({"rules": rules, "else": {"every": "1h"}}, ARABIC_WORDS)

    assert "<bdi>&lt;b&gt;vip</bdi> ← كل رسالة فورًا" in said
    assert said.endswith("كل ما عدا ذلك ← كل ساعة")
