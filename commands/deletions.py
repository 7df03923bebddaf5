"""`workspace delete` and `chats delete`: deletion is final, so both ask first."""

from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared

yes = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@click.command("delete")
@click.argument("ws")
@yes
@as_json
@pass_shared
def delete_workspace(shared: Shared, ws: str, yes: bool, as_json: bool) -> None:
    """Deletes workspace WS with all its chats, deliveries and logs, sent or not."""
    url = at("workspaces", ws)
    if not yes:
        found = shared.ask(lambda control: control.get(url))
        held = found["counts"]["held_messages"]
        dead_letters = found["counts"]["parked"]
        click.confirm(
            f"Delete {ws}, with {held} messages not yet sent and {dead_letters} dead letters?",
            abort=True,
            err=True,
        )
    _show(shared.ask(lambda control: control.send("DELETE", url)), as_json=as_json)


@click.command("delete")
@click.argument("ws")
@click.argument("chat")
@yes
@as_json
@pass_shared
def delete_chat(shared: Shared, ws: str, chat: str, yes: bool, as_json: bool) -> None:
    """Deletes CHAT of workspace WS: its open window, its deliveries and its log entries."""
    if not yes:
        click.confirm(
            f"Delete chat {chat} of {ws}, including messages not yet sent?", abort=True, err=True
        )
    url = at("workspaces", ws, "chats", chat)
    _show(shared.ask(lambda control: control.send("DELETE", url)), as_json=as_json)


def _show(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        output.show_json(found)
        return
    output.show_facts(found.items())
    output.say("Deleted. `hookbundle compact` also erases the bytes from the disk.")
