"""What has to be set so that a webhook is sent here: its URL, and that the daemon may call here.

The daemon calls no address of its own machine, because a workspace's webhook could reach what else
listens there. One port of one address opens nothing else (`delivery.allow_networks`).
"""

from typing import Any

from hookbundle.commands.listening.receiver import HOST
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.client import Control, at
from hookbundle.commands.terminal.failures import CommandFailure
from hookbundle.commands.terminal.options import Shared
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.errors import ConfigError

VARIABLE = "HOOKBUNDLE_DELIVERY__ALLOW_NETWORKS"
KEY = "allow_networks"


def point(shared: Shared, ws: str, webhook: str, url: str) -> None:
    """The webhook's URL is this one. Raises: Failure, which says what to set before."""
    path = at("workspaces", ws, "webhooks", webhook)

    def work(control: Control) -> Any:
        before = control.get(path)["url"]
        if before != url:
            control.send("PATCH", path, {"url": url})
        return before

    try:
        before = shared.ask(work)
    except CommandFailure as exc:
        if not any(field == "url" for field, _ in exc.faults):
            raise
        port = url.rpartition(":")[2].rstrip("/")
        message = f"{exc.message}\n{how_to_allow(shared, int(port))}"
        raise CommandFailure(message, exc.exit_code) from exc
    output.say(f"{webhook} of {ws} is sent here now.")
    if before and before != url:
        output.say(f"To undo it: {_set(ws, webhook, before)}")


def say_what_to_set(shared: Shared, ws: str, webhook: str, url: str, port: int) -> None:
    """What is not set so far, as far as it is seen from here, each with its command."""
    found = None
    if ws:
        path = at("workspaces", ws, "webhooks", webhook)
        found = shared.ask(lambda control: control.get(path))["url"]
    if str(found or "").startswith(url):
        return  # the daemon has looked at this URL, by its own configuration
    output.say(f"To have requests sent here: {_set(ws or 'WS', webhook, url)}")
    if not _is_allowed(shared, port):
        output.say(how_to_allow(shared, port))


def how_to_allow(shared: Shared, port: int) -> str:
    """The commands by which the daemon may call this port, and nothing else of this machine."""
    from hookbundle.commands.configuration import paths
    from hookbundle.storage.database import files

    config = shared.configuration()
    pid = files.holder(paths.data_directory(config))
    receiver = f"{HOST}:{port}"
    lines = [
        "hookbundle calls no address of its own machine that is not allowed. This allows this port"
        " alone:",
        f"  {VARIABLE}={','.join([*config.get('delivery.allow_networks', tuple), receiver])}"
        " hookbundle run",
    ]
    if pid is not None:
        file = shared.config_file or paths.user_file()
        lines += [
            "or, without a restart:",
            f'  put `{KEY} = ["{receiver}"]` under `[delivery]` of {file}, then `kill -HUP {pid}`',
        ]
    return "\n".join(lines)


def _is_allowed(shared: Shared, port: int) -> bool:
    """Whether it is in the configuration that this command sees; the daemon may have another."""
    allowed = shared.configuration().get("delivery.allow_networks", tuple)
    try:
        return AddressPolicy.parse(allowed).refusal(HOST, port) is None
    except ConfigError:
        return False


def _set(ws: str, webhook: str, url: str) -> str:
    return f"hookbundle webhook set {ws} {webhook} --url '{url}'"
