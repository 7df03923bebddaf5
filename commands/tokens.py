"""`hookbundle token ...`: creates, lists and revokes bearer tokens for the HTTP API."""

import sys

import click

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
from hookbundle.engine import durations
from hookbundle.engine.clock import SystemClock
from hookbundle.engine.messages.timestamps import utc

LISTED = ("id", "scope", "workspace", "name", "expires_at", "last_used_at", "created_at")


@click.group(cls=Group)
def token() -> None:
    """Bearer tokens for the HTTP API on TCP."""


@token.command("create")
@click.option(
    "--scope",
    type=click.Choice(["intake", "admin"]),
    required=True,
    help="intake: may only send messages; admin: may do everything.",
)
@click.option("--workspace", metavar="WS", help="Valid for this workspace only.")
@click.option("--name", metavar="NAME", default="", help="What it is for, as `token list` shows.")
@click.option(
    "--expires",
    metavar="WHEN",
    help="When it expires: after a time like 90d, or at 2027-01-31T12:00:00Z; within ten years. "
    "[default: never]",
)
@as_json
@pass_shared
def create(
    shared: Shared,
    scope: str,
    workspace: str | None,
    name: str,
    expires: str | None,
    as_json: bool,
) -> None:
    """Creates a token and prints it; it is never shown again."""
    document = {
        "scope": scope,
        "workspace": workspace,
        "name": name,
        "expires_at": None if expires is None else _time_of(expires),
    }
    found = shared.ask(lambda control: control.send("POST", at("tokens"), document))
    if as_json:
        output.show_json(found)
        return
    output.say(f"Created {found['id']}. The token is shown only now:")
    output.write_once(found["token"], f"Revoke {found['id']}, and create another token.")


@token.command("list")
@no_header
@as_json
@pass_shared
def list_tokens(shared: Shared, no_header: bool, as_json: bool) -> None:
    """Lists the tokens by id, expired ones too. The tokens themselves are not stored."""
    found = shared.ask(lambda control: control.gather(at("tokens"), "tokens", sys.maxsize))
    show(found, as_json=as_json, no_header=no_header, columns=LISTED)


def _time_of(expires: str) -> str:
    """The time that a duration from now ends; a time as it is, for the daemon to judge."""
    try:
        lasts_ms = durations.parse_ms(expires)
        return utc(SystemClock().wall_ms() + lasts_ms).isoformat(timespec="milliseconds")
    except ValueError:
        return expires
    except OverflowError:
        raise click.UsageError(f"--expires: {expires} is after the year 9999") from None


@token.command("revoke")
@click.argument("id_", metavar="ID")
@yes_option
@pass_shared
def revoke(shared: Shared, id_: str, yes: bool) -> None:
    """Revokes the token with this ID (see `token list`), with immediate effect."""
    confirm(f"Revoke {id_}? Programs that use it are refused from now on.", yes=yes)

    def work(control: Control) -> None:
        control.send("DELETE", at("tokens", id_))

    shared.ask(work)
    output.say(f"revoked {id_}")
