"""The options `--format` and `--format-option` of a webhook, and `webhook format-test`."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hookbundle.commands.terminal import json_text, output
from hookbundle.commands.terminal.client import at
from hookbundle.commands.terminal.options import Shared, as_json, pass_shared
from hookbundle.commands.terminal.words import some

F = TypeVar("F", bound=Callable[..., Any])

NONE, SEED, TEMPLATE = "none", "seed", "template"


class FormatText(click.ParamType[dict[str, Any] | str]):
    """The name of a preset; `seed` or `none`; or a template as JSON or `@FILE`.

    A template may stand in `{"template": ...}`, as the API has it, or alone. The daemon judges it.
    """

    name = "format"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any] | str:
        if isinstance(value, dict):
            return value
        text = str(value).strip()
        if not text.startswith(("{", "@")):
            return SEED if text == NONE else text
        found = json_text.given(self, text, TEMPLATE, param, ctx)
        if isinstance(found, dict) and found.keys() == {TEMPLATE}:
            return found
        return {TEMPLATE: found}


class OptionText(click.ParamType[tuple[str, str]]):
    """`NAME=VALUE`, or `none`."""

    name = "option"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, sign, text = str(value).partition("=")
        if not sign and name != NONE:
            self.fail("write NAME=VALUE, e.g. owner_id=7; or none", param, ctx)
        return name.strip(), text


def format_options(command: F) -> F:
    """Both options; `take_format` makes a change of them."""
    for decorate in (
        click.option(
            "--format-option",
            "format_options",
            type=OptionText(),
            multiple=True,
            metavar="NAME=VALUE",
            help="A variable of the format; all that it is to have. none: without any.",
        ),
        click.option(
            "--format",
            type=FormatText(),
            metavar="FORMAT",
            help="What is sent: seed, a preset as hubspot-note, or a template as JSON or @FILE.",
        ),
    ):
        command = decorate(command)
    return command


def take_format(given: dict[str, Any]) -> dict[str, Any]:
    """What these options ask for, as the API takes it; they are taken out of `given`.

    Raises: UsageError.
    """
    wanted: dict[str, Any] = {}
    format, options = given.pop("format"), given.pop("format_options")
    if format is not None:
        wanted["format"] = format
    if options:
        named = [each for each in options if each != (NONE, "")]
        if named and len(named) < len(options):
            raise click.UsageError("give --format-option none, or variables, not both")
        wanted["format_options"] = dict(named)
        if len(wanted["format_options"]) < len(named):
            raise click.UsageError("a variable of the format is given twice")
    return wanted


def in_words(webhook: dict[str, Any]) -> dict[str, Any]:
    """The webhook with its format in a word, and its variables as they are given to the option."""
    found, options = webhook.get("format", SEED), webhook.get("format_options") or {}
    name = TEMPLATE if isinstance(found, dict) else found
    lines = "; ".join(f"{key}={_value(value)}" for key, value in options.items())
    return {**webhook, "format": name, "format_options": lines or None}


@click.command("format-test")
@click.argument("ws")
@click.argument("webhook")
@format_options
@click.option(
    "--last",
    type=click.IntRange(0, 10),
    default=3,
    show_default=True,
    help="On how many of the newest deliveries.",
)
@as_json
@pass_shared
def format_test(
    shared: Shared, /, ws: str, webhook: str, last: int, as_json: bool, **given: Any
) -> None:
    """Shows what a format makes of the sample and of WEBHOOK's last deliveries.

    Without options it is the format that WEBHOOK has. Nothing is set or sent. Lines with - are sent
    now, those with + would be.
    """
    document = {**take_format(given), "last": last}
    url = at("workspaces", ws, "webhooks", webhook, "format-test")
    found = shared.ask(lambda control: control.send("POST", url, document))
    if as_json:
        output.show_json(found)
        return
    for each in found["bodies"]:
        _show(each)


def _show(tried: dict[str, Any]) -> None:
    named = f"{tried['delivery_id']} of {tried['chat_id']}" if "delivery_id" in tried else "sample"
    match tried["outcome"]:
        case "rendered":
            size = some(tried.get("bytes", 0), "byte")
            cut = f", {some(tried['cut'], 'text')} cut" if tried.get("cut") else ""
            output.say(f"{named}: {size}{cut}")
            lines = tried.get("difference")
            if lines:
                output.write("\n".join(lines))
            else:
                output.write(tried.get("body", ""))
        case "skipped":
            output.say(f"{named}: would be skipped: it has no record at the receiver")
        case "not_rendered":
            output.say(f"{named}: {tried.get('pointer', '')} {tried['why']}")
        case _:
            output.say(f"{named}: not tried: trials took too much; wait some minutes")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
