"""A run that never met what it was to meet is no success."""

import pytest

from hookbundle.tests.reliability.harness.battery import Planned


def test_a_planned_fault_that_never_came_about_fails_the_run() -> None:
    planned = Planned(["a crash", "a full disk"])
    planned.saw("a crash")

    with pytest.raises(AssertionError, match=r"never came about: \['a full disk'\]"):
        planned.check()


def test_a_run_that_met_all_its_faults_is_a_success() -> None:
    planned = Planned(["a crash"])
    planned.saw("a crash")

    planned.check()


def test_a_fault_that_nobody_planned_is_a_mistake_of_the_test() -> None:
    with pytest.raises(AssertionError, match="never planned"):
        Planned(["a crash"]).saw("a cresh")
