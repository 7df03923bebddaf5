"""What a resource of the API said, as the type that it was made from."""

from typing import TypeVar

import msgspec
from aiohttp import web

T = TypeVar("T", bound=msgspec.Struct)


def decoded(answer: web.Response, kind: type[T]) -> T:
    """The pages act through the API, and so see what its callers see."""
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body, type=kind)
