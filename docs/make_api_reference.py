"""`make docs`: writes docs/reference/api.md, made of the same document as the page at /docs."""

import asyncio
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from hookbundle.server.http.contract import reading
from hookbundle.server.http.contract.reading import Answer, Operation, Refusal, Row, Type
from hookbundle.server.http.contract.types import Part
from hookbundle.tests.in_process import daemon_in

DOCUMENT = Path(__file__).parent / "reference" / "api.md"
OF_DOCS = re.compile(r"`?docs/(?:reference/)?([\w-]+\.md)`?")
BESIDE = ("api.md", "metrics.md")  # in the folder of this document
ABOUT = """\
# The HTTP API

<!-- made by `make docs` from the program's own types and routes -->

A daemon shows the same at `/docs`, and as an OpenAPI 3.1 document at `/openapi.json`; neither
needs a token. Every path answers on TCP, where a bearer token is needed, and on the control socket,
where the file's permissions decide.

An error is a problem document (RFC 9457): its `code` is stable, and [errors](../errors.md) has all
of them. Every operation may also answer with the errors of every request; only its own codes are
named with it. Where `Retry-After` stands, the answer says after how many seconds to try again.
Times are RFC 3339 in UTC.

"""


async def document() -> dict[str, Any]:
    """The OpenAPI document as a daemon answers with it."""
    with tempfile.TemporaryDirectory() as folder:
        async with daemon_in(Path(folder)) as system:
            found: dict[str, Any] = await system.get("/openapi.json")
            return found


def made(document: dict[str, Any]) -> str:
    """The reference as plain Markdown."""
    groups = reading.grouped(document)
    parts = [ABOUT, *_contents(groups)]
    for _, title, operations in groups:
        parts.append(f"\n## {title}\n")
        for operation in operations:
            parts += _operation(operation)
    parts.append("\n## Types\n")
    for kind in reading.types(document):
        parts += _type(kind)
    return "".join(parts)


def _contents(groups: Iterable[tuple[str, str, list[Operation]]]) -> Iterator[str]:
    yield "| operation | what it does |\n|---|---|\n"
    for _, _, operations in groups:
        for each in operations:
            yield f"| [`{each.method} {each.path}`](#{each.name}) | {_cell(each.summary)} |\n"


def _operation(operation: Operation) -> Iterator[str]:
    yield f'\n### <a id="{operation.name}"></a>`{operation.method} {operation.path}`\n\n'
    access = "; open without a token" if operation.is_open else ""
    yield f"**{_prose(operation.summary)}.** `{operation.name}`{access}\n\n"
    yield f"{_prose(operation.about)}\n\n"
    if operation.parameters:
        yield from _table(operation.parameters, "parameter")
    if operation.body:
        yield f"Body: {_kind(operation.body)}\n\n"
    yield f"```sh\n{operation.curl}\n```\n\n"
    for answer in operation.answers:
        yield from _answer(answer)
    yield f"Errors: {', '.join(map(_refusal, operation.refusals))}\n"


def _answer(answer: Answer) -> Iterator[str]:
    media = f" ({', '.join(answer.media)})" if answer.media else ""
    kind = f" {_kind(answer.parts)}{media}:" if answer.parts else ""
    yield f"**{answer.status}**{kind} {_prose(answer.about)}\n\n"
    if answer.example:
        language = "json" if answer.example[0] in "[{" else "text"
        yield f"```{language}\n{answer.example.rstrip()}\n```\n\n"


def _refusal(refusal: Refusal) -> str:
    codes = " ".join(f"[`{code}`](../errors.md#{code})" for code in refusal.codes)
    again = " (`Retry-After`)" if refusal.retries else ""
    return f"{refusal.status}{' ' if codes else ''}{codes}{again}"


def _type(kind: Type) -> Iterator[str]:
    yield f'\n### <a id="{kind.name}"></a>`{kind.name}`\n\n'
    if kind.about:
        yield f"{_prose(kind.about)}\n\n"
    if kind.rows:
        yield from _table(kind.rows, "field")


def _table(rows: Iterable[Row], title: str) -> Iterator[str]:
    yield f"| {title} | type | meaning |\n|---|---|---|\n"
    for row in rows:
        needed = ", needed" if row.needed else ""
        limits = f"; {row.limits}" if row.limits else ""
        kind = _cell(_kind(row.parts) + limits)
        yield f"| `{row.name}`{needed} | {kind} | {_cell(row.about)} |\n"
    yield "\n"


def _kind(parts: Iterable[Part]) -> str:
    return "".join(f"[{part.text}](#{part.text})" if part.links else part.text for part in parts)


def _cell(text: str) -> str:
    return _prose(text).replace("\n", " ").replace("|", "\\|")


def _prose(text: str) -> str:
    """The text with links to the documents that it names."""
    text = text.replace("(/docs/errors)", "(../errors.md)")
    return OF_DOCS.sub(lambda found: _link(found[1]), text)


def _link(name: str) -> str:
    return f"[{name}]({name if name in BESIDE else f'../{name}'})"


if __name__ == "__main__":
    DOCUMENT.write_text(made(asyncio.run(document())), encoding="utf-8")
