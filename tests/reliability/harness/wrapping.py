"""Wraps functions of the product so that the process kills itself at a chosen call.

Every function here raises AttributeError when the product has no function of that name (any more),
so that a failpoint whose target was renamed is noticed.
"""

import inspect
import os
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

Call = Callable[..., Any]


class Point:
    """Counts its passings; the n-th one kills the process, as kill -9 would."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    @property
    def is_near(self) -> bool:
        """Whether the next passing kills the process."""
        return self._left == 1

    def passed(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def before(owner: object, name: str, point: Point, when: Call = lambda *_: True) -> None:
    """From now on the point is passed before each call whose arguments satisfy `when`."""
    original: Call = getattr(owner, name)

    @wraps(original)
    def wrapped(*args: Any, **more: Any) -> Any:
        if when(*args):
            point.passed()
        return original(*args, **more)

    setattr(owner, name, wrapped)


def after(owner: object, name: str, point: Point, when: Call = lambda _: True) -> None:
    """From now on the point is passed after each call whose result satisfies `when`.

    The result of a coroutine function is awaited first.
    """
    original: Call = getattr(owner, name)

    def checked(result: Any) -> Any:
        if when(result):
            point.passed()
        return result

    @wraps(original)
    def wrapped(*args: Any, **more: Any) -> Any:
        return checked(original(*args, **more))

    @wraps(original)
    async def awaited(*args: Any, **more: Any) -> Any:
        return checked(await original(*args, **more))

    setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else wrapped)


def replace(owner: object, name: str, new: Any) -> Any:
    """Returns the attribute as it was before."""
    original = getattr(owner, name)
    setattr(owner, name, new)
    return original
