"""The presets: formats that somebody else has written, one for each receiver, as files of data.

Each is a JSON file in the folder `presets`, named as the preset, of the shape of `Preset`. Its
template is checked when a webhook is set to it, as any other; a test reads them all. To add one is
to add a file.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any, Literal

import msgspec

SEND: Literal["send"] = "send"
SKIP: Literal["skip"] = "skip"
NO_RECORD = "no_record"  # the option with which a workspace chooses between the two


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What people read, in both languages."""

    en: str
    ar: str


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the template wants to be told: `{{ options.NAME }}`.

    `secret`: it is never shown again. `default`: in its place if it is not given.
    """

    name: str
    label: Words
    required: bool = False
    secret: bool = False
    default: str = ""


class Request(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The request that the receiver expects; proposed to people, and not set for them.

    `url`: as it looks, with `<...>` for what everybody has of his own. `auth`: its type.
    """

    url: str = ""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    auth: Literal["none", "bearer", "basic", "header", "oauth2"] = "none"


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a bundle; None: the usual ones."""

    messages: int | None = None
    bytes: int | None = None


class Preset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A format, and all that its receiver wants beside it.

    `title`, `about`: for people. `success`, `success_rules`: as a webhook has them. `rate`: as a
    webhook has it, empty for none. `record`: the names of the context of which one has to have a
    value, so that the receiver can find the record of its own that is meant; empty if it needs
    none. `no_record`: what becomes of a body without one of these: sent all the same, without being
    put to any record, or skipped. `notes`: what is not sure about the receiver, for those who set
    it up.
    """

    name: str
    title: Words
    about: Words
    template: Any
    request: Request = Request()
    success: str = "200"
    success_rules: tuple[dict[str, Any], ...] = ()
    limits: Limits = Limits()
    rate: str = ""
    variables: tuple[Variable, ...] = ()
    record: tuple[str, ...] = ()
    no_record: Literal["send", "skip"] = SEND
    notes: tuple[Words, ...] = ()

    @property
    def option_names(self) -> tuple[str, ...]:
        """The names that `format_options` may have."""
        return (*(each.name for each in self.variables), *([NO_RECORD] if self.record else []))

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the options that are never shown again."""
        return frozenset(each.name for each in self.variables if each.secret)


@cache
def presets() -> Mapping[str, Preset]:
    """All presets by name, in the order of their names."""
    folder = resources.files("hookbundle.engine.formats").joinpath("presets")
    found = sorted((each for each in folder.iterdir() if each.name.endswith(".json")), key=_name)
    return MappingProxyType({_name(each): _read(each.read_bytes()) for each in found})


def _name(file: Any) -> str:
    return str(file.name.removesuffix(".json"))


def _read(content: bytes) -> Preset:
    return msgspec.json.decode(content, type=Preset)
