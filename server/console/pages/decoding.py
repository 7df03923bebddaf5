"""What a resource of the API said, as the type it was made from; and JSON that somebody wrote."""

from typing import Any, TypeVar

import msgspec
from aiohttp import web

from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.engine.messages import malformed, mistaken

T = TypeVar("T", bound=msgspec.Struct)


def decoded(answer: web.Response, kind: type[T]) -> T:
    """The pages act through the API, and so see what its callers see."""
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body, type=kind)


def json_of(text: str, path: str) -> Any:
    """The value that the text of a field is. Raises: InvalidInput, with paths that begin so."""
    body = text.encode("utf-8", "replace")
    value = malformed.value_of(body)
    if isinstance(value, malformed.Broken):
        raise InvalidInput.with_faults(each.within(path) for each in value.faults)
    wrong = value if isinstance(value, Fault) else mistaken.given_twice(body)
    if wrong is not None:
        raise InvalidInput((wrong.within(path),))
    return value
