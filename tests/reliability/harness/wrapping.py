"""How functions of the product are replaced by those that die; one that is gone is an error.

Everything here raises AttributeError for a name that the owner does not have (any more).
"""

import inspect
import os
import signal
from collections.abc import Callable
from functools import wraps
from typing import Any

Call = Callable[..., Any]


class Point:
    """Is passed, and the chosen time ends the process."""

    def __init__(self, nth: int) -> None:
        self._left = nth

    @property
    def is_near(self) -> bool:
        """The next passing is the last one."""
        return self._left == 1

    def passed(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def before(owner: object, name: str, point: Point, when: Call = lambda *_: True) -> None:
    """The point is passed before each call whose arguments are such."""
    original: Call = getattr(owner, name)

    @wraps(original)
    def wrapped(*args: Any, **more: Any) -> Any:
        if when(*args):
            point.passed()
        return original(*args, **more)

    setattr(owner, name, wrapped)


def after(owner: object, name: str, point: Point, when: Call = lambda _: True) -> None:
    """The point is passed after each call, awaited if need be, whose result is such."""
    original: Call = getattr(owner, name)

    def weigh(result: Any) -> Any:
        if when(result):
            point.passed()
        return result

    @wraps(original)
    def wrapped(*args: Any, **more: Any) -> Any:
        return weigh(original(*args, **more))

    @wraps(original)
    async def awaited(*args: Any, **more: Any) -> Any:
        return weigh(await original(*args, **more))

    setattr(owner, name, awaited if inspect.iscoroutinefunction(original) else wrapped)


def replace(owner: object, name: str, new: Any) -> Any:
    """What was there before."""
    original = getattr(owner, name)
    setattr(owner, name, new)
    return original
