"""Bugs that lose something acknowledged, or store something that was not."""

from hookbundle.tests.mutants.mutant import Mutant

POWER_CUT = (
    "tests/reliability/crashes/test_power_cut.py"
    "::test_after_a_power_cut_the_database_opens_and_keeps_every_promise"
)
MADE = (
    "tests/reliability/crashes/test_power_cut.py"
    "::test_a_power_cut_while_the_database_is_made_leaves_one_that_can_be_used"
)
UNSEEN = (
    "tests/reliability/crashes/test_power_cut.py"
    "::test_nothing_reaches_the_data_file_but_by_calls_that_can_be_watched"
)
TURNS = "tests/actors/fairness/test_turns.py"
HEADS = "tests/storage/database/heads/test_heads.py"
SHARES = "tests/actors/fairness/test_store_shares.py"
LMDB_OPTIONS = "            lib_version=LMDB_FORMAT,\n"

STORE = (
    Mutant(
        name="m1",
        bug="commits are not synced (sync=False)",
        path="storage/database/opening.py",
        edits=((LMDB_OPTIONS, LMDB_OPTIONS + "            sync=False,\n"),),
        caught_by=(POWER_CUT,),
    ),
    Mutant(
        name="m2",
        bug="the meta page is not synced (metasync=False)",
        path="storage/database/opening.py",
        edits=((LMDB_OPTIONS, LMDB_OPTIONS + "            metasync=False,\n"),),
        caught_by=(POWER_CUT,),
    ),
    Mutant(
        name="m3",
        bug="answers are given before the commit",
        path="actors/store.py",
        edits=(
            (
                "            feed_next = unit.meta.feed_next\n",
                "            feed_next = unit.meta.feed_next\n"
                "            self._answer(group, results)\n",
            ),
            (
                "        self._env.grow_if_needed()\n        self._answer(group, results)\n",
                "        self._env.grow_if_needed()\n",
            ),
        ),
        caught_by=(
            POWER_CUT,
            "tests/actors/test_store.py::test_an_answer_comes_after_the_commit",
        ),
    ),
    Mutant(
        name="m13",
        bug="the data directory is not locked",
        path="storage/database/files.py",
        edits=(("        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)\n", "        pass\n"),),
        caught_by=(
            "tests/storage/database/test_environment.py"
            "::test_a_second_process_is_refused_and_told_the_first_one_s_pid",
        ),
    ),
    Mutant(
        name="m15",
        bug="the data file is written through its mapping (writemap=True)",
        path="storage/database/opening.py",
        edits=(
            (
                "            **options,\n",
                "            **{'writemap': not options, **options},\n",
            ),
        ),
        caught_by=(UNSEEN,),
    ),
    Mutant(
        name="m16",
        bug="a new database is made in place, not in a staging directory",
        path="storage/database/opening.py",
        edits=(
            ("    staging.mkdir(mode=0o700)\n", ""),
            ("    staging = path / STAGING\n", "    staging = path\n"),
        ),
        caught_by=(MADE,),
    ),
    Mutant(
        name="m17",
        bug="the name of a new data directory is not synced",
        path="storage/database/files.py",
        edits=(("    for folder in missing:\n        sync(folder.parent)\n", ""),),
        caught_by=(
            "tests/reliability/crashes/test_power_cut.py"
            "::test_the_directory_itself_is_on_disk_before_the_first_answer",
        ),
    ),
    Mutant(
        name="q1",
        bug="the Store takes what waits in the order in which it came",
        path="engine/fairness/fair_order.py",
        edits=(
            (
                "        end = ends[owner] = (begin if begin > now else now) + weight\n",
                "        end = self._added\n",
            ),
        ),
        caught_by=(
            f"{TURNS}::test_a_bystanders_message_is_in_the_next_group_whatever_another_has_brought",
            f"{SHARES}::test_a_bystanders_message_is_stored_while_heavy_batches_wait",
        ),
    ),
    Mutant(
        name="q2",
        bug="a group takes all that waits, however heavy it is",
        path="actors/turns.py",
        edits=(
            (
                "        taken = lane.order.take(room)\n",
                "        taken = lane.order.take()\n",
            ),
        ),
        caught_by=(
            f"{TURNS}::test_a_group_weighs_what_it_may_and_no_more",
            f"{SHARES}::test_a_bystanders_message_is_stored_while_heavy_batches_wait",
        ),
    ),
    Mutant(
        name="q3",
        bug="what callers ask for, what is sent and what is due have one lane",
        path="actors/turns.py",
        edits=(
            (
                "        lane = self._lanes[cost.lane]\n",
                "        lane = self._lanes[Lane.CALLS]\n",
            ),
        ),
        caught_by=(f"{TURNS}::test_a_flood_of_intake_delays_neither_an_outcome_nor_a_window",),
    ),
    Mutant(
        name="q4",
        bug="a request keeps its places in the queue when it has been answered",
        path="server/http/resources/messages.py",
        edits=(
            (
                "digest, take)\n        finally:\n"
                "            self.store.places.give_back(workspace_number, places)\n",
                "digest, take)\n        finally:\n            pass\n",
            ),
        ),
        caught_by=(
            "tests/server/http/resources/messages/test_message_parts.py"
            "::test_a_workspace_with_its_share_of_places_is_refused_and_no_other",
        ),
    ),
    Mutant(
        name="q5",
        bug="a full map is taken for a full disk",
        path="actors/store.py",
        edits=(("        except MapFull as exc:\n", "        except ZeroDivisionError as exc:\n"),),
        caught_by=("tests/actors/test_store.py::test_a_full_map_grows_and_closes_nothing",),
    ),
    Mutant(
        name="q6",
        bug="readers may begin while the map waits for readers to end",
        path="storage/database/data_file/readers.py",
        edits=(("            while self._is_growing:\n", "            while False:\n"),),
        caught_by=(
            "tests/storage/database/test_environment.py"
            "::test_readers_that_overlap_without_end_keep_no_map_from_growing",
        ),
    ),
    Mutant(
        name="q7",
        bug="a quota that cuts a write short is taken for a disk that fails",
        path="storage/database/data_file/disk_space.py",
        edits=(("not in FOR_WANT_OF_SPACE", "not in {errno.ENOSPC}"),),
        caught_by=(
            "tests/storage/database/test_disk_space.py"
            "::test_a_quota_is_a_full_disk_and_a_disk_that_fails_is_none",
        ),
    ),
    Mutant(
        name="q8",
        bug="the largest size of a file is counted from its begin",
        path="storage/database/data_file/disk_space.py",
        edits=(("probe.fileno(), file_bytes, wanted", "probe.fileno(), 0, wanted"),),
        caught_by=(
            "tests/storage/database/test_disk_space.py"
            "::test_the_largest_size_of_a_file_counts_from_where_the_data_ends",
        ),
    ),
    Mutant(
        name="m62",
        bug="what waits in an enabled workspace is not bounded",
        path="storage/tables/routing/quotas.py",
        edits=(
            (
                "if waiting + count > most or size >= most_bytes:",
                "if not state.enabled and (waiting + count > most or size >= most_bytes):",
            ),
        ),
        caught_by=(
            "tests/storage/transitions/test_accepting.py"
            "::test_what_waits_is_bounded_whatever_the_webhook_does",
        ),
    ),
    Mutant(
        name="hd1",
        bug="the head of a chat is used though the timer has sealed the window since",
        path="storage/database/chat_records.py",
        edits=(("return record if is_same else None", "return record"),),
        caught_by=(
            f"{HEADS}::test_whoever_changes_a_chat_between_two_messages_the_head_is_not_stale",
        ),
    ),
    Mutant(
        name="hd2",
        bug="a head keeps what a transaction has changed that was rolled back",
        path="storage/database/chat_records.py",
        edits=(
            (
                "        del self._full[head.key]\n        self._empty(head)\n        return",
                "        return",
            ),
        ),
        caught_by=(f"{HEADS}::test_a_transaction_that_failed_leaves_nothing_in_the_head",),
    ),
    Mutant(
        name="hd3",
        bug="a head is believed without a look at the database",
        path="storage/database/unit.py",
        edits=(("stored = self.get_raw(key)\n", "stored = head.stored or self.get_raw(key)\n"),),
        caught_by=(f"{HEADS}::test_a_transaction_that_failed_leaves_nothing_in_the_head",),
    ),
    Mutant(
        name="hd4",
        bug="all heads together may take any memory",
        path="storage/database/chat_records.py",
        edits=(("while self.bytes > self._bytes_max:", "while False:"),),
        caught_by=(
            f"{HEADS}::test_the_heads_have_a_bound_and_the_one_used_longest_ago_goes_first",
        ),
    ),
    Mutant(
        name="hd5",
        bug="the head of a passivated actor stays in memory",
        path="actors/chat.py",
        edits=(("        if self._state.head is not None:\n", "        if False:\n"),),
        caught_by=(
            "tests/actors/test_chat.py"
            "::test_a_chat_has_a_head_from_its_second_message_on_while_its_actor_is_there",
        ),
    ),
)
