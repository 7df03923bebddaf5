"""The known name that somebody may have meant who wrote another one."""

from collections.abc import Iterable
from difflib import get_close_matches

CHARS_MAX = 64  # comparing costs the product of both lengths


def near_name(given: str, known: Iterable[str]) -> str | None:
    """The most similar of the known names; None if none is similar."""
    if len(given) > CHARS_MAX:
        return None
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(given.casefold(), by_folded, n=1)
    return by_folded[found[0]] if found else None
