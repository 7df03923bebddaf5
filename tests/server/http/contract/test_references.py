"""docs/reference/ is made from what a daemon says of itself, and is as new as the code."""

import re
import runpy
from pathlib import Path

DOCS = Path(__file__).resolve().parents[4] / "docs"


async def test_the_reference_of_the_api_is_made_from_the_document() -> None:
    generator = runpy.run_path(str(DOCS / "make_api_reference.py"))
    text = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")

    assert generator["made"](await generator["document"]()) == text, "run `make docs`"


async def test_the_reference_of_metrics_is_made_from_what_a_daemon_shows() -> None:
    generator = runpy.run_path(str(DOCS / "make_metrics_reference.py"))
    text = (DOCS / "reference" / "metrics.md").read_text(encoding="utf-8")

    assert generator["made"](await generator["families"]()) == text, "run `make docs`"


def test_each_link_of_the_references_leads_somewhere() -> None:
    for document in (DOCS / "reference").glob("*.md"):
        text = document.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            name, _, anchor = link.partition("#")
            target = (document.parent / name) if name else document
            assert target.exists(), f"{document.name}: {link}"
            if anchor and (not name or name == "../errors.md"):
                assert f'id="{anchor}"' in target.read_text(encoding="utf-8"), link
