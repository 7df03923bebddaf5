"""Directional controls of Unicode, closed where their text ends.

A control that turns the direction of a text (U+202A to U+202E, U+2066 to U+2069) goes on to the end
of its paragraph. In a line that shows a name, a time and a text, one that is left open in the name
would turn all that follows. So each part of a line is made to close what it opens, and to close
nothing that it has not opened (UAX #9, rules X1 to X8).
"""

import re
import unicodedata
from dataclasses import dataclass, field

CONTROL = re.compile("[\u202a-\u202e\u2066-\u2069]")
EMBEDDINGS = frozenset("\u202a\u202b\u202d\u202e")  # and overrides; they end at a PDF
ISOLATES = frozenset("\u2066\u2067\u2068")  # they end at a PDI, and so does what is open in them
PDF, PDI = "\u202c", "\u2069"
# Deeper ones have no effect on what is shown (BD2), and would only have to be closed again.
DEPTH_MAX = 125
UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})  # but not all of `Cf`: emoji are joined by such
OPENING = re.compile(rb"\xe2(?:\x80[\xaa\xab\xad\xae]|\x81[\xa6-\xa8])")
CLOSING_BYTES = 3  # each is one character of three bytes
LEAD = 0xE2  # the first byte of each control in UTF-8; `in` is quick for a number alone


def is_one_line(text: str) -> bool:
    """Whether the text has no line break, no control character, and nothing that turns it."""
    hidden = any(unicodedata.category(each) in UNSEEN for each in text)
    return not hidden and CONTROL.search(text) is None


def closed(text: str) -> str:
    """The text with every control closed at its end, and without those that close nothing."""
    if text.isascii() or CONTROL.search(text) is None:
        return text
    open_, kept, last = _Open(), list[str](), 0
    for found in CONTROL.finditer(text):
        kept.append(text[last : found.start()])
        last = found.end()
        if open_.takes(found[0]):
            kept.append(found[0])
    kept.append(text[last:])
    kept += [PDF if control in EMBEDDINGS else PDI for control in reversed(open_.controls)]
    return "".join(kept)


@dataclass(slots=True)
class _Open:
    """What is open at a place in a text. `deeper_...`: opened past DEPTH_MAX, and taken out."""

    controls: list[str] = field(default_factory=list)
    isolates: int = 0
    deeper_isolates: int = 0
    deeper_embeddings: int = 0

    def takes(self, control: str) -> bool:
        """Whether the next control has an effect; else it is taken out of the text."""
        if control == PDF:
            return self._ends_embedding()
        if control == PDI:
            return self._ends_isolate()
        is_isolate = control in ISOLATES
        if self.deeper_isolates or self.deeper_embeddings or len(self.controls) == DEPTH_MAX:
            self.deeper_isolates += is_isolate
            self.deeper_embeddings += not is_isolate and not self.deeper_isolates
            return False
        self.controls.append(control)
        self.isolates += is_isolate
        return True

    def _ends_embedding(self) -> bool:
        if self.deeper_isolates:
            return False
        if self.deeper_embeddings:
            self.deeper_embeddings -= 1
            return False
        if not self.controls or self.controls[-1] in ISOLATES:
            return False
        self.controls.pop()
        return True

    def _ends_isolate(self) -> bool:
        if self.deeper_isolates:
            self.deeper_isolates -= 1
            return False
        if not self.isolates:
            return False
        self.deeper_embeddings = 0
        while self.controls.pop() not in ISOLATES:
            pass
        self.isolates -= 1
        return True


def bytes_added(message: bytes) -> int:
    """At most so many bytes are added by `closed` to the texts in the JSON of a message."""
    if LEAD not in message:
        return 0
    return CLOSING_BYTES * len(OPENING.findall(message))
