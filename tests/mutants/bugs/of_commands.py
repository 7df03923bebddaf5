"""Bugs in what commands print, ask and end with."""

from hookbundle.tests.mutants.mutant import Mutant

TAIL = "tests/daemon/test_tail_command.py"
SEND = "tests/daemon/commands/test_send.py"
INPUT = "tests/commands/test_message_input.py"
ENDS = "tests/daemon/commands/test_tail_ends.py"
ENDINGS = "tests/daemon/commands/test_endings.py"
TABLES = "tests/commands/terminal/test_tables.py"
TERMINAL = "tests/daemon/commands/test_tables.py"
IMPORTS = (
    "tests/commands/test_imports.py::test_a_command_imports_no_daemon_and_into_a_pipe_no_tables"
)

COMMANDS = (
    Mutant(
        name="c1",
        bug="a fault is told by its place in the batch",
        path="commands/message_input.py",
        edits=(("self.places[int(found[1]) - 1]}", "int(found[1])}"),),
        caught_by=(f"{SEND}::test_a_fault_is_told_by_its_line_in_the_file",),
    ),
    Mutant(
        name="c2",
        bug="a live pipe is sent only in full batches",
        path="commands/message_input.py",
        edits=(("lines.next(max(until_s - lines.now_s(), 0))", "lines.next()"),),
        caught_by=(f"{INPUT}::test_a_pipe_that_never_pauses_is_sent_after_a_moment",),
    ),
    Mutant(
        name="c3",
        bug="each line of a pipe that never pauses puts the batch off",
        path="commands/message_input.py",
        edits=(("max(until_s - lines.now_s(), 0)", "MOMENT_S"),),
        caught_by=(f"{INPUT}::test_a_pipe_that_never_pauses_is_sent_after_a_moment",),
    ),
    Mutant(
        name="c4",
        bug="`tail` accepts types that no event has",
        path="commands/feed/tail.py",
        edits=(("    _check_types(filters.types)\n", ""),),
        caught_by=(f"{TAIL}::test_a_type_that_no_event_has_is_refused",),
    ),
    Mutant(
        name="c5",
        bug="`tail` with an end has the daemon filter, and waits for a ping",
        path="commands/feed/tail.py",
        edits=(("{} if self.end else self", "{} if not self else self"),),
        caught_by=(f"{ENDS}::test_it_ends_there_and_needs_no_further_event_or_ping",),
    ),
    Mutant(
        name="c6",
        bug="an interrupt may come between an event's line and its cursor",
        path="commands/terminal/output.py",
        edits=(("{signal.SIGINT})", "set())"),),
        caught_by=(
            "tests/commands/terminal/test_interrupts.py"
            "::test_an_interrupt_within_the_block_comes_after_it",
        ),
    ),
    Mutant(
        name="c7",
        bug="discarding does not ask",
        path="commands/deliveries.py",
        edits=(('will never be sent.", yes=yes)', 'will never be sent.", yes=True)'),),
        caught_by=(f"{ENDINGS}::test_what_cannot_be_undone_says_what_it_does_and_asks",),
    ),
    Mutant(
        name="c8",
        bug="the text that a full output did not take is tried again at the end",
        path="commands/terminal/output.py",
        edits=(("        os.dup2(nowhere, sys.stdout.fileno())\n", ""),),
        caught_by=(f"{ENDINGS}::test_an_output_that_is_full_is_one_sentence",),
    ),
    Mutant(
        name="c9",
        bug="an id of a delivery is shortened",
        path="commands/terminal/tables.py",
        edits=(('    "id": 34,', '    "id": 12,'),),
        caught_by=(f"{TABLES}::test_no_line_is_wider_than_the_terminal_and_the_id_stays_whole",),
    ),
    Mutant(
        name="c10",
        bug="a token that nobody has read is no failure",
        path="commands/terminal/output.py",
        edits=(("    if not write(secret):", "    if not write(secret) and not secret:"),),
        caught_by=(f"{ENDINGS}::test_a_token_that_nobody_has_read_is_a_failure",),
    ),
    Mutant(
        name="c21",
        bug="a chat that only collects for a phone is hidden by one that has a delivery with it",
        path="storage/reads/chats/finding.py",
        edits=(("not self._may_collect(view)", "self.found"),),
        caught_by=(
            "tests/storage/reads/chats/test_finding.py"
            "::test_a_phone_of_a_delivery_hides_no_chat_that_only_collects",
        ),
    ),
    Mutant(
        name="c20",
        bug="a time within a sentence is not shortened on a terminal",
        path="commands/terminal/output.py",
        edits=(("short_times(value) if name in SENTENCES else short_time", "short_time"),),
        caught_by=(f"{TERMINAL}::test_times_are_short_on_a_terminal_and_rfc_3339_in_a_pipe",),
    ),
    Mutant(
        name="b146",
        bug="a workspace is listed with the state of its first webhook alone",
        path="commands/workspaces/listing.py",
        edits=(("min(states, key=WORST_FIRST.index)", "states[0]"),),
        caught_by=(
            "tests/daemon/commands/test_listing_workspaces.py"
            "::test_of_several_webhooks_the_worst_state_stands_there_and_how_many",
        ),
    ),
    Mutant(
        name="c22",
        bug="a command imports what runs the daemon",
        path="commands/reports.py",
        edits=(
            (
                "from hookbundle.commands.terminal.words import name_of\n",
                "from hookbundle.commands.terminal.words import name_of\n"
                "from hookbundle.server.daemon import process as process\n",
            ),
        ),
        caught_by=(IMPORTS,),
    ),
    Mutant(
        name="c23",
        bug="what draws tables is imported for a line of text",
        path="commands/terminal/output.py",
        edits=(("import click\n", "import click\nimport rich.console\n"),),
        caught_by=(IMPORTS,),
    ),
)
