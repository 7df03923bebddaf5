"""`completion` and `version`: commands about the program itself, which need no daemon."""

import click

from hookbundle import __version__
from hookbundle.commands.terminal import output
from hookbundle.commands.terminal.options import as_json

NAME = "hookbundle"
VARIABLE = "_HOOKBUNDLE_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Prints a shell's completion script: `eval "$(hookbundle completion bash)"`."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None, f"click does not support {shell}"
    output.write(kind(context.find_root().command, {}, NAME, VARIABLE).source())


@click.command()
@as_json
def version(as_json: bool) -> None:
    """Prints the program's version."""
    if as_json:
        import platform

        output.show_json({"version": __version__, "python": platform.python_version()})
    else:
        output.write(__version__)
