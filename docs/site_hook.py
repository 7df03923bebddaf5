"""What the site has and docs/ has not: the pages of the top folder, and the list of decisions.

mkdocs calls these functions while it builds (mkdocs.yml, `hooks`). They write nothing into docs/.
"""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
TOP_PAGES = {
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
DECISIONS = "decisions/index.md"
INTRODUCTION = """\
# Decisions

What was chosen where there was a choice, and why; the newest first. A decision is not rewritten: it
says what was meant when it was written, and those up to 50 use words that
[decision 61](0061-plain-words.md) replaced.

| | |
|---|---|
"""
TITLE = re.compile(r"# (?:0*\d+[.:]? )?(.+)")
# A list that begins right under a line of text is a list on GitHub, and none in Python-Markdown.
LIST_UNDER_TEXT = re.compile(
    r"^(?! *(?:[-*|#]|\d+\. )|    )(.*\S)\n(?=(?:[-*]|\d+\.) )", re.MULTILINE
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for name, place in TOP_PAGES.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=moved(text)))
    files.append(File.generated(config, DECISIONS, content=decisions()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    for name, place in TOP_PAGES.items():
        markdown = markdown.replace(f"](../{name}", f"]({place}")
    return with_lists(markdown)


def moved(text: str) -> str:
    """A page of the top folder as one of docs/."""
    for name, place in TOP_PAGES.items():
        text = text.replace(f"]({name})", f"]({place})")
    return text.replace("](docs/decisions/)", f"]({DECISIONS})").replace("](docs/", "](")


def decisions() -> str:
    rows = []
    for path in sorted((ROOT / "docs" / "decisions").glob("0*.md"), reverse=True):
        number = int(path.name.partition("-")[0])
        found = TITLE.match(path.read_text(encoding="utf-8"))
        assert found, path
        rows.append(f"| {number} | [{found[1]}]({path.name}) |\n")
    return INTRODUCTION + "".join(rows)


def with_lists(markdown: str) -> str:
    """With an empty line before each list that has none, outside of blocks of code."""
    parts = re.split(r"(^```.*?^```)", markdown, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        part if part.startswith("```") else LIST_UNDER_TEXT.sub(r"\1\n\n", part) for part in parts
    )
