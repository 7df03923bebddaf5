"""Bugs of what is told and shown of commands on a cluster: in the feed, in beats, on its page."""

from hookbundle.tests.mutants.mutant import Mutant

COMMANDING = "server/cluster/commanding"
TESTS = "tests/server/cluster/commanding"
UPGRADING = f"{TESTS}/test_upgrading.py"
RECOVERING = f"{TESTS}/test_recovering.py"
CHECKING = f"{TESTS}/test_checking.py"
CHECKING_ALL = f"{TESTS}/test_checking_all.py"
TELLING = f"{TESTS}/test_telling.py"
CONSOLE = "server/cluster/console"
NEEDED = "server/cluster/overview/needs.py"
PAGES = "tests/server/cluster/console/test_pages.py"
PAGE = "tests/server/cluster/console/test_commands.py"
NEEDS = "tests/server/cluster/overview/test_needs.py"
GIVEN = f"{PAGE}::test_partitions_are_given_away_and_a_node_takes_them_again"

CLUSTER_FACES: tuple[Mutant, ...] = (
    Mutant(
        name="cf1",
        bug="that the schema was raised is not in the feed",
        path=f"{COMMANDING}/upgrading.py",
        edits=(("            self._tell(fact)\n", ""),),
        caught_by=(f"{UPGRADING}::test_what_was_raised_is_told_once_with_who_asked_for_it",),
    ),
    Mutant(
        name="cf2",
        bug="who asked for a recovery is not said to the node that does it",
        path=f"{COMMANDING}/recovering.py",
        edits=(("msgspec.json.encode(wanted), asks)", "msgspec.json.encode(wanted))"),),
        caught_by=(
            f"{RECOVERING}::test_lost_logs_stop_all_and_begin_anew_with_the_copies_of_a_node",
        ),
    ),
    Mutant(
        name="cf3",
        bug="that a copy is made anew by command is not in the feed",
        path=f"{COMMANDING}/checking.py",
        edits=(("        if remade:\n", "        if not remade and owner is None:\n"),),
        caught_by=(
            f"{CHECKING}::test_a_copy_that_lost_records_is_named_and_made_anew_when_that_is_wanted",
        ),
    ),
    Mutant(
        name="cf4",
        bug="a fact that may be in the feed is told once more",
        path=f"{COMMANDING}/telling.py",
        edits=(('            return ""\n', "            return in_words(exc)\n"),),
        caught_by=(f"{TELLING}::test_a_fact_that_may_have_been_told_is_not_told_again",),
    ),
    Mutant(
        name="cf5",
        bug="a fact is lost if partition 0 has no owner for a moment",
        path=f"{COMMANDING}/telling.py",
        edits=(("for pause_s in AGAIN_S:", "for pause_s in AGAIN_S[:0]:"),),
        caught_by=(f"{TELLING}::test_a_fact_is_told_again_until_partition_0_has_an_owner",),
    ),
    Mutant(
        name="cf6",
        bug="a check whose node has ended seems to go on",
        path=f"{COMMANDING}/checking_all.py",
        edits=(('"" if has_stopped else latest.doing', "latest.doing"),),
        caught_by=(
            f"{CHECKING_ALL}::"
            "test_one_check_of_all_goes_on_at_a_time_and_that_it_has_stopped_is_seen",
        ),
    ),
    Mutant(
        name="cf7",
        bug="a second check of all begins at another node",
        path=f"{COMMANDING}/going_through.py",
        edits=(("if is_ours or self._known.is_under_way(live):", "if is_ours:"),),
        caught_by=(
            f"{CHECKING_ALL}::"
            "test_one_check_of_all_goes_on_at_a_time_and_that_it_has_stopped_is_seen",
        ),
    ),
    Mutant(
        name="cf8",
        bug="a check that fails for one partition leaves out the rest",
        path=f"{COMMANDING}/checking_all.py",
        edits=(
            ("        except Exception as exc:  # whatever", "        except KeyError as exc:  # "),
        ),
        caught_by=(
            f"{CHECKING_ALL}::"
            "test_what_fails_for_one_partition_is_named_and_the_others_are_checked",
        ),
    ),
    Mutant(
        name="cf9",
        bug="the button of the page raises the schema at once",
        path=f"{CONSOLE}/nodes.py",
        edits=(('if question := self._asks(visit, "upgrade", found):', "if question := None:"),),
        caught_by=(f"{PAGE}::test_the_schema_is_raised_when_that_was_agreed_to",),
    ),
    Mutant(
        name="cf10",
        bug="a node takes partitions again only after a question",
        path=f"{CONSOLE}/nodes.py",
        edits=(("found = [] if undo else [Consequence", "found = [Consequence"),),
        caught_by=(GIVEN,),
    ),
    Mutant(
        name="cf11",
        bug="other nodes do not hear that an owner can not read a record",
        path="server/cluster/partitions/holding.py",
        edits=(("is_damaged=bool(state.damaged)", "is_damaged=False"),),
        caught_by=(f"{PAGES}::test_a_record_that_its_owner_can_not_read_is_shown_by_every_node",),
    ),
    Mutant(
        name="cf12",
        bug="the page has a line for each of a hundred partitions with the same need",
        path=NEEDED,
        edits=(("    if stopped:\n        where", "    for _ in stopped:\n        where"),),
        caught_by=(f"{NEEDS}::test_many_partitions_with_the_same_need_are_said_once",),
    ),
    Mutant(
        name="cf13",
        bug="a node that is gone is not on the page",
        path=NEEDED,
        edits=(("for name in cluster.gone:", "for name in ():"),),
        caught_by=(f"{NEEDS}::test_what_could_be_written_is_said_once_all_nodes_know_it",),
    ),
    Mutant(
        name="cf14",
        bug="an owner that had nothing to write is left out of a recovery in silence",
        path=f"{COMMANDING}/recovering.py",
        edits=(("            await self._notice()\n", "            pass\n"),),
        caught_by=(
            f"{RECOVERING}::test_an_owner_that_had_nothing_to_write_is_recovered_with_the_others",
        ),
    ),
)
