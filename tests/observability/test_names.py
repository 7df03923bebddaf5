"""Rules, board, page and tests of the rules name metrics and labels that a daemon has."""

import asyncio
import json
import re
import runpy
import tomllib
from collections.abc import Callable

import pytest
from prometheus_client.core import Metric

from hookbundle.tests.docs.pages import DOCS, ROOT
from hookbundle.tests.observability.pack import (
    OF_THE_SCRAPE,
    PACK,
    PAGE,
    alerts,
    queries,
    rules,
    series_of_tests,
    uses,
)

SOURCES = ("actors", "engine", "server")
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",)}
PLAIN = re.compile(r"[\w|/{}]+")  # a value, or values, without another pattern


@pytest.fixture(scope="module")
def families() -> list[Metric]:
    generator = runpy.run_path(str(DOCS / "make_metrics_reference.py"))
    found: list[Metric] = asyncio.run(generator["families"]())
    return found


@pytest.fixture(scope="module")
def labels(families: list[Metric]) -> dict[str, set[str]]:
    """Of each metric, under the names by which it is asked for."""
    found: dict[str, set[str]] = {"up": set()}
    for family in families:
        of_family = set(getattr(family, "_labelnames", ()))
        for suffix in SUFFIXES.get(family.type, ("",)):
            found[family.name + suffix] = of_family | ({"le"} if suffix == "_bucket" else set())
        if family.type == "histogram":
            found[family.name] = of_family  # on the page
    return found


WHERE: dict[str, Callable[[], list[str]]] = {
    "rules": lambda: [each["expr"] for each in rules()],
    "board": queries,
    "tests": series_of_tests,
    "page": lambda: re.findall(r"`([^`\n]+)`", PAGE.read_text(encoding="utf-8")),
}


@pytest.mark.parametrize("where", WHERE)
def test_each_metric_is_one_of_the_daemon(where: str, labels: dict[str, set[str]]) -> None:
    found = uses(WHERE[where]())

    unknown = [
        use
        for use in found
        if use.name not in labels
        or {label for label, _, _ in use.labels} - labels[use.name] - OF_THE_SCRAPE
    ]

    assert found
    assert unknown == []


def test_each_value_of_a_label_is_one_that_there_is(families: list[Metric]) -> None:
    """The daemon shows it from its start on, or the code has it."""
    shown = {
        value
        for family in families
        for sample in family.samples
        for value in sample.labels.values()
    }
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*.py")
    )
    asked = {
        value
        for where in ("rules", "board", "tests")
        for use in uses(WHERE[where]())
        for label, _, pattern in use.labels
        if label not in {*OF_THE_SCRAPE, "le", "status", "method", "partition"}
        and PLAIN.fullmatch(pattern)
        for value in pattern.split("|")
    }

    assert {"standstill", "no_route", "store_places"} <= asked
    assert [value for value in sorted(asked - shown) if f'"{value}"' not in code] == []


def test_the_page_has_each_alert_once_under_the_heading_that_it_leads_to() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = {
        re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-"): part
        for title, part in re.findall(r"^## (.+)\n((?:(?!## ).*\n)*)", text, re.MULTILINE)
    }

    for alert in alerts():
        marked = f"**`{alert.name}`**" if alert.severity == "page" else f"| `{alert.name}`"
        page, _, anchor = alert.runbook.partition("#")
        assert page.endswith("/docs/observability.md")
        assert len(re.findall(rf"^\|[ *]+`{alert.name}`", text, re.MULTILINE)) == 1
        assert marked in headings[anchor], alert
    assert {alert.severity for alert in alerts()} == {"page", "ticket"}


def test_the_board_is_made_of_its_panels() -> None:
    generator = runpy.run_path(str(DOCS / "make_board.py"))
    rows = tomllib.loads((PACK / "board.toml").read_text(encoding="utf-8"))["row"]

    board = (PACK / "board.json").read_text(encoding="utf-8")

    assert generator["made"](rows) == board, "run `make docs`"
    places = [tuple(each["gridPos"].values()) for each in json.loads(board)["panels"]]
    assert len(set(places)) == len(places)
