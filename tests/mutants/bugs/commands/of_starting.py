"""Bugs of the start of commands, and of what `run` says on a terminal."""

from hookbundle.tests.mutants.mutant import Mutant

STARTING = (
    Mutant(
        name="fh14",
        bug="the help of `run` imports the daemon",
        path="commands/daemon/command.py",
        edits=(
            (
                "import Shared, pass_shared\n",
                "import Shared, pass_shared\n"
                "from hookbundle.commands.daemon import run as daemon_run\n",
            ),
        ),
        caught_by=(
            "tests/commands/test_imports.py"
            "::test_the_help_of_a_command_imports_nothing_of_what_it_does",
        ),
    ),
    Mutant(
        name="fh15",
        bug="a terminal that wants JSON is greeted in words",
        path="commands/daemon/run.py",
        edits=((' and loaded.get("log.format", str) != "json"', ""),),
        caught_by=(
            "tests/daemon/commands/starting/test_run.py"
            "::test_a_terminal_that_wants_json_gets_json_alone",
        ),
    ),
    Mutant(
        name="fh16",
        bug="what is not set is said of what is set, too",
        path="commands/daemon/greeting.py",
        edits=((" if config.values[name].origin == DEFAULT]", "]"),),
        caught_by=(
            "tests/commands/daemon/test_greeting.py"
            "::test_what_is_not_set_is_named_with_what_it_means_and_how_to_set_it",
        ),
    ),
    Mutant(
        name="fa2",
        bug="a daemon never collects its garbage",
        path="commands/daemon/command.py",
        edits=(("    gc.enable()\n", ""),),
        caught_by=(
            "tests/commands/daemon/test_command.py::"
            "test_garbage_is_collected_once_the_daemon_is_imported",
        ),
    ),
)
