"""`hookbundle deliveries resend`, `replay`, `replays`, `cancel-replay`: sending once more."""

from typing import Any

import click

from hookbundle.commands.searching.filters import State, with_webhook
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.options import (
    Number,
    Shared,
    as_json,
    confirm,
    no_header,
    pass_shared,
    show,
    yes_option,
)
from hookbundle.commands.terminal.words import counted, some

LISTED = ("job", "state", "deliveries", "queued", "waiting", "delivered", "failed", "created_at")
SHOWN = (
    *LISTED[:4],
    "messages",
    *LISTED[4:7],
    "dropped",
    "released",
    "left_out",
    "since",
    "until",
    "states",
    "chat",
    "http_status",
    "caller",
    "created_at",
    "ended_at",
)
STATES = ("dead_letter", "delivered")


@click.command("resend")
@click.argument("id_", metavar="ID")
@as_json
@pass_shared
def resend(shared: Shared, id_: str, as_json: bool) -> None:
    """Sends a delivered delivery once more, with the same id and bytes."""

    def work(control: Control) -> Any:
        return control.send("POST", address_of(control, id_, "resend"))

    found = shared.ask(work)
    show(found, as_json=as_json, columns=("id", "chat_id", "messages", "resending"))
    if not as_json:
        output.say(found["note"])


@click.command("replay")
@click.argument("ws")
@click.option("--since", metavar="TIME", help="Sealed then or later: RFC 3339, or an age (-24h).")
@click.option("--until", metavar="TIME", help="Sealed before: RFC 3339, or an age (-1h).")
@click.option(
    "--state",
    "states",
    type=State(STATES),
    multiple=True,
    help="Only deliveries in this state; twice for both.  [default: dead_letter]",
)
@click.option("--chat", metavar="CHAT", help="Only deliveries of this chat.")
@click.option(
    "--status", metavar="STATUS", help="Only if the last answer was so: 503, 5xx, or none."
)
@click.option("--webhook", metavar="WH", help="Of this webhook.  [default: outbound]")
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
@yes_option
@as_json
@pass_shared
def replay(
    shared: Shared,
    ws: str,
    since: str | None,
    until: str | None,
    states: tuple[str, ...],
    chat: str | None,
    status: str | None,
    webhook: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Sends deliveries of workspace WS once more, oldest first, before everything younger."""
    wanted: dict[str, Any] = {
        "since": since,
        "until": until,
        "states": states or ("dead_letter",),
        "chat": chat,
        "http_status": status,
        "webhook": webhook,
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    url = at("workspaces", ws, "replay")

    def ask(*, dry_run: bool) -> Any:
        document = {**wanted, "dry_run": dry_run}
        return shared.ask(lambda control: control.send("POST", url, document))

    if dry_run or not yes:
        found = ask(dry_run=True)
        # An age goes on while somebody thinks about the answer.
        wanted |= {name: found[name] for name in ("since", "until") if name in wanted}
        if dry_run or not found["deliveries"]:
            _show_asked(found, as_json=as_json)
            return
        number = some(found["deliveries"], "delivery", "deliveries")
        confirm(
            f"Send {number} of {counted(found['messages'])} of {ws} once more, before everything "
            f"younger? {found['note']}",
            yes=False,
        )
    _show_asked(ask(dry_run=False), as_json=as_json)


@click.command("replays")
@click.argument("ws")
@click.argument("job", type=Number(1), required=False)
@no_header
@as_json
@pass_shared
def replays(shared: Shared, ws: str, job: int | None, no_header: bool, as_json: bool) -> None:
    """Lists the last 20 replays of workspace WS, or shows how far one is."""
    url = at("workspaces", ws, "replay")
    if job is not None:
        one = shared.ask(lambda control: control.get(f"{url}/{job}"))
        show(one, as_json=as_json, columns=_shown(one))
        return
    found = shared.ask(lambda control: control.get(url))["replays"]
    columns = with_webhook(LISTED, found)
    show(found, as_json=as_json, no_header=no_header, columns=columns)


@click.command("cancel-replay")
@click.argument("ws")
@click.argument("job", type=Number(1))
@as_json
@pass_shared
def cancel_replay(shared: Shared, ws: str, job: int, as_json: bool) -> None:
    """Takes back what a replay has queued and was not sent yet."""
    url = at("workspaces", ws, "replay", str(job))
    found = shared.ask(lambda control: control.send("DELETE", url))
    show(found, as_json=as_json, columns=_shown(found))


def _shown(replay: dict[str, Any]) -> tuple[str, ...]:
    return SHOWN if replay["webhook"] == "outbound" else (*SHOWN, "webhook")


def _show_asked(found: dict[str, Any], *, as_json: bool) -> None:
    show(found, as_json=as_json, columns=("job", "deliveries", "messages", "since", "until"))
    if not as_json and found["job"] is not None:
        output.say(found["note"])


def address_of(control: Control, delivery_id: str, *what: str) -> str:
    """The path of the delivery below its workspace; `what` is appended to it."""
    found = control.get(at("deliveries", delivery_id))
    return at("workspaces", found["workspace"], "deliveries", delivery_id, *what)
