"""What is stored in English shows in Arabic: every error of an attempt, and what people did.

See test_arabic_errors.py for when a page counts as Arabic.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from markupsafe import escape

from hookbundle.actors import webhook
from hookbundle.actors.mails.causes import UNKNOWN, explanation_of
from hookbundle.engine.delivery.outcomes import (
    OURS,
    Cause,
    ErrorClass,
    Failed,
    Outcome,
    Unknown,
    code_of,
)
from hookbundle.server.console.catalogues import ARABIC, translations
from hookbundle.server.console.details import Details
from hookbundle.tests.server.console.plain import visitor
from hookbundle.tests.server.console.stage import on_stage, talk
from hookbundle.tests.server.console.test_arabic_errors import (
    VALUE,
    arabic,
    check,
    english_in,
)

ENGLISH = "what the client says of it"
IT_COUNTS = "; it counts, after 3 in a row that did not"
BY_US = {*OURS, Cause.STOOD_STILL, Cause.GAVE_WAY, Cause.STOPPED}
ERRORS = {
    **{str(one): f"{one}: {ENGLISH}" for one in (*ErrorClass, *Cause)},
    Cause.STATUS: "status 503",
    Cause.NOT_SUCCESS: "not_success: answered 201; this webhook takes only 200 as success",
    Cause.RECEIVER_FAILS: "receiver_fails: status 500, and the receiver took the next one",
    "a rule": "answer: /ok is false, not true",
    "no JSON": "answer: it is not JSON",
    "it counts": f"stood_still: {ENGLISH}{IT_COUNTS}",
    "of an old version": "Something That Nobody Knows Any More",
}
WORDS = Details(translations(ARABIC))
ACTIVITY = re.compile(r'<span class="detail">(.*?)</span>', re.DOTALL)


async def test_every_error_of_an_attempt_on_every_page_that_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = ""

    def judged(*_: Any, **__: Any) -> Outcome:
        return Unknown(text) if text.partition(":")[0] in BY_US else Failed(text)

    monkeypatch.setattr(webhook, "judged", judged)
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        for number, (name, text) in enumerate(ERRORS.items()):
            ws = f"ws{number}"
            await stage.workspace(ws, aggregation="none")
            await stage.system.accept(ws, talk("Good morning"))
            await stage.until(ws, last_error=text)
            (waiting,) = (await stage.system.get(f"/v1/workspaces/{ws}/deliveries"))["deliveries"]
            for path in ("outbound", f"deliveries/{waiting['id']}", "requests/0"):
                page = await seen.get(f"/console/w/{ws}/{path}")
                check(page, 200)
                assert text not in page.text, (name, path)
                if code_of(text) not in ("", Cause.STATUS):
                    assert f'<code dir="ltr">{code_of(text)}</code>' in page.text, (name, path)
            tested = await seen.post(f"/console/w/{ws}/webhook/test")
            assert tested.status in (200, 303), tested
            assert english_in(tested.text) == [], name
            check(await seen.get(f"/console/w/{ws}/outbound"), 200)


@pytest.mark.parametrize("one", [*ErrorClass, *Cause])
def test_what_is_known_has_words_that_say_more_than_that_it_failed(one: str) -> None:
    assert WORDS.failed(ERRORS[one]) != translations(ARABIC).gettext(UNKNOWN.happened)


@pytest.mark.parametrize("one", [each for each in (*ErrorClass, *Cause) if each != Cause.STATUS])
def test_an_error_is_words_first_and_its_code_stands_beside_them(one: str) -> None:
    error = ERRORS[one]
    happened = escape(explanation_of(error).happened.partition("%(")[0])

    english, arabic = Details(None).failed(error), WORDS.failed(error)

    assert english.startswith(happened)
    assert f'<code dir="ltr" title="{error}">{one}</code>' in english
    assert f'<code dir="ltr">{one}</code>' in arabic


def test_what_is_stored_of_an_error_is_shown_where_nothing_is_known_of_it() -> None:
    error = ERRORS["of an old version"]

    assert Details(None).failed(error) == f"<bdi>{error}</bdi>"
    assert Details(None).failed("status 404") == "<bdi>status 404</bdi>"
    assert "<script>" not in Details(None).failed('dns: "><script>')


async def test_what_people_did_shows_in_arabic(tmp_path: Path) -> None:
    async with on_stage(tmp_path) as stage, visitor(stage.url) as seen:
        await arabic(stage, seen)
        ask, one = stage.system.ask, "/v1/workspaces/acme"
        hook = {"aggregation": "none", "success": "2xx"}
        await ask("PATCH", one, {"name": "A, B", "time_zone": "UTC", "webhook": hook})
        await stage.system.accept("acme", talk("Good morning"))
        await stage.until("acme", queued=0)
        await seen.post("/console/w/acme/webhook/rotate-secret", {"keep": "24h"})
        await stage.system.switch("acme", "disable")
        await stage.system.accept("acme", *(talk("Good morning", n) for n in range(1, 4)))
        await stage.system.accept("acme", talk("   ", 9))
        first = (await stage.system.get(f"{one}/deliveries"))["deliveries"][0]["id"]
        dropped = await ask("DELETE", f"{one}/deliveries/{first}?reason={VALUE}")
        enabled = await ask("POST", f"{one}/webhook/enable", {"discard": True})
        assert (dropped.status, enabled.status) == (200, 200), dropped

        page = await seen.get("/console/w/acme/outbound")

    check(page, 200)
    details = ACTIVITY.findall(page.text)
    assert len(details) >= 7, details
    assert not [detail for detail in details if not re.search("[\u0600-\u06ff]", detail)]
    assert any(f"<bdi>{VALUE}</bdi>، بواسطة" in detail for detail in details)


@pytest.mark.parametrize(
    ("action", "detail", "words"),
    [
        ("bundle", "status 200", "الرمز <bdi>200</bdi>"),
        ("disabled", "by uid 0", "بواسطة <bdi>uid 0</bdi>"),
        ("disabled", "after 11 consecutive errors", "بعد أخطاء متتالية عددها <bdi>11</bdi>"),
        ("retried", "2 dead letters, by tok_1", "المتوقفة: <bdi>2</bdi>، بواسطة <bdi>tok_1</bdi>"),
        ("enabled", "by tok_1 in the console", "بواسطة <bdi>tok_1</bdi> من لوحة التحكم"),
        ("skipped", "attachment, no_text", "فيها مرفق، بلا نص"),
        (
            "settings changed",
            "name A, B, aggregation 6h, by uid 0",
            "الاسم: <bdi>A, B</bdi>، التجميع: <bdi>6h</bdi>، بواسطة <bdi>uid 0</bdi>",
        ),
        ("settings changed", "by uid 0", "بواسطة <bdi>uid 0</bdi>"),
        ("settings changed", "colour red, by uid 0", "<bdi>colour red</bdi>، بواسطة <bdi>uid 0"),
        ("discarded", "name A, by uid 0", "<bdi>name A</bdi>، بواسطة <bdi>uid 0</bdi>"),
        ("discarded", "<b>, by uid 0", "<bdi>&lt;b&gt;</bdi>، بواسطة"),
        ("discarded", "of no form", "<bdi>of no form</bdi>"),
    ],
)
def test_a_detail_is_worded_by_its_form(action: str, detail: str, words: str) -> None:
    assert words in WORDS.detail(detail, action)


@pytest.mark.parametrize("detail", ["local: by mistake, by uid 0", "status 500, by uid 0"])
def test_a_reason_that_looks_like_an_error_is_still_a_reason(detail: str) -> None:
    reason = detail.removesuffix(", by uid 0")

    assert f"<bdi>{reason}</bdi>" in WORDS.detail(detail, "discarded")
    assert Details(None).detail(detail, "discarded") == f"<bdi>{detail}</bdi>"


def test_a_status_alone_is_no_failure() -> None:
    assert WORDS.failed("status 204") == "الرمز <bdi>204</bdi>"
