"""Bugs of a cluster: of what counts in a log, of appending to it, of who owns a partition."""

from hookbundle.tests.mutants.mutant import Mutant

CHAIN = "tests/engine/replication/test_chain.py"
LOG = "tests/actors/replication/test_log.py"
AGREEING = "tests/actors/replication/test_agreeing.py"
FOLLOWING = "tests/actors/replication/test_following.py"
ROLES = "tests/actors/replication/test_role.py"
LIVES = (
    "tests/reliability/replication/test_lives.py"
    "::test_whatever_happens_what_was_acknowledged_is_there_once_in_order_and_on_all_copies"
)

LOGS = (
    Mutant(
        name="cl1",
        bug="answers are given before the group stands in the log",
        path="actors/store.py",
        edits=(
            (
                "                agreement.reach(txn, always=confirms)\n",
                "                self._answer(group, results)\n"
                "                agreement.reach(txn, always=confirms)\n",
            ),
            (
                "        self._env.grow_if_needed()\n        self._answer(group, results)\n",
                "        self._env.grow_if_needed()\n",
            ),
        ),
        caught_by=(f"{AGREEING}::test_neither_answer_nor_commit_comes_before_the_ack",),
    ),
    Mutant(
        name="cl2",
        bug="an ack with another number is taken for yes",
        path="actors/replication/log.py",
        edits=(("answers == places:", "all(isinstance(each, Acked) for each in answers):"),),
        caught_by=(
            f"{LOG}::test_an_ack_elsewhere_is_no_ack_and_the_entry_goes_behind_what_is_void",
        ),
    ),
    Mutant(
        name="cl3",
        bug="a claim that was published is not read back",
        path="actors/replication/log.py",
        edits=(
            (
                "counts = await self._publish(Kind.CLAIM, epoch, pack(claim)) is not None",
                "counts = await self._publish(Kind.CLAIM, epoch, pack(claim)) != 0",
            ),
        ),
        caught_by=(
            f"{LOG}::test_a_claim_that_came_behind_something_void_is_lost_and_not_repeated",
        ),
    ),
    Mutant(
        name="cl4",
        bug="an entry counts wherever it stands",
        path="engine/replication/chain.py",
        edits=(
            (
                "if header.prev != seq - 1 or header.kind not in MAY_COME[self.phase]:",
                "if header.kind not in MAY_COME[self.phase]:",
            ),
        ),
        caught_by=(f"{CHAIN}::test_an_entry_counts_where_it_wants_to_stand_and_nowhere_else",),
    ),
    Mutant(
        name="cl5",
        bug="a claim is known by its epoch, not by its id",
        path="actors/replication/log.py",
        edits=(
            (
                "                if verdict.header.id == header.id:\n",
                "                mine = header.kind, header.epoch\n"
                "                if verdict.header.id == header.id or (\n"
                "                    header.kind is Kind.CLAIM\n"
                "                    and (verdict.header.kind, verdict.header.epoch) == mine\n"
                "                ):\n",
            ),
        ),
        caught_by=(
            f"{LOG}::test_a_claim_in_whose_place_another_stands_is_lost_even_to_an_earlier_life",
        ),
    ),
    Mutant(
        name="cl6",
        bug="what another wrote before the owner's entry is passed over",
        path="actors/replication/log.py",
        edits=(
            (
                "                elif isinstance(verdict, Counts):\n",
                "                elif verdict.header.kind is Kind.CLAIM:\n",
            ),
        ),
        caught_by=(f"{LOG}::test_what_counts_behind_something_void_fences_as_well",),
    ),
    Mutant(
        name="cl7",
        bug="parts are put into copies before the last one stands in the log",
        path="engine/replication/chain.py",
        edits=(
            (
                "        if header.part < header.parts:\n",
                "        if header.part < header.parts and header.kind is Kind.BASE:\n",
            ),
        ),
        caught_by=(f"{CHAIN}::test_parts_are_held_until_the_last_and_count_as_one",),
    ),
    Mutant(
        name="cl8",
        bug="entries after the end of a generation count",
        path="engine/replication/chain.py",
        edits=(("    Phase.ENDED: set(),\n", "    Phase.ENDED: {Kind.CLAIM, Kind.GROUP},\n"),),
        caught_by=(f"{CHAIN}::test_nothing_counts_after_the_end_not_even_a_claim",),
    ),
    Mutant(
        name="cl9",
        bug="an owner writes under whatever epoch it has read last",
        path="actors/replication/log.py",
        edits=(
            (
                "if self.epoch is None or self.epoch != self.chain.epoch:",
                "if self.epoch is None:",
            ),
            (
                "self._publish(kind, self.epoch, body)",
                "self._publish(kind, self.chain.epoch, body)",
            ),
        ),
        caught_by=(f"{LOG}::test_an_owner_never_writes_under_the_epoch_of_another",),
    ),
    Mutant(
        name="cl10",
        bug="a group that stands in the log is applied again when its commit fails",
        path="storage/database/replication/agreement.py",
        edits=(("        if not self._is_reached or not", "        if self._is_reached or not"),),
        caught_by=(
            f"{AGREEING}"
            "::test_what_stands_in_the_log_and_cannot_be_committed_is_answered_and_not_appended_again",
        ),
    ),
    Mutant(
        name="cl11",
        bug="an entry of which nothing is known is published again under a new id",
        path="actors/replication/log.py",
        edits=(
            (
                "            if self.chain.seq != header.prev + self.chain.standing(header.id):\n",
                "            if self.chain.seq >= header.prev:\n",
            ),
        ),
        caught_by=(f"{LOG}::test_an_entry_that_does_not_stand_there_is_published_again_as_it_is",),
    ),
    Mutant(
        name="cl12",
        bug="after a lost claim the reader goes on where it was, and the copy misses what it read",
        path="actors/replication/role.py",
        edits=(
            (
                "        self._follower.start_again()\n        self._move(Role.FOLLOWING)\n",
                "        self._move(Role.FOLLOWING)\n",
            ),
        ),
        caught_by=(f"{ROLES}::test_a_claim_that_was_lost_leaves_a_copy_that_misses_nothing",),
    ),
    Mutant(
        name="cl13",
        bug="a life that the log calls the owner, and that owns no more, says nothing",
        path="actors/replication/role.py",
        edits=(
            ("if own.chain.life == self._life.name and self._follower.is_known:", "if not own:"),
        ),
        caught_by=(
            f"{ROLES}::test_an_owner_whose_store_could_not_go_on_lets_another_have_the_partition",
        ),
    ),
    Mutant(
        name="cl14",
        bug="a reader that starts again forgets who owns the partition",
        path="actors/replication/generations.py",
        edits=(("        claim=at.claim,\n", ""),),
        caught_by=(f"{ROLES}::test_a_node_that_comes_back_claims_nothing_from_a_live_owner",),
    ),
)
