"""Bugs of what looks for faults, and of what it reads of the configuration."""

from hookbundle.tests.mutants.mutant import Mutant

SECRETS = "tests/commands/configuration/test_secrets.py"
DOCTOR_RUN = "tests/daemon/commands/starting/test_doctor.py"

DOCTOR = (
    Mutant(
        name="fh8",
        bug="a secret that is too long is quoted in what is wrong with it",
        path="commands/configuration/loading.py",
        edits=(("if setting.secret else str(exc)", "if not setting else str(exc)"),),
        caught_by=(f"{SECRETS}::test_a_secret_that_is_refused_is_not_quoted",),
    ),
    Mutant(
        name="fh9",
        bug="a note fails the command as a fault does",
        path="commands/doctor/command.py",
        edits=(("    if faults:\n", "    if found.findings:\n"),),
        caught_by=(f"{DOCTOR_RUN}::test_without_a_daemon_it_looks_at_the_rest_and_finds_no_fault",),
    ),
    Mutant(
        name="fh10",
        bug="everything that is wrong with the configuration hides what comes after it",
        path="commands/configuration/loading.py",
        edits=(("            faults.append(exc)\n            continue\n", "            raise\n"),),
        caught_by=(f"{SECRETS}::test_every_fault_is_found_and_counts_as_not_set",),
    ),
)
