"""Bugs of the console's pages that check something, and of what newcomers are told to set."""

from hookbundle.tests.mutants.mutant import Mutant

PAGES = "tests/server/console/pages/checks"
SIGNATURE = "server/console/pages/checks/signature.py"

CHECKS = (
    Mutant(
        name="gd1",
        bug="a body of several lines is checked as its form has it",
        path=SIGNATURE,
        edits=(('.replace("\\r\\n", "\\n")', ""),),
        caught_by=(
            f"{PAGES}/test_signature.py::test_a_body_of_several_lines_is_checked_as_it_was_sent",
        ),
    ),
    Mutant(
        name="gd2",
        bug="names of pasted headers have to be small",
        path=SIGNATURE,
        edits=(("name.strip().lower()", "name.strip()"),),
        caught_by=(f"{PAGES}/test_signature.py::test_what_is_wrong_is_said_in_both_languages",),
    ),
    Mutant(
        name="gd3",
        bug="owners of a workspace send mail by the daemon's server",
        path="server/console/pages/checks/mail.py",
        edits=(
            (
                'page("POST", AT, self.test, "operator", back=f"/console{AT}")',
                'page("POST", AT, self.test, "owner", back=f"/console{AT}")',
            ),
        ),
        caught_by=(f"{PAGES}/test_mail.py::test_an_owner_of_a_workspace_has_no_mail_server",),
    ),
    Mutant(
        name="gd4",
        bug="listen wants to have allowed what the daemon allows",
        path="commands/listening/pointing.py",
        edits=(
            (
                '    if str(found or "").startswith(url):\n        return',
                '    if ws == "":\n        return',
            ),
        ),
        caught_by=(
            "tests/daemon/commands/starting/test_listen.py"
            "::test_what_the_daemon_was_allowed_is_not_asked_for_again",
        ),
    ),
    Mutant(
        name="gd5",
        bug="what a source says to set has a name that no setting has",
        path="commands/sources/source.py",
        edits=(("with console.url set it is shown", "with console.public_url set it is shown"),),
        caught_by=(
            "tests/daemon/commands/sources/test_source_life.py"
            "::test_the_address_is_all_of_stdout_and_what_to_do_next_is_said",
        ),
    ),
)
