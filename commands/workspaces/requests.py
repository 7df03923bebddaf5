"""The options `--method`, `--header` and `--auth` of a webhook, and its request in words.

What is written on a command line stands in the list of processes and in the shell's history. So in
the place of a secret there may be `@FILE`, or `env:NAME` for a variable of the environment.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.json_text import NoJson, read
from hookbundle.commands.terminal.secret_text import FILE, secret_of
from hookbundle.engine.requests.request import METHODS, SET

F = TypeVar("F", bound=Callable[..., Any])

NONE = "none"
FORM = (
    "write none, bearer:TOKEN, basic:USER:PASSWORD, header:NAME:VALUE, or JSON, which may be in a "
    "file: @FILE"
)
PLACES = "@FILE and env:NAME stand for a secret that is there"
DROPPED = {"headers": "headers", "auth": "credentials", "client_secret": "the client secret"}


class HeaderLine(click.ParamType[tuple[str, Any]]):
    """`Name: value`; a name alone keeps the value that is stored; `none` is no header at all."""

    name = "header"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        name, colon, text = str(value).partition(":")
        if not colon:
            return name.strip(), dict(SET)
        return name.strip(), secret_of(text.strip(), f"--header {name.strip()}")


class AuthText(click.ParamType[dict[str, Any]]):
    """Credentials in a short form, or as the API takes them. The daemon judges what is in it."""

    name = "auth"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        kind, _, rest = str(value).partition(":")
        first, colon, second = rest.partition(":")
        if value == NONE:
            return {"type": NONE}
        if kind == "bearer" and rest:
            return {"type": kind, "token": secret_of(rest, "--auth bearer")}
        if kind == "basic" and colon:
            return {"type": kind, "username": first, "password": secret_of(second, "--auth basic")}
        if kind == "header" and colon:
            value = secret_of(second.strip(), "--auth header")
            return {"type": kind, "name": first.strip(), "value": value}
        try:  # what is no JSON may be a secret, so it is not repeated
            found = read(str(value), "auth") if str(value)[:1] in "@{" else None
        except NoJson as exc:
            self.fail(str(exc) if str(value)[:1] == FILE else f"it is not JSON; {FORM}", param, ctx)
        if not isinstance(found, dict):
            self.fail(FORM, param, ctx)
        return found


def request_options(command: F) -> F:
    """`--method`, `--header` and `--auth`."""
    for option in (
        click.option(
            "--auth", type=AuthText(), metavar="AUTH", help=f"Credentials: {FORM}; {PLACES}."
        ),
        click.option(
            "--header",
            "headers",
            type=HeaderLine(),
            multiple=True,
            metavar="'NAME: VALUE'",
            help="A header, in place of all there are; NAME alone keeps its value; none for none.",
        ),
        click.option("--method", type=click.Choice(METHODS), help="How it is called."),
    ):
        command = option(command)
    return command


def take_request(given: dict[str, Any]) -> dict[str, Any] | None:
    """The change that these options ask for, which are taken out of `given`; None if none was."""
    method, auth = given.pop("method"), given.pop("auth")
    headers: Sequence[tuple[str, Any]] = given.pop("headers")
    wanted: dict[str, Any] = {}
    if method is not None:
        wanted["method"] = method
    if headers:
        named = [each for each in headers if each != (NONE, SET)]
        wanted["headers"] = dict(named)
        if len(wanted["headers"]) < len(named):
            raise click.UsageError("a header is given twice")
    if auth is not None:
        wanted["auth"] = auth
    return wanted or None


def in_words(request: dict[str, Any] | None) -> str | None:
    """Method, names of headers and kind of credentials; null if the daemon does not know it."""
    if request is None:
        return None
    auth = request["auth"]
    words = [request["method"], *(f"{name} set" for name in request["headers"])]
    if auth["type"] != NONE:
        named = [auth[name] for name in ("name", "token_url", "client_id") if name in auth]
        state = "set" if auth.get("set") else "not set"
        words.append(" ".join(["auth", auth["type"], *named, state]))
    return ", ".join(words)


def say_dropped(found: dict[str, Any] | None) -> None:
    """What was not kept of a request, because the URL leads elsewhere."""
    dropped = (found or {}).get("dropped")
    if dropped:
        names = ", ".join(DROPPED.get(name, name) for name in dropped)
        output.say(f"Dropped: {names}. They were given for another host; set them anew.")
