"""`--setting K=V` of a source, and secrets that stand in no command line.

    account.full_name=Nadia     a part of a setting; the other parts stay as they are
    hmac_key=@FILE  hmac_key=-  a secret: from a file, or a line of stdin; on a terminal it is asked
    chat_url=none               takes a whole setting away, and no part of one
    fields=@fields.json         an object, in JSON
    channels=A,B                a list

While a secret is rotated it is given twice, the new one first. The daemon judges what is set.
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.commands.terminal.json_text import NoJson, read
from hookbundle.engine import limits
from hookbundle.engine.error_codes import quoted
from hookbundle.engine.sources.settings import SECRETS

NONE = "none"
OBJECTS = ("account", "accept", "header", "numbers", "inboxes", "fields")
BY_NUMBER = ("numbers", "inboxes")  # accounts by a name that may have dots
LISTS = ("channels", "message_events", "edit_events", "delete_events", "sent_values")
FLAGS = {"true": True, "false": False}
SECRET_PARTS = (*SECRETS, "header.value")

setting_option = click.option(
    "--setting",
    "given",
    multiple=True,
    metavar="K=V",
    help="A setting, as account.full_name=Nadia; none takes a whole one away. A secret is read: "
    "hmac_key=@FILE, or hmac_key=- from stdin. It may be repeated.",
)


@dataclass(frozen=True, slots=True)
class Given:
    """`whole`: settings by name, None to take one away. `parts`: of settings that are objects."""

    whole: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def document(self, present: dict[str, Any]) -> dict[str, Any]:
        """What the API is given. `present`: the settings that the source has, as they are shown."""
        document = dict(self.whole)
        for name, parts in self.parts.items():
            base = dict(self.whole[name] if name in self.whole else present.get(name, {}))
            if name == "header":
                base.pop("value", None)  # it is shown as a mark, and is no value
            for part, value in parts.items():
                is_account = isinstance(value, dict) and name in BY_NUMBER
                base[part] = {**base.get(part, {}), **value} if is_account else value
            document[name] = base
        return document


def read_settings(given: Iterable[str]) -> Given:
    """Raises: UsageError; CommandFailure if nobody types the secret that is asked."""
    found, secrets = Given(), dict[str, list[str]]()
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"--setting: {quoted(name)} has no value; write NAME=VALUE")
        if name in SECRET_PARTS and value != NONE:
            secrets.setdefault(name, []).append(_secret(name, value))
        else:
            _put(found, name, _value_of(name, value))
    for name, texts in secrets.items():
        _put(found, name, texts[0] if len(texts) == 1 else texts)
    return found


def _put(found: Given, name: str, value: Any) -> None:
    head, dot, part = name.partition(".")
    if not dot or head not in OBJECTS:
        if name in found.whole:
            raise click.UsageError(f"--setting: {name} is given twice")
        found.whole[name] = value
        return
    parts = found.parts.setdefault(head, {})
    if head in BY_NUMBER:
        number, _, field_name = part.rpartition(".")
        part, value = number, {**parts.get(number, {}), field_name: value}
    elif part in parts:
        raise click.UsageError(f"--setting: {name} is given twice")
    parts[part] = value


def _value_of(name: str, text: str) -> Any:
    head, dot, _ = name.partition(".")
    if dot and text == NONE and head in OBJECTS:
        raise click.UsageError(f"--setting {name}: none takes a whole setting away: {head}=none")
    if dot:
        return FLAGS.get(text, text) if name.startswith("accept.") else text
    if text == NONE:
        return None
    if name == "header" and not text.startswith("@"):
        raise click.UsageError(_shown_to_all("header.value"))
    if name in OBJECTS or (name in LISTS and text[:1] in ("[", "@")):
        try:
            return read(text, name)
        except NoJson as exc:
            raise click.UsageError(f"--setting {name}: {exc}") from exc
    if name in LISTS:
        return [each.strip() for each in text.split(",")]
    return FLAGS.get(text, text) if name == "fold_numbers" else text


def _secret(name: str, text: str) -> str:
    """Raises: UsageError if it stands in the command line, or there is none."""
    if text == "-":
        secret = _asked(name)
    elif text.startswith("@"):
        secret = _of_file(name, Path(text[1:]))
    else:
        raise click.UsageError(_shown_to_all(name))
    if not secret:
        raise click.UsageError(f"--setting {name}: there is no secret in what was read")
    return secret


def _shown_to_all(name: str) -> str:
    return (
        f"--setting {name}: every user of this machine can see a secret in a command line; "
        f"give {name}=@FILE, or {name}=- to type it or to read a line of stdin"
    )


def _asked(name: str) -> str:
    if sys.stdin is None:
        raise click.UsageError(f"--setting {name}: there is no stdin to read from; name a file")
    if not sys.stdin.isatty():
        return _text_of(name, sys.stdin.buffer.readline(limits.SETTINGS_BYTES_MAX))
    try:
        typed: str = click.prompt(name, hide_input=True, err=True)
    except click.Abort:
        raise CommandFailure("nothing was done", FAILED) from None
    return typed


def _of_file(name: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _text_of(name, file.read(limits.SETTINGS_BYTES_MAX))
    except OSError as exc:
        why = (exc.strerror or "the operating system refused it").lower()
        raise click.UsageError(f"--setting {name}: {path} can't be read: {why}") from exc


def _text_of(name: str, found: bytes) -> str:
    """The text without the end of its line."""
    try:
        return found.decode().rstrip("\r\n")
    except UnicodeDecodeError as exc:
        raise click.UsageError(f"--setting {name}: what was read is not UTF-8") from exc
