"""The site is built without a warning, and asks no other host for anything."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.tests.docs.pages import DOCS, ROOT

# What a browser fetches by itself; a link is only followed by a reader.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"([^\"]+)"
    r"|<link\b(?=[^>]*\brel=\"(?:stylesheet|icon|preconnect|preload)\")[^>]*\bhref=\"([^\"]+)"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [Path(sys.executable).with_name("mkdocs"), "build", "--strict", "--quiet", "-d", folder],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return folder


def test_a_page_fetches_only_files_of_the_site(site: Path) -> None:
    missing = []
    for page in site.rglob("*.html"):
        fetched = [first or second for first, second in FETCHED.findall(page.read_text("utf-8"))]
        assert fetched
        if page.name == "404.html":  # a server shows it at any path, so its paths are absolute
            assert all(url.startswith("/") for url in fetched)
            continue
        missing += [
            f"{page.relative_to(site)}: {url}"
            for url in fetched
            if not (page.parent / url.partition("?")[0]).is_file()
        ]

    assert missing == []


def test_every_page_is_in_the_search(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}

    pages = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}

    assert pages <= {*found, "index.html"}
    assert {"architecture.html", "changelog.html", "decisions/index.html"} <= found


def test_a_list_right_under_a_line_is_a_list(site: Path) -> None:
    """GitHub shows it as one; Python-Markdown wants an empty line before it."""
    text = (site / "sources.html").read_text("utf-8")

    assert "<p>- " not in text
    assert "\n- " not in re.sub(r"(?s)<pre.*?</pre>", "", text)


def test_the_sites_own_pages_lead_on_within_it(site: Path) -> None:
    architecture = (site / "architecture.html").read_text("utf-8")
    decisions = (site / "decisions" / "index.html").read_text("utf-8")

    assert 'href="decisions/0061-plain-words.html"' in architecture
    assert len(set(re.findall(r'href="0\d+[\w-]+\.html"', decisions))) == len(
        list((DOCS / "decisions").glob("0*.md"))
    )
