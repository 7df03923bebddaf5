"""The format of a webhook, as it was set."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hookbundle.engine.formats.presets import NO_RECORD, SKIP, Preset

SEED = "seed"
TEMPLATE = "template"  # the field that holds a template of one's own


@dataclass(frozen=True, slots=True)
class Format:
    """A format without faults. `format`, `options`: as they are stored, both empty for the seed.

    `preset`: the one it is, if it is one.
    """

    format: bytes = b""
    options: bytes = b""
    preset: Preset | None = None

    @property
    def is_seed(self) -> bool:
        return not self.format

    @property
    def name(self) -> str:
        """`seed`, the name of the preset, or `template`."""
        if self.is_seed:
            return SEED
        return TEMPLATE if self.preset is None else self.preset.name

    @property
    def skips_without_record(self) -> bool:
        """Whether a chat that the receiver could not find is not sent."""
        if self.preset is None or not self.preset.record:
            return False
        return self.given_options.get(NO_RECORD, self.preset.no_record) == SKIP

    @property
    def given_options(self) -> Mapping[str, str]:
        read: dict[str, str] = msgspec.json.decode(self.options) if self.options else {}
        return read

    @property
    def effective_options(self) -> Mapping[str, str]:
        """What a template gets: those given, and the defaults of the others."""
        given = {name: value for name, value in self.given_options.items() if name != NO_RECORD}
        if self.preset is None:
            return given
        defaults = {each.name: each.default for each in self.preset.variables}
        return {**defaults, **{name: value for name, value in given.items() if value}}

    def shown_options(self) -> dict[str, Any]:
        """The options as answers show them: of secret ones only that they are set."""
        secrets = self.preset.secrets if self.preset is not None else frozenset()
        return {
            name: {"set": True} if name in secrets else value
            for name, value in self.given_options.items()
        }
