"""Formats twice over: as they are set, and how a body that was made by one is read by hand.

The second reading shares nothing with the product: it finds the texts of messages, which have a
shape of their own (`written.text_of`), in whatever stands around them.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine.formats.documents import parse_format
from hookbundle.engine.formats.format import Format

TEXT = re.compile(r"text <m\d+> \w+")


@dataclass(frozen=True, slots=True)
class Form:
    """`value`: as in a setting; None is the seed's body. `names`: the fields of a body of it.

    `most`: how many messages it can be rendered for. `skips`: of no chat it is sent.
    """

    value: Any = None
    names: frozenset[str] = frozenset()
    text: Callable[[Any], str] = str
    most: int = 1_000
    skips: bool = False

    @property
    def parsed(self) -> Format:
        parsed = parse_format(self.value, {})
        assert isinstance(parsed, Format), parsed
        return parsed

    def reads(self, body: bytes) -> tuple[str, ...]:
        """The texts of messages in the body, in order; none if it is no body of this form."""
        content = msgspec.json.decode(body)
        return tuple(TEXT.findall(self.text(content))) if content.keys() == self.names else ()


def _template(**fields: Any) -> dict[str, Any]:
    return {"template": fields}


FORMS = {
    "seed": Form(),
    "text": Form("text", frozenset({"text"}), lambda body: str(body["text"])),
    "slack": Form(
        "slack",
        frozenset({"text", "mrkdwn", "unfurl_links", "unfurl_media"}),
        lambda body: html.unescape(body["text"]),
    ),
    "lines": Form(
        _template(lines={"$each": "messages", "as": "m", "do": "{{ m.text }}"}),
        frozenset({"lines"}),
        lambda body: "\n".join(body["lines"]),
    ),
    "one only": Form(
        _template(
            only="{{ messages[0].text }}",
            at={"$if": "messages[1]", "then": "{{ messages[1].text | date: '%Y' }}"},
        ),
        frozenset({"only"}),
        lambda body: str(body["only"]),
        most=1,
    ),
    # Of these lives' chats it knows none, so that it sends nothing.
    "nobody's": Form("pipedrive-note", skips=True),
}
