"""`hookbundle mail ...`: tries the mail server with the daemon's settings."""

from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.failures import FAILED, CommandFailure
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared, show

COLUMNS = ("step", "ok", "said")
MEANINGS = {
    "connect": "is the host and the port right, and does a firewall let it through?",
    "tls": "is smtp.security what this port wants (465: tls, 587: starttls), and smtp.ca_file?",
    "login": "are smtp.username and smtp.password right? Some servers want a password of their own"
    " for programs",
    "from": "does the server take smtp.sender from this login?",
    "to": "does the server pass mail on to this address?",
    "data": "the server refused the e-mail itself; what it said is all there is",
}


@click.group(cls=Group)
def mail() -> None:
    """The mail server, by which owners are told."""


@mail.command("test")
@click.argument("address", default="")
@no_header
@as_json
@pass_shared
def test(shared: Shared, address: str, no_header: bool, as_json: bool) -> None:
    """Sends a test e-mail to ADDRESS and shows what the server said to each step.

    Without ADDRESS it connects and logs in, and nothing is sent. The daemon does it, with the
    settings that it has now.
    """
    found: Any = shared.ask(
        lambda control: control.send("POST", at("mail", "test"), {"to": address})
    )
    if as_json:
        output.show_json(found)
    else:
        server = f"{found['host']}:{found['port']} ({found['security']})"
        output.say(f"mail server {server}, sender {found['sender']}")
        show(found["steps"], as_json=False, no_header=no_header, columns=COLUMNS)
    if not found["ok"]:
        step = found["steps"][-1]["step"]
        raise CommandFailure(f"it failed at `{step}`: {MEANINGS[step]}", FAILED)
    if not as_json:
        output.say("sent" if address else "nothing was sent; name an address to send one")
