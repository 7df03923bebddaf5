"""The option `--filter` of a webhook, and `webhook filter-test`."""

from typing import Any

import click

from hookbundle.commands.terminal import json_text, output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import (
    Shared,
    as_json,
    no_header,
    pass_shared,
    show,
)
from hookbundle.commands.terminal.words import counted, short_times

COLUMNS = ("arrived_at", "chat_id", "message_id", "kept", "why")


class FilterText(click.ParamType[dict[str, Any]]):
    """A filter as JSON, or `@FILE`; `{}` or `none` keeps all. The daemon judges what is in it."""

    name = "filter"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        text = str(value)
        if text == "none":
            return {}
        found = json_text.given(self, text, "filter", param, ctx)
        if not isinstance(found, dict):
            self.fail('a filter is a JSON object, as {"direction": "received"}', param, ctx)
        return found


filter_option = click.option(
    "--filter",
    type=FilterText(),
    metavar="JSON",
    help="Which messages it gets: JSON, @FILE, or none for all.",
)


@click.command("filter-test")
@click.argument("ws")
@click.argument("webhook")
@filter_option
@click.option(
    "--last", type=int, default=200, show_default=True, help="How many messages, at most 1000."
)
@no_header
@as_json
@pass_shared
def filter_test(
    shared: Shared,
    ws: str,
    webhook: str,
    filter: dict[str, Any] | None,
    last: int,
    no_header: bool,
    as_json: bool,
) -> None:
    """Says which of the last messages a filter would keep; without --filter WEBHOOK's own."""
    url = at("workspaces", ws, "webhooks", webhook, "filter-test")
    document = {"last": last} | ({} if filter is None else {"filter": filter})
    found = shared.ask(lambda control: control.send("POST", url, document))
    if as_json:
        output.show_json(found)
        return
    show(found["messages"], as_json=False, no_header=no_header, columns=COLUMNS)
    output.say(f"{counted(found['kept'])} kept, {counted(found['dropped'])} dropped")
    if found["searched_to"]:
        output.say(short_times(f"What is older than {found['searched_to']} was not looked at."))
