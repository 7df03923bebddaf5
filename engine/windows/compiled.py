"""The setting of a webhook's windows, from what is stored of it."""

from functools import lru_cache

import msgspec

from hookbundle.engine.filters.compiled import SMALL_BYTES
from hookbundle.engine.windows.parsing import parse
from hookbundle.engine.windows.rule import Every, Rule, WindowSetting

# As filters are kept (engine/filters/compiled.py): nobody's large ones push out the small ones.


def setting_of(aggregation_ms: int, window: bytes) -> WindowSetting:
    """`window`: what `written` made, or empty if `aggregation_ms` says all, as it mostly does."""
    if not window:
        return _plain(aggregation_ms)
    return _small(window) if len(window) <= SMALL_BYTES else _large(window)


@lru_cache(maxsize=4_096)
def _plain(aggregation_ms: int) -> WindowSetting:
    return WindowSetting(Rule(Every(aggregation_ms) if aggregation_ms else None))


@lru_cache(maxsize=4_096)
def _small(window: bytes) -> WindowSetting:
    return parse(msgspec.json.decode(window))


@lru_cache(maxsize=128)
def _large(window: bytes) -> WindowSetting:
    return parse(msgspec.json.decode(window))
