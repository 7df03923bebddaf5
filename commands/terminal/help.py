"""Help pages and usage errors: examples on every page, groups, and suggestions.

A command is made by click's own decorators; the group that has it gives it a `HelpContext`, so that
no command has to think of its examples or its suggestions.
"""

from gettext import gettext
from typing import Any

import click


class HelpContext(click.Context):
    """Its help page ends with the examples of its command."""

    def get_help(self) -> str:
        from hookbundle.commands.examples import EXAMPLES

        examples = [f"  {line}" for line in EXAMPLES.get(path_of(self), ())]
        return "\n".join([super().get_help(), "", "Examples:", *examples])


class Group(click.Group):
    """A group whose commands are listed with their whole first sentence."""

    context_class = HelpContext
    group_class = type  # subgroups are of this class, too

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is not None:
            command.context_class = HelpContext
            if ctx.resilient_parsing:  # a shell completes
                from hookbundle.commands.searching.completion import complete_ids

                complete_ids(self.name or "", command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = str(args[0])
        if name not in self.list_commands(ctx) and not name.startswith("-"):
            raise click.UsageError(_unknown(name, path_of(ctx), self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as exc:
            if exc.possibilities:
                raise
            after = f"Options of a command follow its name: {ctx.command_path} COMMAND"
            raise click.UsageError(f"{exc.message} {after} {exc.option_name}", ctx) from exc

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            assert command is not None
            rows.append((name, command.get_short_help_str(limit=1_000)))
        with formatter.section(gettext("Commands")):
            formatter.write_dl(rows)


def path_of(ctx: click.Context) -> str:
    """The names of the command and its groups, without the program's."""
    names: list[str] = []
    at: Any = ctx
    while at.parent is not None:
        names.insert(0, at.info_name or "")
        at = at.parent
    return " ".join(names)


def _unknown(name: str, group: str, known: list[str]) -> str:
    """Names the nearest commands: of this group, or else commands of any group with that name."""
    from difflib import get_close_matches

    from hookbundle.commands.examples import EXAMPLES

    near = [f"{group} {each}".strip() for each in get_close_matches(name, known, n=2)]
    words = {path.rpartition(" ")[2] for path in EXAMPLES if path}
    if name in words or not near:
        alike = get_close_matches(name, sorted(words), n=1)
        near = [path for path in EXAMPLES if path.rpartition(" ")[2] in alike][:4]
    message = f"there is no command '{f'{group} {name}'.strip()}'."
    if not near:
        return message
    return f"{message} Did you mean {' or '.join(f'`hookbundle {path}`' for path in near)}?"
