"""Bugs of the receiver of `listen`, of what allows the daemon to call it, and of the sample."""

from hookbundle.tests.mutants.mutant import Mutant

ADDRESSES = "tests/engine/delivery/test_addresses.py"
RECEIVER = "tests/commands/listening/test_receiver.py"
SHOWN = "tests/commands/listening/test_shown.py"

LISTENING = (
    Mutant(
        name="fh1",
        bug="an allowed receiver opens every port of its address",
        path="engine/delivery/addresses.py",
        edits=(
            (
                "(address, port) in self.receivers",
                "any(address == each for each, _ in self.receivers)",
            ),
        ),
        caught_by=(f"{ADDRESSES}::test_an_allowed_receiver_is_known_by_its_port_alone",),
    ),
    Mutant(
        name="fh2",
        bug="what came reaches the terminal as it is",
        path="commands/listening/shown.py",
        edits=(("c if c in JOINERS else printable(c)", "c"),),
        caught_by=(f"{SHOWN}::test_no_character_of_a_request_controls_the_terminal",),
    ),
    Mutant(
        name="fh3",
        bug="a body may be as long as it says",
        path="commands/listening/wire.py",
        edits=(("_bounded(int(length))", "int(length)"),),
        caught_by=(f"{RECEIVER}::test_what_it_does_not_read_is_refused_with_a_status",),
    ),
    Mutant(
        name="fh4",
        bug="any number of connections is taken",
        path="commands/listening/receiver.py",
        edits=(("len(self._tasks) >= CONNECTIONS_MAX", "len(self._tasks) < 0"),),
        caught_by=(
            f"{RECEIVER}::test_connections_over_the_bound_are_refused_and_those_within_it_answered",
        ),
    ),
    Mutant(
        name="fh5",
        bug="a request may take as long as it likes to come",
        path="commands/listening/receiver.py",
        edits=(
            (
                "            async with asyncio.timeout(REQUEST_S):\n                request",
                "            async with asyncio.timeout(None):\n                request",
            ),
        ),
        caught_by=(f"{RECEIVER}::test_a_request_that_does_not_come_whole_in_time_is_given_up",),
    ),
    Mutant(
        name="fh6",
        bug="a secret that signs no more still verifies",
        path="server/http/resources/webhooks/verifying.py",
        edits=(("if not secret.expires_ms or secret.expires_ms > now_ms", "if secret"),),
        caught_by=(
            "tests/server/http/resources/webhooks/test_verifying.py"
            "::test_the_old_secret_is_good_for_as_long_as_it_signs",
        ),
    ),
    Mutant(
        name="fh7",
        bug="the ids of a sample are the same each time",
        path="commands/sending/sample.py",
        edits=(('f"{prefix}-{n + 1}"', 'f"sample-{n + 1}"'),),
        caught_by=(
            "tests/daemon/commands/test_send.py::test_a_sample_is_new_each_time_and_takes_no_file",
        ),
    ),
)
