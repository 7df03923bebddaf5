"""Bugs that no test saw when they were first planted: of times, places, and what is left over."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"
COMMANDING = f"{CLUSTER}/commanding"
AGES = f"{CLUSTER}/console/test_ages_of_sessions.py"
MOMENTS = f"{COMMANDING}/test_moments.py"
PART = f"{CLUSTER}/feed/test_part.py"
ROLES = "tests/actors/replication"

LEFT_OVER = (
    Mutant(
        name="cm1",
        bug="looks at a log that was short for a moment add up until its partition stops",
        path="actors/replication/follower.py",
        edits=(
            (
                "        self._shorter = self._shorter + 1 if last < at.seq else 0\n"
                "        if self._shorter:",
                "        self._shorter += last < at.seq\n        if last < at.seq:",
            ),
        ),
        caught_by=(
            f"{ROLES}/test_stopping.py::test_a_log_that_looks_short_for_a_moment_now_and_then_is_no_reason_to_stop",
        ),
    ),
    Mutant(
        name="cm2",
        bug="a follower does not know that what it has read was deleted",
        path="actors/replication/follower.py",
        edits=(
            (
                "                    if erases(group):\n"
                "                        log.chain.note_erasure(verdict.header.at_ms)\n",
                "",
            ),
        ),
        caught_by=(
            f"{ROLES}/test_maintenance.py::test_what_was_deleted_has_left_the_log_in_time_also_if_its_owner_is_gone",
        ),
    ),
    Mutant(
        name="cm3",
        bug="who follows a log into a new generation forgets that something deleted stands in it",
        path="actors/replication/generations.py",
        edits=(("        erased_ms=end.erased_ms,\n    )", "    )"),),
        caught_by=(
            f"{ROLES}/test_renewing.py::test_what_is_deleted_while_the_base_is_written_is_deleted_for_whoever_reads_it",
        ),
    ),
    Mutant(
        name="cm4",
        bug="the end of a drain has a node without room take partitions",
        path="server/cluster/assigning.py",
        edits=(
            (
                "        await self._neighbours.leave(leaves=self._keeps_none or self._is_full)\n"
                "\n"
                "    def give_away",
                "        await self._neighbours.leave(leaves=self._keeps_none)\n"
                "\n"
                "    def give_away",
            ),
        ),
        caught_by=(
            f"{COMMANDING}/test_giving.py::test_the_end_of_a_drain_gives_a_full_disk_nothing",
        ),
    ),
    Mutant(
        name="cm5",
        bug="a drain says that nothing is owned while partitions are still given away",
        path="server/cluster/commanding/giving.py",
        edits=(("sum(held.role in BUSY", 'sum(held.role == "owner"'),),
        caught_by=(
            f"{COMMANDING}/test_giving.py::test_what_is_still_being_given_away_is_owned_as_far_as_a_drain_says",
        ),
    ),
    Mutant(
        name="cm6",
        bug="a token that was revoked is asked for without a place",
        path="server/cluster/callers/unknown_tokens.py",
        edits=(
            (
                "            if token is None:\n                self.elsewhere.pop(digest, None)\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_tokens.py::test_a_token_that_is_good_no_more_takes_a_place_again",
        ),
    ),
    Mutant(
        name="cm7",
        bug="a token that is used at other nodes was never used",
        path="server/cluster/tokens.py",
        edits=(
            (
                "    owned.token_uses.note(digest, token)\n    return web.Response(body",
                "    return web.Response(body",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/hostile/test_tokens.py::test_a_token_that_another_node_has_asked_for_has_been_used",
        ),
    ),
    Mutant(
        name="cm8",
        bug="the last part of a long answer is kept as long as the node runs",
        path="server/cluster/long_answers/held.py",
        edits=(
            (
                "asyncio.get_running_loop().call_later(KEPT_S, self._held.pop, name, None)",
                "pass",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/long_answers/test_held.py::test_the_last_part_may_be_asked_for_again_for_a_while",
        ),
    ),
    Mutant(
        name="cm9",
        bug="one session more takes the place of the one that began first, also if it is in use",
        path="server/cluster/console/sessions.py",
        edits=(("type=Record).seen_ms\n", "type=Record).began_ms\n"),),
        caught_by=(f"{AGES}::test_the_session_that_was_seen_longest_ago_makes_room",),
    ),
    Mutant(
        name="cm10",
        bug="a session that nobody uses lasts as long as one that is used",
        path="server/cluster/console/sessions.py",
        edits=((" or now_ms - record.seen_ms > IDLE_MS_MAX:", ":"),),
        caught_by=(
            f"{AGES}::test_a_session_that_is_seen_at_one_node_lasts_at_the_other_and_ends_when_it_is_idle",
        ),
    ),
    Mutant(
        name="cm11",
        bug="other nodes do not know that a session was seen",
        path="server/cluster/console/sessions.py",
        edits=(
            (
                "await self._records.renew(_place_of(name), written, msgspec.msgpack.encode(seen))",
                "assert seen",
            ),
        ),
        caught_by=(
            f"{AGES}::test_a_session_that_is_seen_at_one_node_lasts_at_the_other_and_ends_when_it_is_idle",
        ),
    ),
    Mutant(
        name="cm12",
        bug="a compaction begins when another one did, and is taken for that",
        path="server/cluster/commanding/known.py",
        edits=(("self.latest.began_ms + 1 if", "self.latest.began_ms if"),),
        caught_by=(
            f"{COMMANDING}/test_telling.py::test_a_compaction_begins_later_than_all_that_were_heard_of",
        ),
    ),
    Mutant(
        name="cm13",
        bug="only the first owner of a partition is asked to renew its log",
        path="server/cluster/commanding/compacting.py",
        edits=(("if held.epoch != epoch:\n", "if epoch < 0:\n"),),
        caught_by=(
            f"{COMMANDING}/test_compacting.py::test_who_takes_a_partition_over_is_asked_to_renew_its_log_as_well",
        ),
    ),
    Mutant(
        name="cm14",
        bug="a copy that follows the old log still is written anew",
        path="server/cluster/commanding/compacting.py",
        edits=((" and _number_of(held) >= least\n", "\n"),),
        caught_by=(
            f"{COMMANDING}/test_compacting.py::test_a_copy_is_written_anew_when_it_has_come_to_the_new_log",
        ),
    ),
    Mutant(
        name="cm15",
        bug="a log begins anew without regard to what nodes had that are gone",
        path="server/cluster/commanding/recovering.py",
        edits=(
            (
                "copies.append(self._node.assigning.furthest.of(number) or CopyAt(Role.ABSENT))",
                "copies.append(CopyAt(Role.ABSENT))",
            ),
        ),
        caught_by=(
            f"{COMMANDING}/test_recovering.py::test_by_force_what_another_node_has_more_is_given_up",
        ),
    ),
    Mutant(
        name="cm16",
        bug="what was refused for want of a share is forgotten when a partition moves away",
        path="server/cluster/measuring/counting.py",
        edits=(("            past.refused_owner[limit.name] += limit.refused_owner\n", ""),),
        caught_by=(
            f"{CLUSTER}/measuring/test_measuring.py::test_no_counter_goes_back_and_nothing_is_counted_twice_when_a_partition_moves",
        ),
    ),
    Mutant(
        name="cm17",
        bug="a log that begins anew has what is being deleted, and does not know it",
        path="actors/replication/recovery.py",
        edits=(
            ("        erased_ms = life.now_ms()\n    await new", "        pass\n    await new"),
        ),
        caught_by=(
            f"{ROLES}/test_beginning_anew.py"
            "::test_what_is_being_deleted_when_a_log_begins_anew_leaves_the_new_one_in_time",
        ),
    ),
    Mutant(
        name="cm18",
        bug="a log that another node has claimed meanwhile begins anew",
        path="actors/replication/recovery.py",
        edits=(("        await _still_ours(follower)\n", "        pass\n"),),
        caught_by=(
            f"{ROLES}/test_beginning_anew.py"
            "::test_a_log_that_another_node_has_claimed_meanwhile_does_not_begin_anew",
        ),
    ),
    Mutant(
        name="cm19",
        bug="who gave a partition away goes on to renew its log",
        path="actors/replication/role.py",
        edits=(
            (
                "        if maintenance is not None:\n            await maintenance.stop()\n\n"
                "    async def _release",
                "        pass\n\n    async def _release",
            ),
        ),
        caught_by=(
            f"{ROLES}/test_maintenance.py"
            "::test_a_partition_that_is_given_away_is_renewed_no_further_by_who_gave_it",
        ),
    ),
    Mutant(
        name="cm20",
        bug="a moment that nobody asks for any more is held for ever, and refuses other checks",
        path="server/cluster/commanding/comparing.py",
        edits=(("if is_waiting and loop.time() > held.asked_s + HELD_S:", "if False:"),),
        caught_by=(
            f"{MOMENTS}::test_a_moment_that_nobody_asks_for_any_more_makes_room_for_another_check",
        ),
    ),
    Mutant(
        name="cm21",
        bug="copies are compared at the earliest place that one of them has",
        path="server/cluster/commanding/checking.py",
        edits=(("place = max((each", "place = min((each"),),
        caught_by=(
            f"{MOMENTS}::test_a_copy_that_is_behind_is_compared_at_the_place_of_the_one_that_is_not",
        ),
    ),
    Mutant(
        name="cm22",
        bug="who comes from another database hears a copy on without being told",
        path="server/cluster/feed/part.py",
        edits=(("if epoch != env.identity.epoch or after >= newest:", "if after >= newest:"),),
        caught_by=(
            f"{PART}::test_who_comes_from_another_database_is_told_so_also_where_there_is_a_copy",
        ),
    ),
    Mutant(
        name="cm23",
        bug="a copy is read from long ago on for an open page",
        path="server/cluster/feed/part.py",
        edits=(
            (
                "if self.cursor == OLDEST or self.wanted.back_most is not None:",
                "if self.cursor == OLDEST:",
            ),
        ),
        caught_by=(f"{PART}::test_an_open_page_that_comes_from_long_ago_has_no_copy_read_either",),
    ),
    Mutant(
        name="cm24",
        bug="places to wait at owners are never given back",
        path="server/cluster/feed/part.py",
        edits=(("            self.common.waits -= may_wait\n", "            pass\n"),),
        caught_by=(
            f"{PART}::test_who_waits_no_more_at_an_owner_leaves_its_place_to_another_reader",
        ),
    ),
)
