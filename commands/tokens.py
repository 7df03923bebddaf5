"""`hookbundle token ...`: bearer tokens for those who come over TCP."""

import sys

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared, show

LISTED = ("id", "scope", "workspace", "created_at")


@click.group()
def token() -> None:
    """Bearer tokens for the HTTP API on TCP."""


@token.command("create")
@click.option(
    "--scope",
    type=click.Choice(["intake", "admin"]),
    required=True,
    help="intake: messages in, nothing else; admin: everything.",
)
@click.option("--workspace", metavar="WS", help="Good for this workspace only.")
@as_json
@pass_shared
def create(shared: Shared, scope: str, workspace: str | None, as_json: bool) -> None:
    """Makes a token and prints it; it is never shown again."""
    document = {"scope": scope, "workspace": workspace}
    found = shared.ask(lambda control: control.send("POST", at("tokens"), document))
    if as_json:
        output.show_json(found)
        return
    output.say(f"Made {found['id']}. The token itself, shown this once:")
    click.echo(found["token"])


@token.command("list")
@as_json
@pass_shared
def list_tokens(shared: Shared, as_json: bool) -> None:
    """The tokens that are good; what they are is known to their holders only."""
    found = shared.ask(lambda control: control.gather(at("tokens"), "tokens", sys.maxsize))
    show(found, as_json=as_json, columns=LISTED)


@token.command("revoke")
@click.argument("id_", metavar="ID")
@pass_shared
def revoke(shared: Shared, id_: str) -> None:
    """Revokes a token, by the ID under which it is listed; at once."""

    async def work(control: Control) -> None:
        await control.send("DELETE", at("tokens", id_))

    shared.ask(work)
    output.say(f"revoked {id_}")
