"""`hookbundle source ...`: adds, shows, changes and removes sources, and renews addresses."""

from typing import Any

import click

from hookbundle.commands.consequences import is_on_terminal, when_former_ends
from hookbundle.commands.sources.given import Given, read_settings, setting_option
from hookbundle.commands.sources.requests import requests
from hookbundle.commands.sources.trying import try_source
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    confirm,
    no_header,
    pass_shared,
    show,
    yes_option,
)
from hookbundle.commands.terminal.words import short_times, some
from hookbundle.engine.sources.settings import FIELDS, PROOFS

# Without its kind, with which its id begins: so there is room for its name.
LISTED = ("id", "name", "proven", "accepted", "refused", "last_request_at", "last_message_at")
HEAD = ("id", "kind", "name", "proven")
TAIL = (
    "counts",
    "last_request_at",
    "last_message_at",
    "requests",
    "remembers",
    "former_token_until",
    "created_at",
)

name_option = click.option("--name", metavar="NAME", help="What people call it.")


@click.group(cls=Group)
def source() -> None:
    """Sources of a workspace: systems whose events are its messages."""


@source.command("add")
@click.argument("ws")
@click.argument("kind", type=click.Choice(tuple(FIELDS)), metavar="KIND")
@name_option
@setting_option
@as_json
@pass_shared
def add(
    shared: Shared, ws: str, kind: str, name: str | None, given: tuple[str, ...], as_json: bool
) -> None:
    """Adds a source to WS and prints the address that it posts to, which is shown this once.

    KIND is waha, evolution, meta, chatwoot, timelinesai, twilio, 360dialog, green-api, whapi, wati,
    periskope or generic.
    """
    settings = read_settings(given).document({})
    document = {"kind": kind, "name": name or "", "settings": settings}
    found = shared.ask(
        lambda control: control.send("POST", at("workspaces", ws, "sources"), document)
    )
    if as_json:
        output.show_json(found)
        return
    output.say(f"Added {found['id']} to {ws}. Its address has a token, and is shown only now:")
    again = f"hookbundle source rotate-token {ws} {found['id']} --keep 0s"
    output.write_once(found["url"], f"For another address: {again}")
    _say_what_is_next(found, ws)


@source.command("list")
@click.argument("ws")
@no_header
@as_json
@pass_shared
def list_sources(shared: Shared, ws: str, no_header: bool, as_json: bool) -> None:
    """Lists the sources of workspace WS, and when each has posted last."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "sources")))["sources"]
    rows = found if as_json else [{**each, **_in_brief(each["counts"])} for each in found]
    show(rows, as_json=as_json, no_header=no_header, columns=LISTED)


@source.command("show")
@click.argument("ws")
@click.argument("source")
@as_json
@pass_shared
def show_source(shared: Shared, ws: str, source: str, as_json: bool) -> None:
    """Prints a source's settings, without its secrets, and what came of its events."""
    _show(shared.ask(lambda control: control.get(_url(ws, source))), as_json=as_json)


@source.command("set")
@click.argument("ws")
@click.argument("source")
@name_option
@setting_option
@as_json
@pass_shared
def set_source(
    shared: Shared, ws: str, source: str, name: str | None, given: tuple[str, ...], as_json: bool
) -> None:
    """Changes the given settings of SOURCE; what is not named stays as it is."""
    wanted = read_settings(given)
    named = {} if name is None else {"name": name}
    found = shared.ask(lambda control: change(control, _url(ws, source), wanted, named))
    _show(found, as_json=as_json)


@source.command("remove")
@click.argument("ws")
@click.argument("source")
@yes_option
@pass_shared
def remove(shared: Shared, ws: str, source: str, yes: bool) -> None:
    """Removes SOURCE: its address is unknown at once, and what it remembers is erased."""
    if not yes:
        found = shared.ask(lambda control: control.get(_url(ws, source)))
        confirm(
            f"Remove {source} ({found['kind']}) from {ws}? From then on what is posted to "
            f"its address is refused, and lost. {some(found['remembers'], 'entry', 'entries')} of "
            f"its memory and {some(found['requests'], 'request')} that it keeps are erased.",
            yes=False,
        )
    shared.ask(lambda control: control.send("DELETE", _url(ws, source)))
    output.say(f"removed {source}")


@source.command("rotate-token")
@click.argument("ws")
@click.argument("source")
@click.option(
    "--keep",
    metavar="DURATION",
    default="24h",
    show_default=True,
    help="How long the former address stays good; 0s: no longer.",
)
@yes_option
@as_json
@pass_shared
def rotate_token(shared: Shared, ws: str, source: str, keep: str, yes: bool, as_json: bool) -> None:
    """Makes another address for SOURCE and prints it; it is never shown again."""
    if is_on_terminal():
        confirm(
            f"Make another address for {source} of {ws}? The other system has to post to it: the "
            f"former one is refused {when_former_ends(keep)}.",
            yes=yes,
        )
    url = at("workspaces", ws, "sources", source, "rotate-token")
    found = shared.ask(lambda control: control.send("POST", url, {"keep": keep}))
    if as_json:
        output.show_json(found)
        return
    until = found["former_token_until"]
    former = f"The former address is good until {until}." if until else "No other address is good."
    output.say(short_times(former))
    output.write_once(found["url"], "The new address is good already; rotate it once more.")
    _say_where(found)


source.add_command(requests)
source.add_command(try_source)


def change(control: Control, url: str, wanted: Given, named: dict[str, str]) -> Any:
    """The source as it is then. Raises: CommandFailure; CONFLICT if somebody else changed it
    between its settings were read, of which parts stay, and were written."""
    present: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if wanted.parts:  # the API takes a setting as a whole
        found = control.get(url)
        present, headers = found["settings"], {"If-Match": f'"{found["version"]}"'}
    settings = wanted.document(present)
    document = {**named, **({"settings": settings} if settings else {})}
    return control.send("PATCH", url, document, headers)


def _url(ws: str, source: str) -> str:
    return at("workspaces", ws, "sources", source)


def _in_brief(counts: dict[str, int]) -> dict[str, int]:
    refused = sum(count for name, count in counts.items() if name.startswith("refused."))
    return {"accepted": counts.get("accepted", 0), "refused": refused}


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    """A line for each setting, and for each part of one."""
    if as_json:
        output.show_json(found)
        return
    facts = [(name, found[name]) for name in HEAD]
    facts += _facts_of("settings", found["settings"])
    output.show_facts([*facts, *((name, found[name]) for name in TAIL)])


def _facts_of(name: str, value: Any) -> list[tuple[str, Any]]:
    if value == {"set": True}:
        return [(name, "set")]
    if not isinstance(value, dict):
        return [(name, value)]
    return [fact for key, each in value.items() for fact in _facts_of(f"{name}.{key}", each)]


def _say_what_is_next(found: dict[str, Any], ws: str) -> None:
    _say_where(found)
    kind, id_ = found["kind"], found["id"]
    if not found["proven"]:
        secrets = [name for name in FIELDS[kind] if name in PROOFS]
        output.say(
            f"Who knows the address can post to it: set {' or '.join([*secrets, 'header'])} if "
            "the other system can send one."
        )
    output.say(f"What to switch on over there: docs/sources/{kind}.md")
    output.say(f"What comes from there: hookbundle source requests {ws} {id_} --follow")


def _say_where(found: dict[str, Any]) -> None:
    if found["url"].startswith("/"):
        output.say(
            "Before it belongs https:// and the name by which the other system reaches this "
            "daemon; with console.url set it is shown."
        )
