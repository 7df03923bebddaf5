"""docs/formats.md has the names, filters and presets that there are."""

import runpy
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_tables_are_those_of_the_code() -> None:
    generator = runpy.run_path(str(DOCS / "make_format_tables.py"))
    document = (DOCS / "formats.md").read_text(encoding="utf-8")

    assert generator["renewed"](document) == document, "run `make docs`"
