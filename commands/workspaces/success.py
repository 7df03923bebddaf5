"""The options `--success` and `--success-rule` of a webhook."""

import shlex
from typing import Any

import click

from hookbundle.engine.delivery.answers.lines import line_of, rule_of
from hookbundle.engine.delivery.success import ANY_2XX, DEFAULT
from hookbundle.engine.error_codes import quoted
from hookbundle.engine.errors import Fault

NONE = "none"


class SuccessText(click.ParamType[str | list[int]]):
    """`200`, `2xx`, or statuses with commas between. The daemon says which ones are possible."""

    name = "success"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> str | list[int]:
        text = str(value)
        if text in (DEFAULT, ANY_2XX):
            return text
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
            self.fail(f"{quoted(text)} is none of 200, 2xx and 200,201,409", param, ctx)
        return [int(part) for part in parts]


class RuleText(click.ParamType[dict[str, Any] | str]):
    """A rule as one line, or `none`. The daemon judges it."""

    name = "rule"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Any] | str:
        if isinstance(value, dict) or value == NONE:
            return value  # type: ignore[no-any-return]
        found = rule_of(str(value), "")
        if isinstance(found, Fault):
            self.fail(found.detail, param, ctx)
        return found


success_option = click.option(
    "--success",
    type=SuccessText(),
    metavar="STATUSES",
    help="Which status counts as delivered: 200, 2xx, or a list, e.g. 200,201,409.",
)
success_rule_option = click.option(
    "--success-rule",
    "success_rules",
    type=RuleText(),
    multiple=True,
    metavar="RULE",
    help="What a JSON answer has to say, e.g. '/ok equals true'; up to 3 times; none for no rules.",
)


def wanted_rules(given: tuple[Any, ...]) -> list[dict[str, Any]] | None:
    """All rules that the webhook is to have; None if they are to stay. Raises: UsageError."""
    if NONE not in given:
        return list(given) or None
    if len(given) > 1:
        raise click.UsageError("give --success-rule none, or rules, not both")
    return []


def proposed(ws: str, webhook: str, proposal: dict[str, Any]) -> str:
    """The command that sets what a test request proposes."""
    names = ("webhook", "set", ws, webhook) if webhook else ("workspace", "set", ws)
    statuses, rules = proposal.get("success"), proposal.get("success_rules")
    if isinstance(statuses, list):
        statuses = ",".join(map(str, statuses))
    options = ["--success", statuses] if statuses else []
    for rule in rules or ():
        options += ["--success-rule", line_of(rule)]
    return shlex.join(("hookbundle", *names, *options))


def shown(webhook: dict[str, Any]) -> dict[str, Any]:
    """The webhook with its success as it is given to the options."""
    statuses, rules = webhook["success"], webhook.get("success_rules")
    listed = ",".join(map(str, statuses)) if isinstance(statuses, list) else statuses
    lines = "; ".join(map(line_of, rules or ()))
    return {**webhook, "success": listed, "success_rules": lines or None}
