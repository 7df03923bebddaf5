"""The page at /docs: the reference of the API, made of the document alone.

One file with its style inside and no script, so it works without any other host, and the policy
can forbid everything else. It is in English, as the documents are.
"""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from hookbundle.server.http.contract import reading
from hookbundle.server.http.problems import ERRORS_PATH

HERE = Path(__file__).parent
STYLE = (HERE / "page.css").read_text(encoding="utf-8")
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
MARKS = re.compile(r"`([^`]+)`|\[([^\]]+)\]\(([^)\s]+)\)")


def page(document: dict[str, Any]) -> bytes:
    """The reference as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(prose=prose, paragraphs=paragraphs)
    html = environment.get_template("page.html").render(
        info=document["info"],
        groups=reading.grouped(document),
        types=reading.types(document),
        errors=ERRORS_PATH,
        style=Markup(STYLE),
    )
    return html.encode()


def prose(text: str) -> Markup:
    """The text with its code and links as HTML; all else is escaped."""
    found, at = Markup(), 0
    for mark in MARKS.finditer(text):
        found += escape(text[at : mark.start()])
        if mark[1]:
            found += Markup("<code>{}</code>").format(mark[1])
        else:
            found += Markup('<a href="{}">{}</a>').format(mark[3], mark[2])
        at = mark.end()
    return found + escape(text[at:])


def paragraphs(text: str) -> Markup:
    return Markup().join(
        Markup("<p>{}</p>\n").format(prose(" ".join(each.split()))) for each in text.split("\n\n")
    )
