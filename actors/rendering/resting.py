"""Webhooks whose rendering rests, because one body after the other went past a limit."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Resting:
    """Nothing is rendered for the webhook until then; ask again when that time has come.

    `cause`: `limits`, three of its bodies in a row went past a limit; `machine`, no process could
    be started, which concerns all webhooks and is nobody's fault.
    """

    until_ms: int
    cause: Literal["limits", "machine"] = "limits"
