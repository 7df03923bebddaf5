"""Ids that complete in a shell: the daemon is asked for those that there are.

A parameter completes by its name, wherever it stands, so that a new command has it too. A shell
waits for the answer while somebody types: without a daemon, or without an answer in two seconds,
nothing completes.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem
from click.types import StringParamType

from hookbundle.commands.terminal.options import Shared

if TYPE_CHECKING:
    from hookbundle.commands.terminal.client import Control

TIMEOUT_S = 2.0
MOST = "100"
WORKSPACES_MOST = 10  # of which deliveries are offered

Ask = Callable[["Control", str, str], Iterable[str]]


class Known(StringParamType):
    """A text of which the daemon knows some: `ask(control, workspace, incomplete)`."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        root = ctx.find_root()
        shared = Shared(root.params.get("config"), root.params.get("socket"))
        # An option that has no value yet ends the parsing, and leaves what came before it unnamed.
        workspace = str(ctx.params.get("ws") or next(iter(ctx.args), ""))

        def work(control: "Control") -> Iterable[str]:
            return self.ask(control, workspace, incomplete)

        try:
            found = shared.ask(work, most_s=TIMEOUT_S)
        except (click.ClickException, OSError):
            return []
        ids = dict.fromkeys(each for each in found if each.startswith(incomplete))
        return [CompletionItem(each) for each in ids]


def workspaces(control: "Control", workspace: str, incomplete: str) -> Iterable[str]:
    page = control.get("/v1/workspaces", q=incomplete, limit=MOST)
    return [each["id"] for each in page["workspaces"]]


def webhooks(control: "Control", workspace: str, incomplete: str) -> Iterable[str]:
    found = _deliveries(control, workspace)
    return ["outbound", *(each["webhook"] for each in found)]


def sources(control: "Control", workspace: str, incomplete: str) -> Iterable[str]:
    if not workspace:
        return []
    from hookbundle.commands.terminal.client import at

    page = control.get(at("workspaces", workspace, "sources"))
    return [each["id"] for each in page["sources"]]


def deliveries(control: "Control", workspace: str, incomplete: str) -> Iterable[str]:
    """The newest ones: of the workspace, or of some."""
    return [each["id"] for each in _deliveries(control, workspace)]


def chats(control: "Control", workspace: str, incomplete: str) -> Iterable[str]:
    """Those that collect, and those of the newest deliveries."""
    if not workspace:
        return []
    from hookbundle.commands.terminal.client import at

    page = control.get(at("workspaces", workspace, "chats"), limit=MOST)
    found = _deliveries(control, workspace)
    return [each["chat_id"] for each in (*page["chats"], *found)]


def tokens(control: "Control", workspace: str, incomplete: str) -> Iterable[str]:
    page = control.get("/v1/tokens", limit=MOST)
    return [each["id"] for each in page["tokens"]]


def _deliveries(control: "Control", workspace: str) -> list[dict[str, str]]:
    from hookbundle.commands.terminal.client import at

    names = [workspace] if workspace else list(workspaces(control, "", ""))
    found: list[dict[str, str]] = []
    for name in names[:WORKSPACES_MOST]:
        page = control.get(at("workspaces", name, "deliveries"), limit=MOST)
        found += page["deliveries"]
    return found


BY_NAME: dict[str, Ask] = {
    "ws": workspaces,
    "workspace": workspaces,
    "workspaces": workspaces,
    "workspace_id": workspaces,
    "chat": chats,
    "chats": chats,
    "webhook": webhooks,
    "source": sources,
}
BY_GROUP: dict[str, Ask] = {"deliveries": deliveries, "token": tokens}  # their `id_`, `token_id`


def complete_ids(group: str, command: click.Command) -> None:
    """The command's parameters that are ids complete."""
    for param in command.params:
        ask = BY_NAME.get(param.name or "")
        if param.name in ("id_", "token_id"):
            ask = BY_GROUP.get(group)
        if ask is not None and type(param.type) is StringParamType:
            param.type = Known(ask)
