"""The program, imported: each fork runs it, or the module that follows `-m`."""

import runpy
import sys
from importlib import import_module

from hookbundle import cli
from hookbundle.server.console.catalogues import LANGUAGES
from hookbundle.server.console.rendering import environment
from hookbundle.tests.shared_work.forking import serve

BEHIND = (  # what a command imports when it runs, and what takes longest
    "hookbundle.commands.cluster.answering",
    "hookbundle.commands.cluster.making",
    "hookbundle.commands.daemon.run",
    "hookbundle.commands.demo.playing",
    "hookbundle.commands.doctor.examining",
    "hookbundle.commands.feed.tail",
    "hookbundle.commands.listening.running",
    "hookbundle.server.cluster.joined",
    "hookbundle.server.cluster.node",
    "rich.progress",
)


def main() -> None:
    of_commands = [location.partition(":")[0] for location in cli.COMMANDS.values()]
    for name in (*(f"hookbundle.commands.{each}" for each in of_commands), *BEHIND):
        import_module(name)
    for code in LANGUAGES:
        environment(code)
    serve(run)


def run() -> SystemExit:
    try:
        if sys.argv[1:2] == ["-m"]:
            module, sys.argv[:] = sys.argv[2], sys.argv[2:]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            cli.main()
    except SystemExit as ended:
        return ended
    return SystemExit(0)
