"""What counts as delivered: which statuses, and what their answer has to say.

Statuses are stored as text: `200` (the product's first, and the default), `2xx`, or those of a
list, ascending: `200,201,409`. Rules are stored as JSON, at most three:

    [{"pointer":"/ok","equals":true},{"pointer":"/errors","absent":true,"else":"rejected"}]

They are looked at only if the status is a success; then each has to be met. answers/rules.py
judges an answer by them, answers/wanted.py what somebody wants stored.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeAlias, cast

import msgspec

Scalar: TypeAlias = str | int | float | bool | None
Test: TypeAlias = Literal["exists", "absent", "equals"]

DEFAULT = "200"
ANY_2XX = "2xx"
OF_2XX = frozenset(range(200, 300))
# That it is there already, or that what it was about is gone, may be all a sender wants to know.
ALLOWED = OF_2XX | {409, 410}
NAMED_MAX = 10  # statuses, in a sentence
REMEMBERED = 4_096  # settings of webhooks, parsed
NOT_READ = (ValueError, LookupError, TypeError)  # what damaged settings raise


@dataclass(frozen=True, slots=True)
class Rule:
    """`tokens`: the pointer's, unescaped. `value`: of `equals`. `rejects`: if it is not met, the
    receiver has refused the delivery; else it has failed."""

    pointer: str
    tokens: tuple[str, ...]
    test: Test
    value: Scalar = None
    rejects: bool = False


@dataclass(frozen=True, slots=True)
class Success:
    """`text`: as it is stored."""

    text: str
    statuses: frozenset[int]
    rules: tuple[Rule, ...] = ()

    @property
    def taken(self) -> str:
        """The statuses in a sentence; of many the first ones."""
        if self.text == ANY_2XX:
            return "200-299"
        listed = sorted(self.statuses)
        return ", ".join(map(str, listed[:NAMED_MAX])) + (" …" if listed[NAMED_MAX:] else "")


@lru_cache(REMEMBERED)  # damaged ones are not remembered
def success_of(text: str, rules: bytes = b"") -> Success:
    """As it is stored of a webhook. Raises: NOT_READ if it is damaged."""
    documents = msgspec.json.decode(rules, type=list[dict[str, Any]]) if rules else []
    return Success(text, statuses_of(text), tuple(map(_rule_of, documents)))


def statuses_of(text: str) -> frozenset[int]:
    """Raises: ValueError."""
    if text == ANY_2XX:
        return OF_2XX
    found = frozenset(map(int, text.split(",")))
    if not found <= ALLOWED:
        raise ValueError(f"success: {text!r} has a status that is none of a success")
    return found


def text_of(statuses: frozenset[int]) -> str:
    """As they are stored: the same text for the same statuses."""
    return ANY_2XX if statuses == OF_2XX else ",".join(map(str, sorted(statuses)))


def tokens_of(pointer: str) -> tuple[str, ...]:
    """The parts of a JSON pointer (RFC 6901)."""
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:])


def _rule_of(document: dict[str, Any]) -> Rule:
    (test,) = {"exists", "absent", "equals"} & document.keys()
    return Rule(
        pointer=document["pointer"],
        tokens=tokens_of(document["pointer"]),
        test=cast(Test, test),
        value=document.get("equals"),
        rejects=document.get("else") == "rejected",
    )


SEED = success_of(DEFAULT)
