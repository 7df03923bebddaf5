"""`make docs`: writes docs/reference/: commands, from click, and settings, from their table."""

from collections.abc import Iterator
from pathlib import Path

import click

from hookbundle.cli import SECTIONS, main
from hookbundle.commands.configuration.settings import AT_START_ONLY, SETTINGS, Setting
from hookbundle.commands.examples import EXAMPLES

FOLDER = Path(__file__).with_name("reference")
MADE = "Made from the code by `make docs`; a test fails if it is not up to date."
COMMANDS_HEAD = f"""\
# Commands, one by one

{MADE} What they have in common (output,
exit codes, what asks first) is in [commands.md](../commands.md).
"""
SETTINGS_HEAD = f"""\
# Settings

{MADE} `hookbundle config show`
prints those in force, each with where it comes from; `hookbundle config check` and
`hookbundle doctor` find what is wrong.

Flag, then environment, then `--config FILE`, then `$XDG_CONFIG_HOME/hookbundle/config.toml`, then
`/etc/hookbundle/config.toml`, then the default. A setting `delivery.backoff` is
`HOOKBUNDLE_DELIVERY__BACKOFF` in the environment, and `backoff` under `[delivery]` in a file. A
secret may be in a file of its own, which `HOOKBUNDLE_SMTP__PASSWORD_FILE` names. A list is a list
in TOML, and has commas in the environment. **Reload**: `kill -HUP`, or `systemctl reload`;
**restart**: only the next start takes it.
"""


def commands() -> str:
    parts = [COMMANDS_HEAD]
    for title, section in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in section:
            parts += _pages(main, name, click.Context(main, info_name="hookbundle"))
    return "\n".join(parts)


def _pages(group: click.Group, name: str, parent: click.Context) -> Iterator[str]:
    """The page of a command, and those of the commands below it."""
    command = group.get_command(parent, name)
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    yield _page(command, context)
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from _pages(command, each, context)


def _page(command: click.Command, context: click.Context) -> str:
    path = context.command_path
    depth = "###" if path.count(" ") == 1 else "####"
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    lines = [f"{depth} `{path}`", "", *_paragraphs(command), "", f"    {usage}", ""]
    records = [param.get_help_record(context) for param in command.get_params(context)]
    records = [each for each in records if each and not each[0].endswith("--help")]
    if records:
        lines += ["| option | |", "|---|---|"]
        lines += [
            f"| `{_cell(option)}` | {_cell(text)} |" for option, text in filter(None, records)
        ]
        lines.append("")
    examples = EXAMPLES[path.partition(" ")[2]]
    return "\n".join([*lines, *(f"    {line}" for line in examples), ""])


def _paragraphs(command: click.Command) -> list[str]:
    """The lines of its help, with an empty one between paragraphs."""
    parts = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    return "\n\n".join(parts).split("\n")


def settings() -> str:
    rows = ["| setting | default | takes | changes by | meaning |", "|---|---|---|---|---|"]
    rows += [f"| {' | '.join(_row(each))} |" for each in SETTINGS]
    return "\n".join([SETTINGS_HEAD, *rows, ""])


def _row(setting: Setting) -> Iterator[str]:
    yield f"`{setting.name}`"
    yield f"`{setting.default}`" if setting.default else ""
    yield setting.kind.takes + ("; a secret" if setting.secret else "")
    yield "restart" if setting.name in AT_START_ONLY else "reload"
    yield _cell(setting.meaning)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


FILES = {"commands.md": commands, "configuration.md": settings}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, made in FILES.items():
        (FOLDER / name).write_text(made(), encoding="utf-8")
