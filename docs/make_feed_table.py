"""`make docs`: puts the table of facts, made from their types, into docs/feed.md."""

import re
from pathlib import Path

from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.facts import all_facts

DOCUMENT = Path(__file__).with_name("feed.md")
TABLE = re.compile(r"(?<=<!-- facts -->\n).*(?=<!-- /facts -->)", re.DOTALL)


def table() -> str:
    rows = ["| type | data | when |", "|---|---|---|"]
    for kind in all_facts():
        data = ", ".join(f"`{name}`" for name in kind.__struct_fields__)
        when = " ".join((kind.__doc__ or "").split())
        rows.append(f"| `{type_of(kind)}` | {data} | {when} |")
    return "\n".join(rows) + "\n"


def renewed(document: str) -> str:
    return TABLE.sub(lambda _: table(), document)


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
