"""What packaging/observability/ and its page have: rules, the board's queries, names of metrics."""

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from hookbundle.tests.docs.pages import DOCS, ROOT

PACK = ROOT / "packaging" / "observability"
PAGE = DOCS / "observability.md"
RULES = ("recording.yml", "pages.yml", "tickets.yml", "cluster.yml")
TESTS = tuple(sorted(path.name for path in PACK.glob("*.test.yml")))
UNPACKED = ROOT / ".venv" / "prometheus" / "usr" / "bin"

# A name with its labels, if any. Values may have braces of their own: a route has.
NAME = re.compile(
    r'(?<![\w:.])((?:hookbundle|process)_\w+|up)\b(?:\{((?:[^{}"]|"[^"]*")*)\})?(?![\w:-])'
)
LABEL = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
OF_THE_SCRAPE = {"job", "instance"}


class Alert(NamedTuple):
    name: str
    expression: str
    severity: str
    runbook: str


class Use(NamedTuple):
    """Of a metric, somewhere: the labels it is asked for, as (label, operator, value)."""

    name: str
    labels: tuple[tuple[str, str, str], ...]


def program(name: str) -> Path:
    """Skips the test where it can't be had."""
    found = shutil.which(name, path=UNPACKED) or shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} here: `make prometheus` fetches it")
    return Path(found)


def rules() -> Iterator[dict[str, Any]]:
    for name in RULES:
        document = yaml.safe_load((PACK / name).read_text(encoding="utf-8"))
        for group in document["groups"]:
            yield from group["rules"]


def alerts() -> list[Alert]:
    return [
        Alert(
            each["alert"],
            each["expr"],
            each["labels"]["severity"],
            each["annotations"]["runbook_url"],
        )
        for each in rules()
        if "alert" in each
    ]


def queries() -> list[str]:
    """Of the board, with what Grafana puts in the place of its variables."""
    board = json.loads((PACK / "board.json").read_text(encoding="utf-8"))
    found = [each["expr"] for panel in board["panels"] for each in panel.get("targets", [])]
    found += [each["expr"] for each in board["annotations"]["list"]]
    return [placed(each) for each in found]


def placed(query: str) -> str:
    for variable, value in (
        ("$__rate_interval", "1m"),
        ("$job", "hookbundle"),
        ("$instance", ".*"),
    ):
        query = query.replace(variable, value)
    return query


def series_of_tests() -> list[str]:
    documents = [yaml.safe_load((PACK / name).read_text(encoding="utf-8")) for name in TESTS]
    return [
        each["series"]
        for document in documents
        for test in document["tests"]
        for each in test["input_series"]
    ]


def uses(texts: Iterable[str]) -> list[Use]:
    """Each metric that is named."""
    return [
        Use(found[1], tuple(LABEL.findall(found[2] or "")))
        for text in texts
        for found in NAME.finditer(text)
    ]
