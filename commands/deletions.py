"""`workspace delete` and `chats delete`: deletion is final, so both ask first."""

from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    confirm,
    pass_shared,
    yes_option,
)
from hookbundle.commands.terminal.words import counted


@click.command("delete")
@click.argument("ws")
@yes_option
@as_json
@pass_shared
def delete_workspace(shared: Shared, ws: str, yes: bool, as_json: bool) -> None:
    """Deletes workspace WS with all its chats, deliveries and logs, sent or not."""
    url = at("workspaces", ws)
    if not yes:
        found = shared.ask(lambda control: control.get(url))
        counts = found["counts"]
        confirm(
            f"Delete {ws}? {counted(counts['held_messages'])} will never be sent, and "
            f"{counts['dead_letters']} dead letters, its history and its logs are gone.",
            yes=False,
        )
    _show(shared.ask(lambda control: control.send("DELETE", url)), as_json=as_json)


@click.command("delete")
@click.argument("ws")
@click.argument("chat")
@yes_option
@as_json
@pass_shared
def delete_chat(shared: Shared, ws: str, chat: str, yes: bool, as_json: bool) -> None:
    """Deletes CHAT of workspace WS: its open window, its deliveries and its log entries."""
    gone = "What it has not sent yet will never be sent, and its history is gone."
    confirm(f"Delete chat {chat} of {ws}? {gone}", yes=yes)
    url = at("workspaces", ws, "chats", chat)
    _show(shared.ask(lambda control: control.send("DELETE", url)), as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.show_json(found)
        return
    output.show_facts(found.items())
    output.say("Deleted. `hookbundle compact` also erases the bytes from the disk.")
