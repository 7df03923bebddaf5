"""Bugs of `source ...`: secrets that are seen, settings that are lost, and what is shown."""

from hookbundle.tests.mutants.mutant import Mutant

SETTINGS = "tests/daemon/commands/sources/test_source_settings.py"
LIFE = "tests/daemon/commands/sources/test_source_life.py"
GIVEN = "commands/sources/given.py"
SOURCE = "commands/sources/source.py"

SOURCE_COMMANDS = (
    Mutant(
        name="sc1",
        bug="a secret is taken from the command line",
        path=GIVEN,
        edits=(
            (
                "    else:\n        raise click.UsageError(_shown_to_all(name))\n",
                "    else:\n        secret = text\n",
            ),
        ),
        caught_by=(f"{SETTINGS}::test_a_secret_in_the_command_line_is_refused_and_not_repeated",),
    ),
    Mutant(
        name="sc2",
        bug="a header is taken as a whole from the command line, with its secret",
        path=GIVEN,
        edits=(('if name == "header" and not text.startswith("@")', 'if name == "headers"'),),
        caught_by=(f"{SETTINGS}::test_a_secret_in_the_command_line_is_refused_and_not_repeated",),
    ),
    Mutant(
        name="sc3",
        bug="a secret is shown while it is typed",
        path=GIVEN,
        edits=(("hide_input=True", "hide_input=False"),),
        caught_by=(f"{SETTINGS}::test_a_secret_is_asked_on_a_terminal",),
    ),
    Mutant(
        name="sc4",
        bug="the end of its line belongs to a secret",
        path=GIVEN,
        edits=(('found.decode().rstrip("\\r\\n")', "found.decode()"),),
        caught_by=(
            f"{SETTINGS}::test_two_secrets_are_good_while_one_replaces_the_other",
            f"{SETTINGS}::test_a_secret_is_read_from_a_file_or_stdin_and_never_shown",
        ),
    ),
    Mutant(
        name="sc5",
        bug="of two secrets the last one is set alone",
        path=GIVEN,
        edits=(("texts[0] if len(texts) == 1 else texts", "texts[-1]"),),
        caught_by=(f"{SETTINGS}::test_two_secrets_are_good_while_one_replaces_the_other",),
    ),
    Mutant(
        name="sc6",
        bug="a part of a setting takes the other parts away",
        path=SOURCE,
        edits=(
            ('        present, headers = found["settings"], ', "        present, headers = {}, "),
        ),
        caught_by=(f"{SETTINGS}::test_a_part_of_a_setting_is_changed_and_the_rest_stays",),
    ),
    Mutant(
        name="sc7",
        bug="a part of a setting overwrites what somebody else has changed meanwhile",
        path=SOURCE,
        edits=((", document, headers)", ", document)"),),
        caught_by=(f"{SETTINGS}::test_what_somebody_else_changed_meanwhile_is_not_overwritten",),
    ),
    Mutant(
        name="sc8",
        bug="a source is removed without a question",
        path=SOURCE,
        edits=(("    if not yes:\n        found", "    if yes:\n        found"),),
        caught_by=(f"{LIFE}::test_removing_asks_and_then_the_address_is_unknown",),
    ),
    Mutant(
        name="sc9",
        bug="following shows the same requests again each second",
        path="commands/sources/requests.py",
        edits=(('            newest = request["number"]\n', ""),),
        caught_by=(f"{LIFE}::test_following_shows_what_comes_until_it_is_interrupted",),
    ),
    Mutant(
        name="sc10",
        bug="an address that nobody has read is no failure",
        path=SOURCE,
        edits=(
            (
                'output.write_once(found["url"], f"For another address: {again}")',
                'output.write(found["url"])',
            ),
        ),
        caught_by=(f"{LIFE}::test_an_address_that_nobody_has_read_is_a_failure",),
    ),
    Mutant(
        name="sc11",
        bug="a shell completes no sources",
        path="commands/searching/completion.py",
        edits=(('    "source": sources,\n', ""),),
        caught_by=(f"{LIFE}::test_sources_complete_in_a_shell",),
    ),
    Mutant(
        name="sc12",
        bug="the value of a secret header is the word that takes settings away",
        path=GIVEN,
        edits=(("if dot and text == NONE and head in OBJECTS:", "if dot and not text:"),),
        caught_by=(f"{SETTINGS}::test_what_is_wrong_is_said_with_its_exit_code",),
    ),
)
