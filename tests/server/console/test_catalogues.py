"""The words in both languages: nothing is missing, and nothing is filled in wrongly."""

import ast
import re
from pathlib import Path

import pytest

from hookbundle.actors.mails import text as mails_text
from hookbundle.server.console import catalogues, details, wording
from hookbundle.server.console.catalogues import ARABIC, CONTEXT, ENGLISH, FOLDER
from hookbundle.server.console.pages.sources import fields, outcomes, steps
from hookbundle.server.console.rendering import HERE, environment

MAILS = Path(mails_text.__file__).parent
SAYING = {"said": 1, "gettext": 1, "ngettext": 2}  # how many of the arguments are said
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
# What only programmers can read, and only in English: other languages do without.
LEFT_OUT = {"{error}", "{actor}", "{until_ms}", "{refusal}", "{forms}"}


def asked_for() -> set[str]:
    """What the templates want to say, in the form of a catalogue's keys."""
    found = {*wording.texts(), *details.texts()}
    found |= {*fields.texts(), *outcomes.texts(), *steps.texts()}
    for path in (HERE / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        for _, function, words in environment("en").extract_translations(source):  # type: ignore[attr-defined]
            parts = [words] if isinstance(words, str) else [part for part in words if part]
            context = f"{parts.pop(0)}{CONTEXT}" if "pgettext" in function else ""
            found.add(context + "\0".join(parts))
    return found


def asked_for_in_mails() -> set[str]:
    """The same of the e-mails, which are said by the names of gettext's functions."""
    found = set()
    for path in MAILS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                texts = node.args[: SAYING.get(node.func.id, 0)]
                words = [text.value for text in texts if isinstance(text, ast.Constant)]
                found |= {"\0".join(map(str, words))} if words else set()
    return found


def arabic() -> dict[str, str]:
    return catalogues.entries((FOLDER / "ar.po").read_text(encoding="utf-8"))


def test_arabic_says_all_that_is_said_and_nothing_else() -> None:
    assert set(arabic()) - {""} == asked_for() | asked_for_in_mails()


def test_translations_have_the_places_that_are_filled_in() -> None:
    for key, value in arabic().items():
        if "\0" not in key:
            there = set(PLACE.findall(key))
            assert there - LEFT_OUT <= set(PLACE.findall(value)) <= there, key
        else:
            assert len(value.split("\0")) == 6, key
            assert set(PLACE.findall(value)) <= set(PLACE.findall(key)), key


@pytest.mark.parametrize(
    ("number", "words"),
    [(1, "ساعة واحدة"), (2, "ساعتين"), (3, "3 ساعات"), (11, "11 ساعة"), (103, "103 ساعات")],
)
def test_arabic_counts_in_its_six_ways(number: int, words: str) -> None:
    translations = catalogues.translations(ARABIC)

    said = translations.ngettext("%(num)s hour", "%(num)s hours", number)

    assert said % {"num": number} == words


def test_arabic_has_another_dual_for_a_length_that_stands_alone() -> None:
    translations = catalogues.translations(ARABIC)

    said = translations.npgettext("alone", "%(num)s hour", "%(num)s hours", 2)

    assert said == "ساعتان"


def test_what_a_catalogue_lacks_shows_in_english() -> None:
    assert catalogues.translations(ARABIC).gettext("not translated yet") == "not translated yet"


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("ar", "en", ARABIC),
        (None, "ar-EG,ar;q=0.9,en;q=0.8", ARABIC),
        (None, "fr,he;q=0.5", ENGLISH),
        ("xx", "", ENGLISH),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers(
    chosen: str | None, accepted: str, language: catalogues.Language
) -> None:
    assert catalogues.choose(chosen, accepted) is language


BETTER = {
    "Dead letters": "متوقفة",
    "Retry all dead letters": "إعادة محاولة إرسال كل المتوقفة",
    "Held": "معلّقة",
    "Discard": "استبعاد",
    "Discarded": "مُستبعَد",
    "Held messages": "الرسائل المعلّقة",
    "Send them, in order": "إرسالها بالترتيب",
    "Collecting": "محادثات قيد التجميع",
    "Waiting to retry": "بانتظار إعادة المحاولة",
    "No URL yet": "لم يُحدَّد عنوان URL",
    "Webhook enabled": "تفعيل الـ Webhook",
    "Being sent": "قيد الإرسال",
    "Sealed": "وقت الإغلاق",
    "Successful deliveries": "عمليات تسليم ناجحة",
    "Queued": "في قائمة الانتظار",
    "Oldest queued delivery": "أقدم طلب في الانتظار",
    "Event subscribers": "مشتركو الأحداث",
    "Delay after the due time": "تأخّر الإرسال عن موعده",
    "A delivery succeeds when the receiver answers with": "يُعدّ التسليم ناجحًا عند الرد بالرمز",
    "Signing secret": "مفتاح التوقيع السري",
    "Rotate the secret": "تجديد مفتاح التوقيع",
    "The old secret expires": "صلاحية المفتاح القديم",
    "Access token": "رمز الوصول",
    "This could not be done.": "تعذّر تنفيذ العملية.",
    "The delivery is sent next.": "سيُرسَل الآن قبل غيره.",
    "Page not found": "الصفحة غير موجودة",
    "Not allowed": "ليس لديك صلاحية",
    "Service unavailable": "الخدمة غير متاحة حاليًا",
    "Back to the start page": "العودة إلى الصفحة الرئيسية",
    "Actions": "الإجراءات",
    "Filter by state": "تصفية حسب الحالة",
    "The chart appears here within a minute.": "سيظهر الرسم البياني هنا خلال دقيقة.",
    "Webhooks": "الربط عبر Webhook",
}
LITERAL = ("موضوعة", "الموضوعة", "محتجز", "التخلي", "التغذية", "طابور", "النوافذ", "في مهلة انتظار")


def test_the_words_are_those_that_people_use() -> None:
    words = arabic()

    assert {key: words.get(key) for key in BETTER} == BETTER
    assert not [word for word in LITERAL for value in words.values() if word in value]


def test_a_chosen_length_is_in_the_words_of_the_language() -> None:
    macros = environment("ar").from_string(
        "{% import 'macros.html' as m with context %}{{ m.granularity('90m') }}, "
        "{{ m.span_alone(7200000) }}, {{ m.span(7200000) }}"
    )

    assert macros.render(session=None) == "كل 90 دقيقة, ساعتان, ساعتين"
