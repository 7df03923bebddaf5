"""Bugs of the try of the mail server."""

from hookbundle.tests.mutants.mutant import Mutant

TRIAL = "tests/actors/mails/test_trial.py"

MAIL_TRIALS = (
    Mutant(
        name="fh11",
        bug="a server that repeats the login has the password shown",
        path="actors/mails/trial.py",
        edits=(("        if password:\n", "        if not password:\n"),),
        caught_by=(f"{TRIAL}::test_a_server_that_repeats_the_login_shows_no_password",),
    ),
    Mutant(
        name="fh12",
        bug="a mail goes out although no address was named",
        path="actors/mails/trial.py",
        edits=(("        if to:\n", "        if to is not None:\n"),),
        caught_by=(f"{TRIAL}::test_without_an_address_nothing_is_sent",),
    ),
    Mutant(
        name="fh13",
        bug="the mail server is tried without end",
        path="server/http/resources/mail_tests.py",
        edits=(('        self.hourly.use("", self.clock.now_ms())\n', ""),),
        caught_by=(
            "tests/server/http/resources/operating/test_mail_tests.py::test_tries_have_an_end_in_the_hour",
        ),
    ),
)
