"""What a client sends is read in one place, within bounds: nothing else in server/ may read it.

aiohttp's own readers decode with the charset that the client names, hold whatever it sends, and
wait for as long as it likes; a header is text only if somebody has looked; and `int()` takes any
number of digits. So handlers use `server/http/requests.py`, which is what the messages below say.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SERVER = ROOT / "server"

READERS = {
    "post": "read_form",
    "text": "body_bytes",
    "json": "body_of",
    "read": "body_bytes",
    "multipart": "body_bytes",
}
PROPERTIES = {
    "cookies": "cookie_of",
    "headers": "header_of or hint_of",
    "content": "body_bytes",
    "content_type": "media_of",
    "charset": "media_of",
    "host": "header_of",
    "if_match": "precondition_of",
    "http_range": "header_of",
}
NUMBERS = ("int", "Decimal", "Fraction")
# Those that look at bytes and headers before, or instead of, a handler.
WHERE_HEADERS_ARE_READ = {
    f"server/http/{name}.py"
    for name in ("requests", "bodies", "hosts", "authentication", "idempotency", "middleware")
} | {"server/console/forms.py", "server/daemon/upgrade.py"}
WHERE_NUMBERS_ARE_READ = {"server/http/requests.py"}


def is_request(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return name == "request"


def unbounded(path: str, tree: ast.AST) -> Iterator[str]:
    """Each place where something of a client is read past the bounds, and what to use there."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=attr)) if (
                is_request(value) and attr in READERS
            ):
                yield f"{path}:{node.lineno}: request.{attr}(); use {READERS[attr]}"
            case ast.Call(func=ast.Name(id=name)) if (
                name in NUMBERS and path not in WHERE_NUMBERS_ARE_READ
            ):
                yield f"{path}:{node.lineno}: {name}(); use number_of"
            case ast.Attribute(value=value, attr=attr) if (
                is_request(value) and attr in PROPERTIES and path not in WHERE_HEADERS_ARE_READ
            ):
                yield f"{path}:{node.lineno}: request.{attr}; use {PROPERTIES[attr]}"


def test_nothing_of_a_client_is_read_past_the_bounds() -> None:
    files = sorted(SERVER.rglob("*.py"))
    assert len(files) > 50

    found = [
        place
        for file in files
        for place in unbounded(
            file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))
        )
    ]

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "await request.post()",
        "await visit.request.text()",
        "(await self.request.json())['a']",
        "request.cookies.get('a')",
        "visit.request.headers['a']",
        "request.content.read(5)",
        "int(form['version'])",
        "int(request.match_info['number'], 16)",
    ],
)
def test_what_may_not_be_written_is_found(text: str) -> None:
    tree = ast.parse(f"async def handler(request, visit, self, form):\n    {text}")

    assert list(unbounded("server/console/pages/some.py", tree))
