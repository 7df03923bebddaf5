"""Months of three workspaces in three zones, with windows by every kind of rule.

The nights in which clocks are changed are lived through with kills, restarts, and rules and zones
that change under open windows. When a window has to end is found by a walk through the minutes of
the zone's clock. The seeds are fixed but for one, which is printed; BATTERY_SEED=7 takes that one.
"""

import os
from collections.abc import Iterator
from random import SystemRandom

import pytest

from hookbundle.tests.reliability.harness.battery import FULL, SEED, Planned, size
from hookbundle.tests.reliability.simulation.rules.seasons import (
    AUTUMN,
    FAULTS_OF_SEASONS,
    Seasons,
)
from hookbundle.tests.reliability.simulation.scene import FAULTS

LIVES = size(0, 40)
AT_RANDOM = "BATTERY_SEED" not in os.environ


def lives(planned: Planned) -> Iterator[tuple[int, Seasons]]:
    """In the short form two springs, one of chance, and an autumn; else whole years."""
    if not FULL:
        yield SEED, Seasons(SEED, planned, nights=3)
        yield SEED, Seasons(SEED, planned, begins=AUTUMN)
    if not FULL and AT_RANDOM:
        seed = SystemRandom().randrange(1_000, 1_000_000)
        yield seed, Seasons(seed, planned, nights=3)
    for seed in range(SEED, SEED + LIVES):
        yield seed, Seasons(seed, planned)


def test_in_nights_of_clock_changes_every_window_ends_when_its_rule_says() -> None:
    planned = Planned(dict.fromkeys((*FAULTS, *FAULTS_OF_SEASONS)))

    for seed, life in lives(planned):
        print(f"BATTERY_SEED={seed}", flush=True)
        try:
            life.run()
        except Exception as exc:  # noqa: BLE001 - the seed has to be printed for any failure
            lines = life.last_lines()
            pytest.fail(f"BATTERY_SEED={seed} repeats this:\n{lines}\n{type(exc).__name__}: {exc}")
        finally:
            life.scene.world.close()

    print(dict(planned.seen))
    expected = Planned(FAULTS_OF_SEASONS)
    expected.seen.update({fault: planned.seen[fault] for fault in FAULTS_OF_SEASONS})
    expected.check()
