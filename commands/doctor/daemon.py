"""The running daemon: what it says of itself, and which webhooks and tokens need a hand."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from hookbundle import __version__
from hookbundle.commands.doctor.findings import Finding, Machine, note
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import NOT_FOUND, CommandFailure
from hookbundle.commands.terminal.words import counted, some
from hookbundle.engine.clock import SystemClock

ABOUT = "daemon"
DAY_MS = 86_400_000
SOON_MS, AGO_MS = 14 * DAY_MS, 7 * DAY_MS
TOKENS_MAX = 10_000
WORKSPACES_MAX = 20  # whose disabled webhooks are listed one by one
MAIL = "smtp_not_set"  # is found in the configuration, too
BY_A_PERSON = "manual"


def condition(machine: Machine, control: Control) -> Iterator[Finding]:
    status = control.get("/v1/status")
    if status["version"] != __version__:
        yield note(
            ABOUT,
            f"the daemon is version {status['version']}, and this program {__version__}",
            "it was updated and not restarted since",
            "restart the daemon",
        )
    for reason in status["reasons"]:
        if reason["code"] == MAIL and not machine.config.get("smtp.host", str):
            continue
        yield Finding(
            "fault" if reason["stops"] else "note",
            ABOUT,
            reason["detail"],
            "the daemon is not ready (/readyz)" if reason["stops"] else "it says so of itself",
            "see 'What /readyz says' in docs/operations.md",
        )
    if status["mails_unsent"]:
        yield note(
            "mail",
            f"{some(status['mails_unsent'], 'e-mail')} could not be sent at the last attempt",
            "owners have not been told yet",
            "`hookbundle mail test ADDRESS` shows what the server says",
        )
    yield from _disabled(control, status["workspaces_disabled"])
    yield from _tokens(control)


def _disabled(control: Control, workspaces: list[str]) -> Iterator[Finding]:
    for ws in workspaces[:WORKSPACES_MAX]:
        try:
            found = control.get(at("workspaces", ws, "webhooks"))["webhooks"]
        except CommandFailure as exc:
            if exc.exit_code != NOT_FOUND:
                raise
            continue  # deleted meanwhile
        for webhook in found:
            if webhook["state"] == "disabled":
                yield _of_webhook(ws, webhook)
    more = len(workspaces) - WORKSPACES_MAX
    if more > 0:
        yield note(
            "webhooks",
            f"{some(more, 'workspace')} more have a disabled webhook",
            "nothing is sent by them",
            "hookbundle workspace list --state disabled",
        )


def _of_webhook(ws: str, webhook: dict[str, Any]) -> Finding:
    name = webhook["id"]
    held = webhook["counts"]["held_messages"]
    by_a_person = webhook["disabled_reason"] == BY_A_PERSON
    return Finding(
        "note" if by_a_person else "fault",
        "webhooks",
        f"webhook {name} of {ws} is disabled "
        f"({'by a person' if by_a_person else 'after too many errors'}) "
        f"and holds {counted(held)}",
        "nothing is sent by it, and it takes no more when it is full",
        f"hookbundle webhook test {ws} {name}, then hookbundle webhook enable {ws} {name}",
    )


def _tokens(control: Control) -> Iterator[Finding]:
    """Those that expire within two weeks, or have done so in the last one."""
    now_ms = SystemClock().wall_ms()
    for token in control.gather(at("tokens"), "tokens", TOKENS_MAX):
        left_ms = _ms(token["expires_at"]) - now_ms if token["expires_at"] else SOON_MS
        if not -AGO_MS < left_ms < SOON_MS:
            continue
        ends = "has expired" if left_ms <= 0 else f"expires in {max(left_ms // DAY_MS, 0)} days"
        named = f"{token['id']} {token['name']}".strip()
        scope = f"--scope {token['scope']}"
        of = f" --workspace {token['workspace']}" if token["workspace"] else ""
        yield note(
            "tokens",
            f"token {named} {ends}",
            "its callers are answered 401 from then on",
            f"hookbundle token create {scope}{of} --expires 90d",
        )


def _ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1_000)
