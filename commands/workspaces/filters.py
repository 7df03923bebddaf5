"""`hookbundle webhook filter-test`, and the option `--filter JSON|@FILE` of a webhook."""

import json
from pathlib import Path
from typing import Any

import click

from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import Shared, as_json, no_header, pass_shared, show
from hookbundle.commands.terminal.words import counted
from hookbundle.engine import limits

NONE = "none"
FORM = 'write JSON, as \'{"direction": "received"}\', @FILE with such, or `none`'
FILE_BYTES_MAX = limits.SETTINGS_BYTES_MAX
COLUMNS = ("arrived_at", "chat_id", "message_id", "kept", "condition", "why")


class FilterText(click.ParamType[dict[str, Any]]):
    """The filter as it is to be set; `{}` for `none`. The daemon says what is wrong in it."""

    name = "filter"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any]:
        text = str(value)
        if text == NONE:
            return {}
        if text.startswith("@"):
            text = self._read(text[1:], param, ctx)
        try:
            found = json.loads(text, object_pairs_hook=_once)
        except (ValueError, RecursionError) as exc:
            self.fail(f"the filter can't be read: {exc}; {FORM}", param, ctx)
        if not isinstance(found, dict):
            self.fail(f"a filter is a JSON object, in braces; {FORM}", param, ctx)
        return found

    def _read(self, path: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(FILE_BYTES_MAX + 1)
        except (OSError, UnicodeDecodeError) as exc:
            self.fail(f"{path} can't be read: {exc}", param, ctx)
        if len(text) > FILE_BYTES_MAX:
            self.fail(f"{path} is too large for a filter", param, ctx)
        return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Here a field that is given twice would be lost before the daemon sees it."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice")
    return found


@click.command("filter-test")
@click.argument("ws")
@click.argument("webhook")
@click.option(
    "--filter",
    "wanted",
    type=FilterText(),
    metavar="JSON|@FILE",
    help="The filter to judge by; without it the webhook's own.",
)
@click.option(
    "--last",
    type=click.IntRange(1, 1_000),
    default=200,
    show_default=True,
    help="How many of the newest messages are judged.",
)
@no_header
@as_json
@pass_shared
def filter_test(
    shared: Shared,
    ws: str,
    webhook: str,
    wanted: dict[str, Any] | None,
    last: int,
    no_header: bool,
    as_json: bool,
) -> None:
    """Says what a filter would keep and drop of the last messages; changes nothing."""
    document = {"last": last} if wanted is None else {"filter": wanted, "last": last}
    url = at("workspaces", ws, "webhooks", webhook, "filter-test")
    found = shared.ask(lambda control: control.send("POST", url, document))
    if as_json:
        output.show_json(found)
        return
    show(found["messages"], as_json=False, no_header=no_header, columns=COLUMNS)
    output.say(f"Of {counted(found['tested'])} {found['kept']} kept, {found['dropped']} dropped.")
    if found["by_newest"]:
        output.say(
            f"{counted(found['by_newest'])} judged by account, chat and labels of the newest one "
            "of their bundle, which has no others."
        )
    if found["searched_to"]:
        output.say(f"Not looked for before {found['searched_to']}.")
