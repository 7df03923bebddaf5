"""Says why a body is not JSON, and where; reads what is JSON but for a text that is none.

Only input that msgspec can't read comes here, and never more of it at once than a slice: the
standard library's decoder takes half an emoji and, of an array, one item after the other, but it
holds much more memory.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import msgspec

from hookbundle.engine import limits
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.engine.messages import spelling

NOT_READ = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
NOT_READ_EITHER = (ValueError, RecursionError)  # by the standard library
READ_AGAIN_BYTES = 256 * 1024  # more is not read a second time
DEPTH_MAX = 200  # of what is looked through for half an emoji
BYTE_ORDER_MARK = b"\xef\xbb\xbf"

SPACE = re.compile(r"[ \t\r\n]*")
WORD = re.compile(r"-?[A-Za-z]+")
AT_BYTE = re.compile(r" \(byte (\d+)\)$")
FORM = re.compile(rb"\s*[A-Za-z0-9_.%+\[\]-]{1,64}=")
# The first bytes of what is sent instead of JSON.
BEGINNINGS = (
    (b"\x1f\x8b", FaultCode.IS_GZIP),
    (b"\xff\xfe", FaultCode.IS_UTF16),
    (b"\xfe\xff", FaultCode.IS_UTF16),
    (b"{\0", FaultCode.IS_UTF16),
    (b"[\0", FaultCode.IS_UTF16),
    (b"\0", FaultCode.IS_UTF16),
    (b"--", FaultCode.IS_MULTIPART),
    (b"<", FaultCode.IS_MARKUP),
)


# A byte that is not UTF-8 is read as this one, the first half of a character that nobody writes.
STRAY = "\udbff"
STRAYS = dict.fromkeys(range(0xDC80, 0xDD00), STRAY)


class NoSuchWord(ValueError):
    pass


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that is JSON but for some of its texts; `faults` says which, within the value."""

    value: Any
    faults: tuple[Fault, ...]


def value_of(body: bytes | msgspec.Raw) -> Any:
    """The body decoded; `Broken` if only some texts can't be; the fault if it can't be."""
    try:
        return msgspec.json.decode(body)
    except NOT_READ as exc:
        return read_again(bytes(body), exc)


def read_again(body: bytes, error: Exception) -> Any:
    """What msgspec could not read: `Broken`, if only a text in it is none, or why it is no JSON."""
    if isinstance(error, RecursionError):
        return fault("", FaultCode.JSON_TOO_DEEP)
    begins = beginning(body)
    if begins is not None:
        return begins
    if len(body) > READ_AGAIN_BYTES:
        return _unread(error)
    text = _text_of(body)
    try:
        value = json.loads(text, parse_constant=_no_such_word)
    except NOT_READ_EITHER as exc:
        return _reason(text, exc, error)
    return as_read(value, fault("", FaultCode.NUMBER_TOO_LARGE))


def beginning(body: bytes) -> Fault | None:
    """The fault of a body that is something else than JSON, as its first bytes show."""
    for first, code in BEGINNINGS:
        if body.startswith(first):
            return fault("", code)
    return fault("", FaultCode.IS_FORM) if FORM.match(body) else None


def as_read(value: Any, otherwise: Fault | None = None) -> Any:
    """The value, `Broken` if some of its texts are; `otherwise`, if given, when none is."""
    faults = tuple(islice(broken_texts(value, ""), limits.FAULTS_LISTED_MAX))
    if faults:
        return Broken(_mended(value), faults)
    return value if otherwise is None else otherwise


def items_of(body: bytes) -> list[Any]:
    """The items of an array that can't be read, up to the first that can't: that one's fault."""
    found = whole_items(body)
    return found.items if found.fault is None else [*found.items, found.fault]


@dataclass(frozen=True, slots=True)
class Items:
    """The items at the beginning of an array: where the last one ends, and why no more follow."""

    items: list[Any]
    size: int
    fault: Fault | None = None


def whole_items(body: bytes) -> Items:
    text = _text_of(body)
    decoder = json.JSONDecoder(parse_constant=_no_such_word)
    at, items, end, fault_ = _after_space(text, _after_space(text, 0) + 1), list[Any](), 0, None
    while text[at : at + 1] != "]":
        try:
            value, end_of_value = decoder.raw_decode(text, at)
        except NOT_READ_EITHER as exc:
            fault_ = _reason(text, exc, exc, at)
            break
        items.append(as_read(value))
        end, at = end_of_value, _after_space(text, end_of_value)
        if text[at : at + 1] == "]":
            break
        if text[at : at + 1] != ",":
            fault_ = _at(text[at:], 0, "Expecting ',' delimiter")
            break
        at = _after_space(text, at + 1)
        if text[at : at + 1] == "]":
            fault_ = fault("", FaultCode.JSON_TRAILING_COMMA, at=0)
            break
    return Items(items, _byte(text, end), fault_)


def broken_texts(value: Any, path: str, depth: int = 0) -> Iterator[Fault]:
    """A fault for each text or name in the value that holds a lone surrogate."""
    if isinstance(value, str):
        code = _broken(value)
        if code is not None:
            yield fault(path, code)
    elif depth > DEPTH_MAX:
        return
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from broken_texts(item, f"{path}[{index}]", depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if _broken(name) is not None:
                yield from broken_texts(name, path)
            else:
                yield from broken_texts(item, spelling.joined(path, name), depth + 1)


def _mended(value: Any, depth: int = 0) -> Any:
    """The value with all its texts as texts, so that its other faults can be looked for."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if depth > DEPTH_MAX:
        return None
    if isinstance(value, list):
        return [_mended(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item, depth + 1) for name, item in value.items()}
    return value


def _broken(text: str) -> FaultCode | None:
    """What is wrong with a text, if anything is."""
    try:
        text.encode()
    except UnicodeEncodeError as exc:
        return FaultCode.NOT_UTF8 if text[exc.start] == STRAY else FaultCode.HALF_A_PAIR
    return None


def several_values(body: bytes) -> bool:
    """Whether the body begins with a JSON object, after which another one follows: NDJSON."""
    line, _, rest = body[:READ_AGAIN_BYTES].lstrip().partition(b"\n")
    if rest.lstrip()[:1] != b"{":
        return False
    try:
        return isinstance(msgspec.json.decode(line), dict)
    except NOT_READ:
        return False


def reason_of(body: bytes, error: Exception) -> Fault:
    """Why the body is no JSON, of which msgspec said this; a long one is not read again."""
    found = read_again(body, error) if len(body) <= READ_AGAIN_BYTES else _unread(error)
    return found if isinstance(found, Fault) else _unread(error)


def _unread(error: Exception) -> Fault:
    """The fault as far as msgspec's error says it."""
    if isinstance(error, UnicodeDecodeError):
        return fault("", FaultCode.NOT_UTF8)
    words = str(error)
    if "truncated" in words:
        return fault("", FaultCode.JSON_ENDS_EARLY)
    if "surrogate" in words:
        return fault("", FaultCode.HALF_A_PAIR)
    at = AT_BYTE.search(words)
    if at is None:
        return fault("", FaultCode.NUMBER_TOO_LARGE)
    return fault("", FaultCode.NOT_JSON, at=at[1])


def _reason(text: str, error: Exception, before: Exception, first: int = 0) -> Fault:
    """Why the value that begins at `first` is not JSON; `before`: what msgspec said of it."""
    match error:
        case NoSuchWord():
            return fault("", FaultCode.JSON_NO_SUCH_WORD, word=quoted(str(error)))
        case RecursionError():
            return fault("", FaultCode.JSON_TOO_DEEP)
        case json.JSONDecodeError(pos=at):
            return _at(text[first:], at - first, error.msg)
    return _unread(before)  # a number of thousands of digits


def _at(text: str, at: int, words: str) -> Fault:
    """Why the standard library stopped at this character, with its words."""
    here, before = text[at : at + 1], text[max(at - 64, 0) : at].rstrip()[-1:]
    word = WORD.match(text, at)
    code = FaultCode.NOT_JSON
    if not text[at:].strip() or words.startswith("Unterminated string"):
        return fault("", FaultCode.JSON_ENDS_EARLY)
    if here == "'":
        code = FaultCode.JSON_SINGLE_QUOTES
    elif text[at : at + 2] in ("//", "/*") or here == "#":
        code = FaultCode.JSON_COMMENT
    elif "control character" in words:
        code = FaultCode.JSON_CONTROL_CHARACTER
    elif "escape" in words:
        code = FaultCode.JSON_BACKSLASH
    elif here in ("}", "]") and before == ",":
        code = FaultCode.JSON_TRAILING_COMMA
    elif before == "0" and here.isdigit():
        code = FaultCode.JSON_LEADING_ZERO
    elif "property name" in words and here != "}":
        code = FaultCode.JSON_NAME_WITHOUT_QUOTES
    elif words.startswith("Expecting value") and word is not None:
        return fault("", FaultCode.JSON_NO_SUCH_WORD, word=quoted(word[0][:20]))
    elif words.startswith("Extra data"):
        code = FaultCode.JSON_GOES_ON
    elif "',' delimiter" in words:
        code = FaultCode.JSON_MISSING_COMMA
    return fault("", code, at=_byte(text, at))


def _byte(text: str, at: int) -> int:
    return len(text[:at].encode("utf-8", "replace"))  # a stray byte is one again


def _after_space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return found.end() if found else at


def _no_such_word(word: str) -> float:
    raise NoSuchWord(word)


def _text_of(body: bytes) -> str:
    text = body.decode("utf-8", "surrogateescape")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.translate(STRAYS)
    return text
