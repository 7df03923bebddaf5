"""The types of facts by name: which a filter may ask for, and what is said of any other.

A type that gets another name is named in engine/delivery/former_names.py: readers may ask for it by
either name, whatever the database holds.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache

from hookbundle.engine.delivery import former_names
from hookbundle.engine.errors import Fault, quoted
from hookbundle.engine.faults import FaultCode, fault
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.facts import all_facts

OLD_TYPES = ("message.accepted", "message.skipped")  # databases of 0.1 may still hold them

NEAR_MAX = 3


@cache
def present_types() -> tuple[str, ...]:
    return (*(type_of(kind) for kind in all_facts()), *OLD_TYPES)


@cache
def known_types() -> tuple[str, ...]:
    """Every name by which a type may be asked for."""
    return (*present_types(), *former_names.FACTS)


def unknown_types(globs: Iterable[str]) -> list[str]:
    """Those of the filters, like `delivery.*`, that no type will ever match."""
    return [glob for glob in globs if not any(fnmatchcase(kind, glob) for kind in known_types())]


def hint_of(glob: str) -> tuple[list[str], list[str]]:
    """The types and families that are near an unknown one, and all families."""
    families = sorted({f"{kind.partition('.')[0]}.*" for kind in present_types()})
    return get_close_matches(glob, [*present_types(), *families], n=NEAR_MAX), families


def no_type(path: str, glob: str) -> Fault:
    """The fault of a filter that would wait for ever."""
    near, families = hint_of(glob)
    if near:
        return fault(path, FaultCode.MISSPELT_TYPE, got=quoted(glob), near=" or ".join(near))
    return fault(path, FaultCode.NO_TYPE, got=quoted(glob), known=", ".join(families))
