"""What `run` prints on a terminal once it is ready: where everything is, and what is not set.

It is for a person who starts the daemon by hand. In a pipe, or with log.format = json, there is
none of it: programs read the log.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hookbundle import __version__
from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.settings import BY_NAME, DEFAULT, Configuration
from hookbundle.commands.terminal.failures import printable

UNSET = {
    "smtp.host": "no e-mail is sent: owners are not told that a webhook was disabled",
    "console.url": "e-mails to owners have no link to the console",
    "payload.product_name": 'bundles end with "open the conversation in the inbox"',
}
FIRST_STEPS = (
    ("a workspace", "hookbundle workspace set acme --url https://..."),
    ("a receiver of your own", "hookbundle listen acme --set-url"),
    ("messages", "hookbundle send acme --sample 20"),
    ("what is wrong", "hookbundle doctor"),
)
OF_A_NODE = ("who owns what", "hookbundle cluster status")


@dataclass(frozen=True, slots=True)
class Places:
    """`tcp`: where the API listens; None if it does not. `files`: the settings that were read.
    `said`: what a node says of its cluster, by what it is."""

    data: Path
    socket: Path
    tcp: tuple[str, int] | None
    files: tuple[Path, ...]
    said: tuple[tuple[str, str], ...] = ()


def greeting(config: Configuration, places: Places) -> str:
    return "".join(f"{printable(line)}\n" for line in _lines(config, places))


def _lines(config: Configuration, places: Places) -> Iterator[str]:
    yield f"hookbundle {__version__} is ready; Ctrl-C stops it"
    yield f"  console   {_console(config, places.tcp)}"
    yield f"  data      {places.data}"
    yield f"  commands  reach it at {places.socket}"
    servers = config.get("cluster.servers", tuple)
    of_cluster = (("servers", ", ".join(servers)),) if servers else ()
    for what, words in (*places.said, *of_cluster):
        yield f"  {what:<8}  {words}"
    read = [str(path) for path in places.files if path.exists()]
    yield f"  settings  {', '.join(read) or f'from {paths.user_file()}, which is not there yet'}"
    unset = [name for name in UNSET if config.values[name].origin == DEFAULT]
    for place, name in enumerate(unset):
        yield f"  {'not set' if place == 0 else '':<8}  {name}: {UNSET[name]}"
    if unset:
        yield f"            as {BY_NAME[unset[0]].variable}, or in the file; then start it again"
    steps = (*FIRST_STEPS, OF_A_NODE) if servers else FIRST_STEPS
    for place, (what, command) in enumerate(steps):
        yield f"  {'next' if place == 0 else '':<8}  {what + ':':<24}{command}"


def _console(config: Configuration, tcp: tuple[str, int] | None) -> str:
    if tcp is None:
        return "nowhere: listen is off"
    host = f"[{tcp[0]}]" if ":" in tcp[0] else tcp[0]
    url = config.get("console.url", str) or f"http://{host}:{tcp[1]}/"
    return f"{url}  sign in with: hookbundle token create --scope admin"
