"""docs/source-kinds.md and a page for each kind: their settings, outcomes, examples and links."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.sources import settings as source_settings
from hookbundle.engine.sources.kinds import KINDS
from hookbundle.engine.sources.outcomes import Ignored, MessageEvent, Reason
from hookbundle.engine.sources.settings import FIELDS, SECRETS
from hookbundle.tests.engine.sources import samples
from hookbundle.tests.engine.sources.remembering import Remembering

DOCS = Path(__file__).resolve().parents[3] / "docs"
INDEX = (DOCS / "source-kinds.md").read_text(encoding="utf-8")
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (DOCS / "sources").glob("*.md")}
HEADINGS = [
    "Here",
    "Try it",
    "Over there",
    "What becomes of its events",
    "Settings",
    "What does not work, and why",
]
NAMED_BY = {  # where an event of these kinds has its name
    "waha": "event",
    "evolution": "event",
    "chatwoot": "event",
    "timelinesai": "event_type",
    "green-api": "typeWebhook",
    "wati": "eventType",
    "periskope": "event",
}


def section(page: str, heading: str) -> str:
    return page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def first_cells(text: str) -> list[str]:
    """Of a table, without its head."""
    return re.findall(r"^\| (.+?) \|", text, re.MULTILINE)[1:]


def call(page: str) -> dict[str, Any]:
    """The body of the API's call by which the page makes a source."""
    _, _, rest = page.partition("    POST /v1/workspaces/acme/sources\n")
    body, _, _ = rest.partition("\n\n")
    document: dict[str, Any] = json.loads(body)
    return document


def test_each_kind_has_its_page_and_a_row_with_the_way_there() -> None:
    rows = re.findall(
        r"^\| `(\S+)` \| \[[^]]+\]\(sources/(\S+)\.md\) \|", INDEX, flags=re.MULTILINE
    )

    assert set(PAGES) == set(KINDS)
    assert rows == [(kind, kind) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_has_the_settings_of_its_kind_and_no_others(kind: str) -> None:
    page = PAGES[kind]
    settings = section(page, "Settings")

    typed = re.findall(r"--setting ([a-z_]+)", page)
    elsewhere = [name for name in SECRETS if name not in FIELDS[kind] and f"`{name}`" in page]

    assert first_cells(settings) == [f"`{name}`" for name in FIELDS[kind]]
    assert set(typed) <= set(FIELDS[kind])
    assert elsewhere == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_makes_a_source_of_its_kind_that_is_taken(kind: str) -> None:
    document = call(PAGES[kind])

    assert document["kind"] == kind
    source_settings.parse(kind, document["settings"])
    assert f"hookbundle source add acme {kind}" in PAGES[kind]
    assert f"hookbundle source requests acme {kind}-1" in PAGES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_names_outcomes_that_there_are(kind: str) -> None:
    page = PAGES[kind]
    said = {text for text in re.findall(r"ignored as `(\w+)`", page)}
    said |= set(re.findall(r"`ignored\.(\w+)`", page))

    assert said <= {reason.value for reason in Reason}
    assert set(re.findall(r"`skipped\.(\w+)`", page)) <= {"attachment", "no_text"}
    assert [each for each in HEADINGS if f"\n## {each}\n" not in page] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_secret_of_a_kind_stands_in_its_row(kind: str) -> None:
    row = next(line for line in INDEX.splitlines() if line.startswith(f"| `{kind}` |"))
    secrets = [name for name in FIELDS[kind] if name in SECRETS and name != "verify_token"]

    assert [name for name in secrets if f"`{name}`" not in row] == []


def test_the_pages_lead_to_files_that_there_are() -> None:
    missing = [
        f"{path.name}: {target}"
        for path in (DOCS / "sources.md", DOCS / "source-kinds.md", *(DOCS / "sources").iterdir())
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
        if not target.startswith("https://") and not (path.parent / target).is_file()
    ]

    assert missing == []


@pytest.mark.parametrize("kind", NAMED_BY)
def test_the_events_of_a_page_are_known_to_its_kind(kind: str) -> None:
    events = " ".join(first_cells(section(PAGES[kind], "What becomes of its events")))
    names = re.findall(r"`([A-Za-z][A-Za-z_.:0-9]+)`", events)
    settings = source_settings.parse(kind, call(PAGES[kind])["settings"])

    unknown = []
    for name in names:
        body = json.dumps({NAMED_BY[kind]: name}).encode()
        found = samples.translated(kind, settings, body, Remembering()).outcomes
        reasons = {each.reason for each in found if isinstance(each, Ignored)}
        if reasons & {Reason.UNKNOWN_EVENT, Reason.UNKNOWN_SHAPE}:
            unknown.append(name)

    assert names
    assert unknown == []


def test_the_body_of_the_page_of_any_json_is_a_message_by_its_settings() -> None:
    page = PAGES["generic"]
    body = re.findall(r'title="body.json"\n(.*?)```', page, re.DOTALL)[0].encode()
    settings = source_settings.parse("generic", call(page)["settings"])

    (outcome,) = samples.translated("generic", settings, body, Remembering()).outcomes

    assert isinstance(outcome, MessageEvent)
    assert outcome.event.chat.chat_id == "15550101234"
    assert outcome.event.message.text == "hello"
    assert outcome.event.message.timestamp == 1_790_000_000_000
