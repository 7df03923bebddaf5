"""What a command would come to, in words, counted at this moment: for the question before it.

What can't be undone is always asked, and refused where nobody can answer. What can be undone, or
was asked for by scripts before there were questions, is asked on a terminal only.
"""

import sys
from typing import Any

import click

from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import NOT_FOUND, CommandFailure
from hookbundle.commands.terminal.options import Shared, confirm
from hookbundle.commands.terminal.words import counted, some
from hookbundle.engine import durations
from hookbundle.engine.windows.rule import CUSTOM

NO_WEBHOOK = {"url": "", "aggregation": "none"}
COUNTED_MAX = 1_000  # deliveries that are looked at for one question


def ask_on_terminal(
    shared: Shared, ws: str, act: str, *, webhook: str = "", yes: bool, **wanted: str | None
) -> None:
    """Somebody at a terminal agreed, or there is nothing to agree to, or nobody to ask.

    Raises: CommandFailure otherwise.
    """
    if yes or not is_on_terminal():
        return
    try:
        found = shared.ask(lambda control: _of(control, ws, webhook))
    except CommandFailure as exc:
        if exc.exit_code != NOT_FOUND:
            raise
        return  # the command itself says so, or makes the workspace
    said = SAID[act](f"{webhook} of {ws}" if webhook else ws, found, wanted)
    if said:
        confirm(said, yes=False)


def is_on_terminal() -> bool:
    """Whether somebody is there who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def when_former_ends(keep: str | None) -> str:
    """When what is replaced is no longer good, at the end of a sentence."""
    return "at once" if keep in ("0s", "0") else f"after {keep}"


def _of(control: Control, ws: str, webhook: str) -> dict[str, Any]:
    """The webhook, as `webhook`, with its `counts`; without its id `outbound` and all of WS."""
    if not webhook:
        found: dict[str, Any] = control.get(at("workspaces", ws))
        return found
    found = control.get(at("workspaces", ws, "webhooks", webhook))
    return {"webhook": found, "counts": found["counts"]}


def refuse_both(discard: bool, merge: bool) -> None:
    """Raises UsageError if both are wanted, before anything is asked."""
    if discard and merge:
        raise click.UsageError("what is discarded can't be merged; choose one of them")


def ask_to_merge(shared: Shared, ws: str, webhook: str = "outbound", *, yes: bool) -> None:
    """Somebody agreed that what waits is merged, which can't be undone."""
    if yes:
        return
    waits = shared.ask(lambda control: _of_merging(control, ws, webhook))
    words = f"Merge what waits for {webhook} of {ws}: {waits}?"
    confirm(f"{words} Each chat gets one request instead, and this can't be undone.", yes=False)


def _of_merging(control: Control, ws: str, webhook: str) -> str:
    url = at("workspaces", ws, "deliveries")
    found = control.gather(url, "deliveries", COUNTED_MAX + 1, state="queued", webhook=webhook)
    never = [each for each in found if not each["attempts"]]
    if len(found) >= COUNTED_MAX + 1:
        counts = control.get(at("workspaces", ws, "webhooks", webhook))["counts"]
        return f"up to {counts['queued']} deliveries"
    messages, chats = sum(each["messages"] for each in never), {each["chat_id"] for each in never}
    return f"{len(never)} deliveries with {counted(messages)} of {some(len(chats), 'chat')}"


def of_discarding(control: Control, ws: str, webhook: str = "outbound") -> str:
    """What `enable --discard` drops: what waits, and not what still collects."""
    url = at("workspaces", ws, "deliveries")
    waiting = {"state": "queued,dead_letter", "webhook": webhook}
    found = control.gather(url, "deliveries", COUNTED_MAX + 1, **waiting)
    if len(found) > COUNTED_MAX:
        counts = control.get(at("workspaces", ws, "webhooks", webhook))["counts"]
        return f"{counts['queued'] + counts['dead_letters']} deliveries"
    messages = sum(each["messages"] for each in found)
    chats = len({each["chat_id"] for each in found})
    return f"{counted(messages)} of {some(chats, 'chat')}"


def _disabling(ws: str, found: dict[str, Any], wanted: dict[str, str | None]) -> str:
    if not (found["webhook"] and found["webhook"]["enabled"]):
        return ""
    waiting = some(_waiting(found), "delivery", "deliveries")
    return f"Disable {ws}? Nothing is sent until it is enabled; {waiting} and new messages wait."


def _rotating(ws: str, found: dict[str, Any], wanted: dict[str, str | None]) -> str:
    return (
        f"Make a new signing secret for {ws}? Its receiver has to know it: the old one expires "
        f"{when_former_ends(wanted['keep'])}."
    )


def _resending(ws: str, found: dict[str, Any], wanted: dict[str, str | None]) -> str:
    letters = found["counts"]["dead_letters"]
    shown = some(letters, "dead letter")
    return f"Retry {shown} of {ws}, before everything else that waits?" if letters else ""


def _setting(ws: str, found: dict[str, Any], wanted: dict[str, str | None]) -> str:
    hook, counts = found["webhook"] or NO_WEBHOOK, found["counts"]
    url, aggregation, said = wanted["url"], wanted["aggregation"], []
    if url not in (None, hook["url"]) and _waiting(found):
        shown = some(_waiting(found), "delivery", "deliveries")
        said.append(f"{shown} that wait, dead letters included, go to the new URL.")
    if aggregation and counts["windows"]:
        # Which windows end at once by another rule, only the daemon knows.
        by_rule = CUSTOM in (aggregation, hook["aggregation"])
        if by_rule or _length_ms(aggregation) < _length_ms(hook["aggregation"]):
            most = "" if aggregation == "none" else "Up to "
            shown = some(counts["windows"], "open window")
            requests = some(counts["windows"], "request")
            said.append(f"{most}{shown} closed now, which is {requests} to the receiver.")
    return f"Change the settings of {ws}? {' '.join(said)}" if said else ""


SAID = {
    "disable": _disabling,
    "rotate": _rotating,
    "resend": _resending,
    "set": _setting,
}


def _waiting(found: dict[str, Any]) -> int:
    waiting: int = found["counts"]["queued"] + found["counts"]["dead_letters"]
    return waiting


def _length_ms(text: str) -> int:
    """0 for `none`, and for what the daemon is about to refuse."""
    try:
        return durations.parse_ms(text)
    except ValueError:
        return 0
