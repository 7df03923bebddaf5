"""Which settings would fit an answer, where that is beyond doubt. A person decides about them.

A 2xx that is no success yet may become one. An answer of JSON that says itself that nothing was
done, while its status is a success, may be told by a rule. Of a 409 or 410 nothing is proposed:
whether it means that the message is there already only the receiver knows.
"""

from dataclasses import dataclass
from typing import Any

from hookbundle.engine.delivery.answers import lines, rules
from hookbundle.engine.delivery.success import (
    ANY_2XX,
    DEFAULT,
    OF_2XX,
    Success,
    text_of,
)

# How services say in an answer whether they did it; each is absent from most answers.
FLAGS = ("ok", "success")
ERRORS = "errors"


@dataclass(frozen=True, slots=True)
class Proposal:
    """`status`: of the answer. `success`: as it is stored; empty: it stays. `rule`: as it is
    wanted, None: none."""

    status: int
    success: str = ""
    rule: dict[str, Any] | None = None


def of_answer(status: int, body: bytes, success: Success) -> Proposal | None:
    """None where the settings fit, or nobody can tell. `body`: all of it, or empty."""
    if status not in OF_2XX:
        return None
    statuses = "" if status in success.statuses else _with(status, success)
    rule = None if success.rules else _rule_for(body)
    return Proposal(status, statuses, rule) if statuses or rule else None


def _with(status: int, success: Success) -> str:
    """Who has chosen a list knows each of its statuses; it only grows by this one."""
    return ANY_2XX if success.text == DEFAULT else text_of(success.statuses | {status})


def _rule_for(body: bytes) -> dict[str, Any] | None:
    """The rule that this answer does not meet, if it says itself that it is no success."""
    document = rules.read(body)
    if not isinstance(document, dict):
        return None
    for flag in FLAGS:
        if document.get(flag) is False:
            return {"pointer": f"/{flag}", "equals": True}
    errors = document.get(ERRORS)
    if isinstance(errors, list) and errors:
        return {"pointer": f"/{ERRORS}", "absent": True}
    return None


def in_words(proposal: Proposal) -> str:
    """What to set, and why."""
    said = []
    if proposal.success:
        said.append(f"answered {proposal.status}: set success to {proposal.success}")
    if proposal.rule:
        line = lines.line_of(proposal.rule)
        said.append(f"its answer says that it did not take it: set the success rule {line}")
    return "; ".join(said)
