"""What counts as delivered, twice over: as it is set, and read by hand."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

Verdict = Literal["delivered", "rejected", "failed"]

OK = {"pointer": "/ok", "equals": True}
NO_ERRORS = {"pointer": "/errors", "absent": True, "else": "rejected"}
NOT_NOW = (408, 425, 429)
LISTED = (200, 201, 409)


@dataclass(frozen=True, slots=True)
class Takes:
    """`success`, `rules`: as they are stored. `is_taken`: a status; `judges`: an answer in JSON."""

    success: str = "200"
    rules: tuple[dict[str, Any], ...] = ()
    is_taken: Callable[[int], bool] = (200).__eq__
    judges: Callable[[Any], Verdict] | None = None

    @property
    def written(self) -> dict[str, Any]:
        rules = msgspec.json.encode(self.rules) if self.rules else b""
        return {"success": self.success, "success_rules": rules}

    def verdict(self, status: int, answer: bytes) -> Verdict:
        """Of the answer with that status; 0: there was none."""
        if self.is_taken(status):
            if self.judges is None:
                return "delivered"
            return self.judges(msgspec.json.decode(answer)) if answer else "failed"
        is_no = 400 <= status <= 499 and status not in NOT_NOW
        return "rejected" if is_no else "failed"


def _ok(answer: Any) -> Verdict:
    return "delivered" if answer.get("ok") is True else "failed"


def _ok_without_errors(answer: Any) -> Verdict:
    if answer.get("ok") is not True:
        return "failed"
    return "rejected" if "errors" in answer else "delivered"


TAKES = {
    "200": Takes(),
    "2xx": Takes("2xx", is_taken=range(200, 300).__contains__),
    "listed": Takes(",".join(map(str, LISTED)), is_taken=LISTED.__contains__),
    "ok": Takes(rules=(OK,), judges=_ok),
    "ok without errors": Takes(
        "2xx",
        rules=(OK, NO_ERRORS),
        is_taken=range(200, 300).__contains__,
        judges=_ok_without_errors,
    ),
}
