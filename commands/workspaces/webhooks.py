"""`hookbundle webhook ...`: the webhooks of a workspace, each by its id."""

from typing import Any

import click

from hookbundle.commands.consequences import (
    ask_on_terminal,
    ask_to_merge,
    of_discarding,
    refuse_both,
)
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import NOT_FOUND, CommandFailure
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
from hookbundle.commands.terminal.words import counted
from hookbundle.commands.workspaces.acting import act, keep_option, rotate, send_test
from hookbundle.commands.workspaces.filters import filter_option, filter_test
from hookbundle.commands.workspaces.limits import Limits
from hookbundle.commands.workspaces.requests import in_words as request_in_words
from hookbundle.commands.workspaces.requests import request_options, say_dropped, take_request
from hookbundle.commands.workspaces.simulation import WindowText, simulate
from hookbundle.commands.workspaces.success import (
    shown,
    success_option,
    success_rule_option,
    wanted_rules,
)
from hookbundle.engine.errors import InvalidInput
from hookbundle.engine.phrasing import ENGLISH
from hookbundle.engine.windows import in_words
from hookbundle.engine.windows.rule import CUSTOM

SHOWN = (
    "id",
    "url",
    "aggregation",
    "rule",
    "window",
    "success",
    "success_rules",
    "filter",
    "request",
    "limits.messages",
    "limits.bytes",
    "rate",
    "budget",
    "warnings",
    "state",
    "full",
    "consecutive_errors",
    "last_error",
    "disabled_reason",
    "disabled_at",
    "next_attempt_at",
    "counts.windows",
    "counts.queued",
    "counts.dead_letters",
    "counts.held_messages",
    "counts.overflowed",
    "meter.messages",
    "meter.calls",
)
LISTED = ("id", "state", "full", "aggregation", "counts.windows", "counts.queued", "url", "rule")
PACE = (
    "pace.used",
    "pace.left",
    "pace.counted_since",
    "pace.resets_at",
    "pace.forecast",
    "pace.used_up_at",
)


@click.group(cls=Group)
def webhook() -> None:
    """Webhooks of a workspace: each has its URL, window, queue and state."""


@webhook.command("list")
@click.argument("ws")
@no_header
@as_json
@pass_shared
def list_webhooks(shared: Shared, ws: str, no_header: bool, as_json: bool) -> None:
    """Lists the webhooks of workspace WS with their states."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "webhooks")))["webhooks"]
    rows = found if as_json else [_in_words(each) for each in found]
    show(rows, as_json=as_json, no_header=no_header, columns=LISTED)


@webhook.command("show")
@click.argument("ws")
@click.argument("webhook")
@as_json
@pass_shared
def show_webhook(shared: Shared, ws: str, webhook: str, as_json: bool) -> None:
    """Prints a webhook's settings and how it is doing."""
    found = shared.ask(lambda control: control.get(at("workspaces", ws, "webhooks", webhook)))
    show(found if as_json else _in_words(found), as_json=as_json, columns=_columns(found))


@webhook.command("set")
@click.argument("ws")
@click.argument("webhook")
@click.option("--url", metavar="URL", help="Where it posts to.")
@click.option("--aggregation", metavar="DURATION", help="The window: none, or 1s to 24h, e.g. 6h.")
@click.option(
    "--window",
    type=WindowText(),
    metavar="JSON",
    help='By which rule a window ends: JSON or @FILE, e.g. \'{"quiet": "10m", "max": "6h"}\'.',
)
@success_option
@success_rule_option
@filter_option
@request_options
@click.option("--rate", metavar="RATE", help="The most requests in a time: none, or e.g. 100/10s.")
@click.option("--budget", metavar="BUDGET", help="The most a day: none, or e.g. 1000/day.")
@click.option(
    "--limits",
    type=Limits(),
    metavar="LIMITS",
    help="Where a bundle ends early: messages=500,bytes=256KiB, or default.",
)
@click.option(
    "--warnings",
    type=click.Choice(["on", "off"]),
    help="Whether errors in a row are told before they disable it.",
)
@yes_option
@as_json
@pass_shared
def set_webhook(
    shared: Shared, /, ws: str, webhook: str, yes: bool, as_json: bool, **given: Any
) -> None:
    """Changes the given settings of WEBHOOK; creates it if WS has none of this id."""
    url, aggregation, request = given["url"], given["aggregation"], take_request(given)
    if given["window"] is not None:
        if aggregation is not None:
            raise click.UsageError("give --window or --aggregation, not both")
        aggregation = "none" if given["window"] == "none" else CUSTOM
    ask_on_terminal(shared, ws, "set", webhook=webhook, yes=yes, url=url, aggregation=aggregation)
    given["success_rules"] = wanted_rules(given["success_rules"])
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if request is not None:
        wanted["request"] = request
    for name in ("rate", "budget"):
        if wanted.get(name) == "none":
            wanted[name] = None
    if "warnings" in wanted:
        wanted["warnings"] = wanted["warnings"] == "on"

    async def work(control: Control) -> Any:
        try:
            return await control.send("PATCH", at("workspaces", ws, "webhooks", webhook), wanted)
        except CommandFailure as exc:
            if exc.exit_code != NOT_FOUND:
                raise
            document = {"id": webhook, **wanted}
            return await control.send("POST", at("workspaces", ws, "webhooks"), document)

    found = shared.ask(work)
    say_dropped(found)
    secret = found.get("secret")
    if secret and not as_json:
        output.say(f"Created {webhook} of {ws}. Its signing secret is shown only now: {secret}")
    show(found if as_json else _in_words(found), as_json=as_json, columns=_columns(found))


@webhook.command("delete")
@click.argument("ws")
@click.argument("webhook")
@yes_option
@as_json
@pass_shared
def delete_webhook(shared: Shared, ws: str, webhook: str, yes: bool, as_json: bool) -> None:
    """Deletes WEBHOOK with what it holds, its history and its logs."""
    url = at("workspaces", ws, "webhooks", webhook)
    if not yes:
        counts = shared.ask(lambda control: control.get(url))["counts"]
        confirm(
            f"Delete webhook {webhook} of {ws}? {counted(counts['held_messages'])} will never be "
            f"sent by it, and {counts['dead_letters']} dead letters, its history and its logs are "
            "gone.",
            yes=False,
        )
    found = shared.ask(lambda control: control.send("DELETE", url))
    show(found, as_json=as_json, columns=tuple(found))


@webhook.command("enable")
@click.argument("ws")
@click.argument("webhook")
@click.option("--discard", is_flag=True, help="Discard the held messages instead of sending.")
@click.option("--merge", is_flag=True, help="Merge what waits of each chat before it is sent.")
@yes_option
@as_json
@pass_shared
def enable(
    shared: Shared,
    ws: str,
    webhook: str,
    discard: bool,
    merge: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Enables WEBHOOK; sending resumes where it stopped.

    With --discard it says what will be lost, and asks first.
    """
    refuse_both(discard, merge)
    if discard and not yes:
        lost = shared.ask(lambda control: of_discarding(control, ws, webhook))
        words = f"Enable {webhook} of {ws} and discard what it holds?"
        confirm(f"{words} {lost} will never be sent by it.", yes=False)
    if merge:
        ask_to_merge(shared, ws, webhook, yes=yes)
    found = act(shared, ws, webhook, "enable", {"discard": discard, "merge": merge})
    show(found, as_json=as_json, columns=tuple(found))


@webhook.command("merge")
@click.argument("ws")
@click.argument("webhook")
@yes_option
@as_json
@pass_shared
def merge_waiting(shared: Shared, ws: str, webhook: str, yes: bool, as_json: bool) -> None:
    """Merges what waits for WEBHOOK and was never attempted, chat by chat.

    Nothing is sent until that is done. It says what waits, and asks first.
    """
    ask_to_merge(shared, ws, webhook, yes=yes)
    found = act(shared, ws, webhook, "merge", {})
    show(found, as_json=as_json, columns=tuple(found))


@webhook.command("disable")
@click.argument("ws")
@click.argument("webhook")
@yes_option
@as_json
@pass_shared
def disable(shared: Shared, ws: str, webhook: str, yes: bool, as_json: bool) -> None:
    """Disables WEBHOOK; messages are still accepted, and held for it."""
    ask_on_terminal(shared, ws, "disable", webhook=webhook, yes=yes)
    show(act(shared, ws, webhook, "disable", {}), as_json=as_json, columns=("changed",))


@webhook.command("test")
@click.argument("ws")
@click.argument("webhook")
@as_json
@pass_shared
def test(shared: Shared, ws: str, webhook: str, as_json: bool) -> None:
    """Sends a test request and prints the result; fails unless it was delivered."""
    send_test(shared, ws, webhook, as_json=as_json)


@webhook.command("rotate-secret")
@click.argument("ws")
@click.argument("webhook")
@keep_option
@yes_option
@as_json
@pass_shared
def rotate_secret(
    shared: Shared, ws: str, webhook: str, keep: str, yes: bool, as_json: bool
) -> None:
    """Adds a new signing secret and prints it; it is never shown again."""
    rotate(shared, ws, webhook, keep=keep, yes=yes, as_json=as_json)


def _in_words(found: dict[str, Any]) -> dict[str, Any]:
    """The webhook with its window as a sentence, `rule`; null for one that only a newer daemon
    knows. And with its request in words."""
    found = {**shown(found), "request": request_in_words(found.get("request"))}
    try:
        return {**found, "rule": in_words.sentence(found["window"], ENGLISH)}
    except InvalidInput:
        return {**found, "rule": None}


def _columns(found: dict[str, Any]) -> tuple[str, ...]:
    """What is shown of a webhook; of its budget only if it has one."""
    return (*SHOWN, *PACE) if found["pace"] else SHOWN


webhook.add_command(filter_test)
webhook.add_command(simulate)
