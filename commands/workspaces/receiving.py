"""How a webhook's receiver is called, what it gets and what counts as taken: the options for it,
which `webhook set` and `workspace set` share."""

from collections.abc import Callable
from typing import Any, TypeVar

from hookbundle.commands.workspaces.formats import format_options, take_format
from hookbundle.commands.workspaces.requests import request_options, take_request
from hookbundle.commands.workspaces.success import (
    success_option,
    success_rule_option,
    wanted_rules,
)

F = TypeVar("F", bound=Callable[..., Any])


def receiver_options(command: F) -> F:
    """All of them; `take_receiver` makes a change of them."""
    for decorate in (format_options, request_options, success_rule_option, success_option):
        command = decorate(command)
    return command


def take_receiver(given: dict[str, Any]) -> dict[str, Any]:
    """What these options ask for, as the API takes it; they are taken out of `given`.

    Raises: UsageError.
    """
    asked = {
        "request": take_request(given),
        "success": given.pop("success"),
        "success_rules": wanted_rules(given.pop("success_rules")),
    }
    named = {name: value for name, value in asked.items() if value is not None}
    return {**named, **take_format(given)}
