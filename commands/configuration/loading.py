"""How the values of the settings are read, and which one overrides which.

    flag > environment > --config FILE > $XDG_CONFIG_HOME/hookbundle/config.toml
         > /etc/hookbundle/config.toml > default

A secret may also be in a file of its own, which `HOOKBUNDLE_SMTP__PASSWORD_FILE` names. Unknown
settings are refused, and values beyond a setting's range.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from hookbundle.commands.configuration import variables
from hookbundle.commands.configuration.settings import (
    BY_NAME,
    BY_VARIABLE,
    DEFAULT,
    FROM_FILE,
    SETTINGS,
    Configuration,
    Setting,
    Value,
)
from hookbundle.engine.errors import ConfigError


def load(
    flags: Mapping[str, str | None], environ: Mapping[str, str], files: Sequence[Path]
) -> Configuration:
    """The configuration; an earlier file of `files` overrides a later one.

    Raises: ConfigError, which names the setting and the source.
    """
    loaded, faults = with_faults(flags, environ, files)
    if faults:
        raise faults[0]
    return loaded


def with_faults(
    flags: Mapping[str, str | None], environ: Mapping[str, str], files: Sequence[Path]
) -> tuple[Configuration, list[ConfigError]]:
    """As `load`, with everything that is wrong; what is wrong counts as not set."""
    values = {setting.name: _value(setting, setting.default, DEFAULT) for setting in SETTINGS}
    faults: list[ConfigError] = []

    def take(name: str, written: Callable[[], object], origin: str) -> None:
        try:
            if name not in BY_NAME:
                hint = variables.hint(name, BY_NAME)
                raise ConfigError(f"{origin}: unknown setting {name!r}; {hint}")
            values[name] = _value(BY_NAME[name], written(), origin)
        except ConfigError as exc:
            faults.append(exc)

    for path in reversed(files):
        try:
            found = _flattened(_read(path))
        except ConfigError as exc:
            faults.append(exc)
            continue
        for name, written in found.items():
            take(name, partial(_given, written), str(path))
    for variable, setting in BY_VARIABLE.items():
        if setting.secret and variable + FROM_FILE in environ:
            path = Path(environ[variable + FROM_FILE])
            take(setting.name, partial(_secret, path), f"{variable}{FROM_FILE} {path}")
        if variable in environ:
            take(setting.name, partial(_given, environ[variable]), variable)
    known = set(BY_VARIABLE)
    known |= {v + FROM_FILE for v, setting in BY_VARIABLE.items() if setting.secret}
    if (unknown := variables.unknown(environ, known)) is not None:
        hint = variables.hint(unknown, known)
        faults.append(ConfigError(f"{unknown}: unknown setting; {hint}"))
    for name, given in flags.items():
        if given is not None:
            take(name, partial(_given, given), f"--{name}")
    return Configuration(values), faults


def _given(written: object) -> object:
    return written


def _value(setting: Setting, written: object, origin: str) -> Value:
    try:
        parsed = setting.kind.read(written)
    except ValueError as exc:
        why = str(exc).partition("; got ")[0] if setting.secret else str(exc)
        raise ConfigError(f"{setting.name} (from {origin}): {why}") from None
    shown = ",".join(map(str, written)) if isinstance(written, list) else str(written)
    return Value(setting, parsed, shown, origin)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path} can't be read: {exc.strerror}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(f"{path} is not TOML: {exc}") from exc


def _flattened(table: Mapping[str, Any], prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found.update(_flattened(value, f"{prefix}{key}."))
        else:
            found[f"{prefix}{key}"] = value
    return found


def _secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\n")
    except OSError as exc:
        raise ConfigError(f"{path} can't be read: {exc.strerror}") from exc
