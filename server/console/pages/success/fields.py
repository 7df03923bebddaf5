"""The fields of a form in which it is chosen what counts as delivered, and what they say.

`success` is the way that was chosen: `200`, `2xx`, or `list`, the statuses of `success_list`. The
rules are lines, as commands take them. What is wrong is found by the API, and told at the field.
"""

import re
from typing import Any

from msgspec import UNSET

from hookbundle.engine.delivery.answers import wanted
from hookbundle.engine.delivery.answers.lines import lines_of, rule_of
from hookbundle.engine.delivery.success import ANY_2XX, DEFAULT
from hookbundle.engine.errors import Fault, InvalidInput
from hookbundle.server.console.forms import Form
from hookbundle.server.http.requests import number_of
from hookbundle.storage.database.settings import Webhook

LIST, STATUSES, RULES = "list", "success_list", "success_rules"
SHOWN_NEW = {"success": DEFAULT, STATUSES: "", RULES: ""}
BETWEEN = re.compile(r"[\s,،;]+")
NUMBER_MAX = 10**9


def shown(webhook: Webhook) -> dict[str, str]:
    """As the form shows them."""
    statuses = wanted.shown(webhook.success)
    is_list = isinstance(statuses, list)
    return {
        "success": LIST if is_list else str(statuses),
        STATUSES: ", ".join(map(str, statuses)) if is_list else "",
        RULES: lines_of(wanted.shown_rules(webhook.success_rules)),
    }


def statuses_of(form: Form) -> Any:
    """As the API takes them; what is no number is left for it to refuse."""
    chosen = form.get("success")
    if chosen in (DEFAULT, ANY_2XX):
        return chosen
    if chosen != LIST:
        return UNSET
    parts = [part for part in BETWEEN.split(form.get(STATUSES, "")) if part]
    numbers = [number_of(part, NUMBER_MAX) for part in parts]
    return [part if number is None else number for part, number in zip(parts, numbers, strict=True)]


def rules_of(form: Form, present: Webhook | None) -> Any:
    """As the API takes them. `present`: rules that the form shows as they are do not change.

    Raises: InvalidInput with each line that is no rule.
    """
    if RULES not in form:
        return UNSET
    lines = [line.strip() for line in form[RULES].splitlines() if line.strip()]
    if present is not None and lines == shown(present)[RULES].splitlines():
        return UNSET
    found = [rule_of(line, f"{RULES}[{index}]") for index, line in enumerate(lines)]
    if faults := [each for each in found if isinstance(each, Fault)]:
        raise InvalidInput.with_faults(faults)
    return found


def place_of(path: str) -> str:
    """The field of the form at which the fault of a path is told; the path itself elsewhere."""
    name = path.partition("[")[0].partition(".")[0]
    if name == "success":
        return STATUSES
    return RULES if name == RULES else path
