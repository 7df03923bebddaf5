"""A conversation as people read it: a line for each message, as plain text or as HTML.

As in the seed's aggregation, a name or a text closes the directional controls that it opens, so
that one line can't turn the next; here control characters are taken out too, as some receivers
refuse a whole note for one. Of HTML, only `br` and `strong` are written: receivers take little.
"""

import html
import re
from typing import Any
from zoneinfo import ZoneInfo

from hookbundle.engine.formats import dates
from hookbundle.engine.messages import directions
from hookbundle.engine.messages.message import Party
from hookbundle.engine.messages.payload import BREAK, shown_sender

LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """The text on lines that end with `\\n`, without what can't be seen or turns what follows."""
    return directions.closed(CONTROLS.sub("", LINE_ENDS.sub("\n", text)))


def escaped(text: str) -> str:
    """The text as HTML, its lines as lines."""
    return html.escape(plain(text)).replace("\n", BREAK)


def as_text(found: list[Any], stand_in: str, zone: ZoneInfo) -> str:
    """`2021-02-24 18:25 Dana: hello`, a line for each message; of other lists an entry a line."""
    return "\n".join([_line(each, stand_in, zone) for each in found])


def as_html(found: list[Any], stand_in: str, zone: ZoneInfo) -> str:
    """`2021-02-24 18:25 <strong>Dana</strong>: hello<br/>` for each message."""
    return "".join([_html_line(each, stand_in, zone) for each in found])


def _line(each: Any, stand_in: str, zone: ZoneInfo) -> str:
    if not isinstance(each, dict):
        return plain(str(each))
    at, name, said = _parts(each, stand_in, zone)
    return f"{at} {_one_line(name)}: {plain(said)}"


def _html_line(each: Any, stand_in: str, zone: ZoneInfo) -> str:
    if not isinstance(each, dict):
        return escaped(str(each)) + BREAK
    at, name, said = _parts(each, stand_in, zone)
    return f"{at} <strong>{html.escape(_one_line(name))}</strong>: {escaped(said)}{BREAK}"


def _one_line(name: str) -> str:
    return plain(name).replace("\n", " ")


def _parts(message: Any, stand_in: str, zone: ZoneInfo) -> tuple[str, str, str]:
    sender = Party(message["sender"]["full_name"], message["sender"]["phone"])
    at = dates.local_time(message["timestamp"], zone)
    return at, shown_sender(sender) or stand_in, message["text"]
