"""The program `hookbundle`: the table of its commands and the options before a command's name.

A command's module is imported only when that command runs. Importing the daemon takes most of a
second, and `hookbundle --version` or a shell completion should not wait for it. So the first
sentences of the commands' help stand here, too.
"""

from importlib import import_module
from pathlib import Path

import click

from hookbundle import __version__
from hookbundle.commands.terminal import failures
from hookbundle.commands.terminal.help import Group
from hookbundle.commands.terminal.options import Shared

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "The daemon": {
        "run": ("daemon.command:run", "Runs the daemon in the foreground."),
        "status": ("reports:status", "Prints the state of the daemon."),
        "doctor": (
            "doctor.command:doctor",
            "Looks at what can be wrong, and says how to mend it.",
        ),
        "demo": ("demo.command:demo", "Shows the main job with a broken receiver and the e-mail."),
    },
    "Workspaces, messages and deliveries": {
        "workspace": ("workspaces.settings:workspace", "Workspaces and their webhooks."),
        "webhook": (
            "workspaces.webhooks:webhook",
            "Webhooks of a workspace: each has its URL, window, queue and state.",
        ),
        "source": (
            "sources.source:source",
            "Sources of a workspace: systems whose events are its messages.",
        ),
        "send": ("messages:send", "Sends messages to a workspace, from a file or a live pipe."),
        "listen": (
            "listening.command:listen",
            "Receives requests on this machine, checks and prints them.",
        ),
        "chats": ("chats:chats", "Open windows, and the history of a chat."),
        "deliveries": (
            "deliveries:deliveries",
            "What waits to be sent, and what became of the rest.",
        ),
    },
    "What happened": {
        "activity": ("reports:activity", "Prints a workspace's ten most recent actions."),
        "log": ("reports:log", "Prints a workspace's hundred most recent requests in full."),
        "tail": ("feed.command:tail", "Follows the event feed."),
    },
    "Access": {
        "token": ("tokens:token", "Bearer tokens for the HTTP API on TCP."),
        "verify": ("verify:verify", "Checks a request's signature as a receiver would."),
    },
    "The database": {
        "backup": ("maintenance:backup", "Backs up the running daemon's database."),
        "restore": ("maintenance:restore", "Creates a data directory from a backup."),
        "check": ("maintenance:check_data", "Verifies every record and changes nothing."),
        "compact": ("maintenance:compact", "Rewrites the database without deleted data."),
    },
    "Several machines": {
        "cluster": (
            "cluster.command:cluster",
            "Several machines that share the work, and go on when one of them is lost.",
        ),
    },
    "This program": {
        "mail": ("mail:mail", "The mail server, by which owners are told."),
        "config": ("config:config", "The configuration, and where each value comes from."),
        "completion": ("about:completion", "Prints a shell's completion script."),
        "version": ("about:version", "Prints the program's version."),
    },
}
COMMANDS = {
    name: location for section in SECTIONS.values() for name, (location, _) in section.items()
}
RUNS_THE_DAEMON = ("run", "demo")


class OnDemand(Group):
    """Lists the commands of SECTIONS, and imports one when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        location = COMMANDS.get(cmd_name)
        if location is not None and cmd_name not in self.commands:
            module, _, name = location.partition(":")
            command = getattr(import_module(f"hookbundle.commands.{module}"), name)
            assert isinstance(command, click.Command)
            self.add_command(command, cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        size = max(map(len, COMMANDS))
        for title, section in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(size), meaning) for name, (_, meaning) in section.items()]
                )

    def invoke(self, ctx: click.Context) -> object:
        """Every way to fail ends with one sentence and the right exit code."""
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as exc:
            if exc.option_name not in ("--config", "--socket"):
                raise
            before = f"it stands before the command: hookbundle {exc.option_name} ..."
            raise click.UsageError(f"{exc.message} Perhaps {before}", exc.ctx) from exc
        except KeyboardInterrupt:
            raise failures.CommandFailure("interrupted", failures.FAILED) from None
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except OSError as exc:
            raise failures.of_the_system(exc) from exc
        except Exception as exc:
            if ctx.invoked_subcommand in RUNS_THE_DAEMON:
                raise  # the whole stack belongs into the daemon's log
            raise failures.of_a_bug(exc) from exc


@click.group(cls=OnDemand, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hookbundle")
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="A configuration file (TOML)."
)
@click.option("--socket", metavar="PATH", help="Path of the daemon's control socket.")
@click.pass_context
def main(context: click.Context, config: Path | None, socket: str | None) -> None:
    """The outbound-webhook engine of a shared WhatsApp inbox."""
    context.obj = Shared(config, socket)
