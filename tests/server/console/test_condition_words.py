"""Each reason of the daemon's status is worded in both languages, and stands in the documents."""

import re
from pathlib import Path

import pytest

from hookbundle.engine.conditions import NOT_READY, Reason, condition
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.rendering import environment
from hookbundle.server.http.schemas.status import ReasonOut, reason_out

ROOT = Path(__file__).resolve().parents[3]
LATIN = re.compile(r"[A-Za-z]{2,}")
KEPT = re.compile(
    r"<[^>]*>|hookbundle run --trust-clock|hookbundle check|smtp\.host|delivery\.in_flight_max"
    r"|webhook|hookbundle cluster recover|cluster\.servers"
)
ROW = re.compile(r"^\| `(\w+)` \| (yes|no) \|", re.MULTILINE)


def reason_of(code: Reason) -> ReasonOut:
    return reason_out(condition(code, kind="window", seconds=31, count=12, sound=7))


@pytest.mark.parametrize("code", Reason)
def test_a_reason_is_said_in_both_languages(code: Reason) -> None:
    source = '{% import "parts/conditions.html" as s with context %}{{ s.said(reason) }}'
    said = {}
    for name in LANGUAGES:
        template = environment(name).from_string(source)
        said[name] = template.render(reason=reason_of(code), now_ms=0, language=LANGUAGES[name])

    assert LATIN.search(said["en"])
    assert said["ar"].strip()
    assert not LATIN.search(KEPT.sub("", said["ar"])), said["ar"]


def test_the_documents_say_what_to_do_about_each_reason() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("## What /readyz says")[2].partition("\n## ")[0]

    rows = {code: stops == "yes" for code, stops in ROW.findall(section)}

    assert rows == {code.value: code in NOT_READY for code in Reason}
