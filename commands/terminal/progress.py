"""A bar on stderr for as long as a command works, if a terminal shows it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import ProgressColumn

Columns = Callable[[], tuple["str | ProgressColumn", ...]]
Update = Callable[..., None]


def is_shown() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


@contextmanager
def bar(columns: Columns, what: str, total: int | None = None, **fields: Any) -> Iterator[Update]:
    """Yields what is called with the changes: `completed=`, `advance=`, `description=`, fields.

    `columns` is called only if the bar is shown, so that it may import what draws them.
    """
    if not is_shown():
        yield _unseen
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(*columns(), console=Console(stderr=True), transient=True) as progress:
        yield partial(progress.update, progress.add_task(what, total=total, **fields))


def _unseen(**changes: Any) -> None:
    """Nobody sees the bar."""
