"""Bugs of a log's generations: how one is made, when, and which are deleted; and of copies."""

from hookbundle.tests.mutants.mutant import Mutant

RENEWAL = "tests/engine/replication/test_renewal.py"
ROLES = "tests/engine/replication/test_roles.py"
RENEWING = "tests/actors/replication/test_renewing.py"
MAINTENANCE = "tests/actors/replication/test_maintenance.py"
COPIES = "tests/actors/replication/test_copies.py"
ERASURES = "tests/storage/database/replication/test_erasures.py"

GENERATIONS = (
    Mutant(
        name="gn1",
        bug="groups that come while the base is written are in no generation",
        path="actors/replication/renewal.py",
        edits=(
            (
                "        self._since: Log = await self._in_thread(self._reader)\n"
                "        self._records = await write_base(self._new, self._env, self._in_thread)\n",
                "        self._records = await write_base(self._new, self._env, self._in_thread)\n"
                "        self._since: Log = await self._in_thread(self._reader)\n",
            ),
        ),
        caught_by=(
            f"{RENEWING}::test_groups_go_on_while_the_base_is_written_and_wait_for_the_turn_alone",
        ),
    ),
    Mutant(
        name="gn2",
        bug="the log turns before the last groups are copied",
        path="actors/replication/renewal.py",
        edits=(
            ("            while self._left() > 0:\n", "            while self._left() > FEW:\n"),
        ),
        caught_by=(
            f"{RENEWING}::test_groups_go_on_while_the_base_is_written_and_wait_for_the_turn_alone",
        ),
    ),
    Mutant(
        name="gn3",
        bug="nodes begin with a generation before an end points to it",
        path="actors/replication/renewal.py",
        edits=(
            (
                "            self.is_ending = True\n",
                "            self.is_ending = True\n"
                "            await log.raw.begin_with(self.generation)\n",
            ),
        ),
        caught_by=(f"{RENEWING}::test_an_owner_that_another_has_replaced_turns_no_log",),
    ),
    Mutant(
        name="gn4",
        bug="a group does not wait while the log turns",
        path="actors/replication/renewal.py",
        edits=(("        async with self._using:\n", "        async with asyncio.Lock():\n"),),
        caught_by=(
            f"{RENEWING}::test_groups_go_on_while_the_base_is_written_and_wait_for_the_turn_alone",
        ),
    ),
    Mutant(
        name="gn5",
        bug="what was deleted while the base was written is not known to stand in it",
        path="actors/replication/renewal.py",
        edits=(
            (
                "if self._erased_ms is None and erases(group):",
                "if self._erased_ms is not None and erases(group):",
            ),
        ),
        caught_by=(
            f"{RENEWING}"
            "::test_what_is_deleted_while_the_base_is_written_is_deleted_for_whoever_reads_it",
        ),
    ),
    Mutant(
        name="gn6",
        bug="generations of a later epoch are deleted",
        path="engine/replication/renewal.py",
        edits=(("        if each.epoch <= epoch\n", "        if each.epoch >= 0\n"),),
        caught_by=(
            f"{RENEWAL}"
            "::test_old_generations_are_deleted_when_nobody_reads_them_and_half_made_ones_of_before",
        ),
    ),
    Mutant(
        name="gn7",
        bug="a generation of the owner's own epoch is deleted while it is made",
        path="engine/replication/renewal.py",
        edits=(("else each.epoch < epoch)", "else each.epoch <= epoch)"),),
        caught_by=(
            f"{MAINTENANCE}::test_what_owners_of_before_left_half_made_is_deleted"
            "_and_what_is_of_later_epochs_is_not",
        ),
    ),
    Mutant(
        name="gn8",
        bug="who joins is forgotten when old generations are deleted",
        path="engine/replication/renewal.py",
        edits=(
            (
                "        if copy.role is Role.JOINING and copy.generation is None:\n",
                "        if copy.role is Role.YIELDING:\n",
            ),
        ),
        caught_by=(f"{RENEWAL}::test_what_a_live_copy_may_read_is_needed",),
    ),
    Mutant(
        name="gn9",
        bug="an owner deletes the generation in which its own copy is",
        path="actors/replication/maintenance.py",
        edits=(
            (
                "        if Generation.read(at) != own.generation:\n",
                "        if Generation.read(at) is None:\n",
            ),
        ),
        caught_by=(
            f"{MAINTENANCE}"
            "::test_an_owner_that_has_nothing_to_write_goes_on_with_its_own_copy_after_a_restart",
        ),
    ),
    Mutant(
        name="gn10",
        bug="a new owner does not know how much has been written",
        path="actors/replication/generations.py",
        edits=(("        group_bytes=at.group_bytes,\n", ""),),
        caught_by=(
            f"{MAINTENANCE}"
            "::test_a_log_that_has_grown_is_renewed_also_by_an_owner_that_did_not_write_it",
        ),
    ),
    Mutant(
        name="gn11",
        bug="a log is renewed before what was deleted is erased",
        path="actors/replication/maintenance.py",
        edits=(("if reason in ERASING and await", "if reason not in ERASING and await"),),
        caught_by=(f"{COPIES}::test_erasing_comes_first",),
    ),
    Mutant(
        name="gn12",
        bug="a deletion does not start the time after which it has left the log",
        path="actors/replication/appending.py",
        edits=(("            if erases:\n", "            if not erases:\n"),),
        caught_by=(
            f"{MAINTENANCE}"
            "::test_a_deletion_has_left_the_log_within_its_time_and_so_has_what_is_a_week_old",
        ),
    ),
    Mutant(
        name="gn13",
        bug="a copy is given up while another one is still being made",
        path="engine/replication/roles.py",
        edits=(
            (
                "WHOLE = frozenset({Role.FOLLOWING,",
                "WHOLE = frozenset({Role.JOINING, Role.FOLLOWING,",
            ),
        ),
        caught_by=(
            f"{ROLES}::test_a_copy_is_given_up_when_all_that_are_to_hold_one_do_and_never_before",
        ),
    ),
    Mutant(
        name="gn14",
        bug="a node claims a partition whose rows it can't read",
        path="actors/replication/role_state.py",
        edits=(("SCHEMA_OLDEST <= schema <= known", "SCHEMA_OLDEST <= schema"),),
        caught_by=(f"{COPIES}::test_rows_of_a_later_schema_are_followed_and_never_owned",),
    ),
    Mutant(
        name="gn15",
        bug="a copy is written anew with what is being erased",
        path="storage/maintenance/replication/copies.py",
        edits=(("        if is_erasing(env):\n", "        if not env:\n"),),
        caught_by=(f"{COPIES}::test_erasing_comes_first",),
    ),
    Mutant(
        name="gn16",
        bug="an old deletion, met again in the feed, is taken for a new one",
        path="storage/database/replication/erasures.py",
        edits=(
            (
                "    after = bisect_left(rows, (AFTER_FEED,))\n",
                "    after = bisect_left(rows, (keyspace.FEED,)) + 1\n",
            ),
        ),
        caught_by=(f"{ERASURES}::test_facts_of_before_that_retention_leaves_in_a_row_say_nothing",),
    ),
    Mutant(
        name="gn17",
        bug="who takes over leaves the first generation as it was, and deletes it",
        path="actors/replication/maintenance.py",
        edits=(
            (
                "        await own.raw.begin_with(own.generation)  "
                "# the owner before may have died before it could\n",
                "",
            ),
        ),
        caught_by=(f"{MAINTENANCE}::test_who_takes_over_moves_on_what_joining_nodes_begin_with",),
    ),
)
