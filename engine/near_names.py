"""The known name that somebody may have meant who wrote another one."""

from collections.abc import Iterable
from difflib import get_close_matches

CHARS_MAX = 64  # comparing costs the product of both lengths
NEAR = 0.65  # how alike two names are that are taken for one, of at most 1: `uri` and `url` are


def near_name(given: str, known: Iterable[str]) -> str | None:
    """The most similar of the known names; None if none is similar."""
    if len(given) > CHARS_MAX:
        return None
    by_plain = {_plain(name): name for name in sorted(known)}
    found = get_close_matches(_plain(given), by_plain, n=1, cutoff=NEAR)
    return by_plain[found[0]] if found else None


def _plain(name: str) -> str:
    """`fullName`, `full-name` and `FULL_NAME` are `full_name`, misspelt in other ways."""
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")
