"""Bugs of checks of copies: compared wrongly, dropped for nothing, and tried again too often."""

from hookbundle.tests.mutants.mutant import Mutant

COMPARING = "tests/storage/maintenance/replication/test_comparing.py"
CHECKING = "tests/server/cluster/commanding/test_checking.py"
VERDICT = "tests/server/cluster/commanding/test_verdict.py"
BROKEN = "tests/actors/replication/test_broken.py"
RESTING = "tests/server/cluster/partitions/test_resting.py"
COPIES = "tests/storage/database/replication/test_copies.py"
MONITORS = "tests/commands/cluster/test_monitors.py"

CHECKS_OF_COPIES = (
    Mutant(
        name="ck1",
        bug="copies are compared with their own positions",
        path="storage/maintenance/replication/comparing.py",
        edits=(("if key == keyspace.POSITION:", "if not key:"),),
        caught_by=(f"{COMPARING}::test_copies_that_differ_say_in_which_kinds",),
    ),
    Mutant(
        name="ck2",
        bug="what a copy lacks until the place is left out",
        path="storage/maintenance/replication/comparing.py",
        edits=(('_with(rows.rows(txn, b""), over)', '_with(rows.rows(txn, b""), {})'),),
        caught_by=(f"{COMPARING}::test_what_a_copy_lacks_is_put_over_it",),
    ),
    Mutant(
        name="ck3",
        bug="a copy that a full disk could not take is dropped",
        path="actors/replication/held_copy.py",
        edits=(("keeps=isinstance(why, StoreFull)", "keeps=False"),),
        caught_by=(f"{BROKEN}::test_a_copy_whose_disk_is_full_is_kept_and_gone_on_with",),
    ),
    Mutant(
        name="ck4",
        bug="who is broken keeps what the log calls its own",
        path="actors/replication/held_copy.py",
        edits=(("if had_one and self.state.claims and", "if not had_one and"),),
        caught_by=(
            f"{BROKEN}::test_an_owner_whose_disk_is_full_lets_another_own_what_it_can_not_store",
        ),
    ),
    Mutant(
        name="ck5",
        bug="a record that the log has damaged goes from node to node",
        path="actors/replication/role_state.py",
        edits=(("now_s - self.healed_s < HEALED_AGAIN_S", "now_s < self.healed_s"),),
        caught_by=(
            f"{BROKEN}::test_a_record_that_the_log_has_damaged_does_not_go_from_node_to_node",
        ),
    ),
    Mutant(
        name="ck6",
        bug="a follower is made anew where the owner has the wrong copy",
        path="server/cluster/commanding/verdict.py",
        edits=(
            (
                "if own is None or not own.is_sound or self._stands_out(own) is not None:",
                "if own is None:",
            ),
        ),
        caught_by=(f"{VERDICT}::test_where_the_owners_is_the_wrong_one_another_is_to_own_first",),
    ),
    Mutant(
        name="ck7",
        bug="a broken copy is tried again as often as at first",
        path="server/cluster/partitions/resting.py",
        edits=(("FIRST_S * 2**rest.times", "FIRST_S"),),
        caught_by=(f"{RESTING}::test_the_first_times_come_soon_and_later_ones_rarely",),
    ),
    Mutant(
        name="ck8",
        bug="a copy that ends its process is opened again and again",
        path="storage/database/replication/copy_state.py",
        edits=(("ends = 0 if state.clean else state.ends + 1", "ends = 0"),),
        caught_by=(
            f"{COPIES}::"
            "test_a_copy_that_was_open_when_its_process_ended_is_looked_through_the_second_time",
        ),
    ),
    Mutant(
        name="ck9",
        bug="a new copy takes the room that others on the disk need",
        path="storage/database/replication/base.py",
        edits=(("if self._floor_bytes and", "if not self._floor_bytes and"),),
        caught_by=(f"{COPIES}::test_no_copy_is_made_below_the_floor_of_the_disk",),
    ),
    Mutant(
        name="ck10",
        bug="a log server that does not sync is not named",
        path="commands/cluster/monitors.py",
        edits=(("config is not None and not config.sync_always", "config is None"),),
        caught_by=(f"{MONITORS}::test_a_setting_that_needs_a_person_is_named",),
    ),
    Mutant(
        name="ck11",
        bug="who closes a copy waits for the check that reads it",
        path="storage/database/environment.py",
        edits=(("self._is_closing = True", "self._is_full = False"),),
        caught_by=(
            f"{COMPARING}::test_a_database_that_is_closed_does_not_wait_for_who_looks_through_it",
        ),
    ),
    Mutant(
        name="ck12",
        bug="a copy that can not be looked at is left out in silence",
        path="server/cluster/commanding/checking.py",
        edits=(
            ("return Copy(node, LookedOut(why=str(moment)))", "return Copy(node, LookedOut())"),
        ),
        caught_by=(f"{CHECKING}::test_a_copy_that_can_not_be_looked_at_is_named_with_the_reason",),
    ),
)
