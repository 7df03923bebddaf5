"""A run that has not met every planned fault fails."""

import pytest

from hookbundle.tests.reliability.harness.battery import Planned


def test_a_planned_fault_that_never_happened_fails_the_run() -> None:
    planned = Planned(["a crash", "a full disk"])
    planned.saw("a crash")

    with pytest.raises(AssertionError, match=r"never happened: \['a full disk'\]"):
        planned.check()


def test_a_run_that_met_all_its_faults_passes() -> None:
    planned = Planned(["a crash"])
    planned.saw("a crash")

    planned.check()


def test_a_fault_that_nobody_planned_is_a_mistake_of_the_test() -> None:
    with pytest.raises(AssertionError, match="never planned"):
        Planned(["a crash"]).saw("a cresh")
