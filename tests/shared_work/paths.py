"""The patterns of the API's paths, made once for all daemons that the tests of this process start.

There are some two hundred, and making them is a sixth of what a start takes.
"""

import re
from functools import cache
from typing import Any

from aiohttp import web_urldispatcher
from aiohttp.web_urldispatcher import DynamicResource, Resource

_made: dict[str, tuple[re.Pattern[str], str]] = {}
_make: Any = DynamicResource.__init__


def _made_once(self: DynamicResource, path: str, *, name: str | None = None) -> None:
    """As the class makes itself; a pattern and a formatter depend on the path alone."""
    if path in _made:
        Resource.__init__(self, name=name)
        self._orig_path = path
        self._pattern, self._formatter = _made[path]
    else:
        _make(self, path, name=name)
        _made[path] = self._pattern, self._formatter


def begin() -> None:
    vars(web_urldispatcher)["_requote_path"] = cache(vars(web_urldispatcher)["_requote_path"])
    DynamicResource.__init__ = _made_once  # type: ignore[method-assign]
