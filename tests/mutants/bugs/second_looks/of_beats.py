"""Bugs of what is heard of other nodes, and of what several partitions are together."""

from hookbundle.tests.mutants.mutant import Mutant

CLUSTER = "tests/server/cluster"

AT_BEATS = (
    Mutant(
        name="cv34",
        bug="if all nodes leave, nothing is assigned to any",
        path="server/cluster/partitions/holding.py",
        edits=(
            (
                "return sorted(name for name, each in live.items() if not each.leaves) or sor"
                "ted(live)",
                "return sorted(name for name, each in live.items() if not each.leaves)",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/partitions/test_holding.py::test_nodes_that_leave_are_assigned_something_only_if_all_leave",
        ),
    ),
    Mutant(
        name="cv35",
        bug="a beat with an odd generation ends the look at all partitions",
        path="server/cluster/partitions/holding.py",
        edits=(
            (
                "    except CorruptRecord:\n        return CopyAt(held.role)\n",
                "    except ZeroDivisionError:\n        return CopyAt(held.role)\n",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/partitions/test_holding.py::test_a_generation_that_can_not_be_read_is_none",
        ),
    ),
    Mutant(
        name="cv36",
        bug="an owner doubts itself over one of an earlier epoch",
        path="server/cluster/partitions/holding.py",
        edits=(
            (
                "each.role is Role.OWNER and each.epoch > epoch",
                "each.role is Role.OWNER",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/partitions/test_holding.py::test_of_two_owners_the_one_of_the_later_epoch_owns",
        ),
    ),
    Mutant(
        name="cv37",
        bug="a copy of an earlier generation is taken for one that is nearly there",
        path="server/cluster/partitions/holding.py",
        edits=(
            (
                "    if held.generation != own.generation:\n        return None\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/partitions/test_holding.py::test_a_copy_is_behind_its_owner_in_the_same_generation",
        ),
    ),
    Mutant(
        name="cv38",
        bug="how far a copy has come is noted once",
        path="server/cluster/partitions/holding.py",
        edits=(
            (
                "            if noted.get(name) is beat:\n                continue\n",
                "            if name in noted:\n                continue\n",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/partitions/test_holding.py::test_how_far_a_copy_had_come_is_known_also_when_its_node_is_gone",
        ),
    ),
    Mutant(
        name="cv39",
        bug="what an owner that goes on has stored is given up by a command that did not say so",
        path="server/cluster/commanding/recovering.py",
        edits=(
            (
                "        if owner is not None and owner != self._name:\n"
                '            return f"{owner} owns it and goes on; --force gives up what was '
                'stored there since"\n',
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/commanding/test_why_not.py::test_what_is_not_safe_is_left_out_unless_it_is_forced",
        ),
    ),
    Mutant(
        name="cv40",
        bug="by force a log is begun anew beside an owner with which this copy agrees",
        path="server/cluster/commanding/recovering.py",
        edits=(
            (
                "        if owner is not None and owner != self._name and mine.role is not Ro"
                "le.STOPPED:",
                "        if False:",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/commanding/test_why_not.py::test_what_is_not_safe_is_left_out_unless_it_is_forced",
        ),
    ),
    Mutant(
        name="cv41",
        bug="a partition is done while a copy has what its owner has not",
        path="server/cluster/commanding/recovering.py",
        edits=(
            (
                "return {each for each in numbers if not owner_at(live, each) or stopped_at(l"
                "ive, each)}",
                "return {each for each in numbers if not owner_at(live, each)}",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/commanding/test_why_not.py::test_a_partition_is_not_done_while_a_copy_has_what_its_owner_has_not",
        ),
    ),
    Mutant(
        name="cv42",
        bug="a log begins anew in an earlier generation than a live copy has",
        path="server/cluster/commanding/recovering.py",
        edits=(
            (
                "copies = [*_held(self._node.live(), number).values()]",
                "copies = []",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/commanding/test_why_not.py::test_a_log_that_begins_anew_is_later_than_those_of_all_copies_heard_of",
        ),
    ),
    Mutant(
        name="cv43",
        bug="what a node is configured with anew does not reach the attempts of its partitions",
        path="server/cluster/partitions/owned.py",
        edits=(
            (
                "        self.traffic.policy = config.policy\n",
                "",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/test_shaping.py::test_what_is_configured_anew_acts_in_all_partitions_that_a_node_owns",
        ),
    ),
    Mutant(
        name="cv44",
        bug="what a node is configured with anew does not reach its partitions",
        path="server/cluster/partitions/owned.py",
        edits=(
            (
                "        self.partition.reconfigure(config)",
                "        pass",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/test_shaping.py::test_what_is_configured_anew_acts_in_all_partitions_that_a_node_owns",
        ),
    ),
    Mutant(
        name="cv45",
        bug="what the cluster lacks is not among the reasons of a node",
        path="server/cluster/figures.py",
        edits=(
            (
                "reasons=reasons_of([empty, *parts]),",
                "reasons=reasons_of(parts),",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_a_node_is_ready_if_all_are_and_says_each_reason_once",
        ),
    ),
    Mutant(
        name="cv46",
        bug="readers who are behind are counted once for each partition",
        path="server/cluster/figures.py",
        edits=(
            (
                'LARGEST = {"commit_ms_max", "commit_ms_mean", "lag_events_max", "floor_bytes"}',
                'LARGEST = {"commit_ms_max", "commit_ms_mean", "floor_bytes"}',
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_a_disk_is_there_once_and_readers_are_those_of_the_node",
        ),
    ),
    Mutant(
        name="cv47",
        bug="the floor of a disk is counted once for each partition",
        path="server/cluster/figures.py",
        edits=(
            (
                'LARGEST = {"commit_ms_max", "commit_ms_mean", "lag_events_max", "floor_bytes"}',
                'LARGEST = {"commit_ms_max", "commit_ms_mean", "lag_events_max"}',
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_a_disk_is_there_once_and_readers_are_those_of_the_node",
        ),
    ),
    Mutant(
        name="cv48",
        bug="of e-mails that were not sent those of one partition are counted",
        path="server/cluster/figures.py",
        edits=(
            (
                "mails_unsent=sum(each.mails_unsent for each in parts),\n    )",
                "mails_unsent=max(each.mails_unsent for each in parts),\n    )",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_what_waits_is_counted_together_and_the_oldest_is_the_oldest_of_all",
        ),
    ),
    Mutant(
        name="cv49",
        bug="the oldest of all that waits is that of the first partition",
        path="server/cluster/figures.py",
        edits=(
            (
                "oldest=max(oldest, key=lambda each: each.age_ms, default=None),",
                "oldest=next(iter(oldest), None),",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_what_waits_is_counted_together_and_the_oldest_is_the_oldest_of_all",
        ),
    ),
    Mutant(
        name="cv50",
        bug="intake is open if it is in the last partition",
        path="server/cluster/figures.py",
        edits=(
            (
                "merged.intake_open = merged.intake_open and part.intake_open",
                "merged.intake_open = part.intake_open",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_intake_is_open_if_it_is_in_all_partitions",
        ),
    ),
    Mutant(
        name="cv51",
        bug="a clock is held if it is in all partitions",
        path="server/cluster/figures.py",
        edits=(
            (
                "clock_held=any(each.clock_held for each in parts),",
                "clock_held=all(each.clock_held for each in parts),",
            ),
        ),
        caught_by=(
            f"{CLUSTER}/measuring/test_figures.py::test_a_node_is_ready_if_all_are_and_says_each_reason_once",
        ),
    ),
)
