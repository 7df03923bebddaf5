"""Seeded lives of the house: weeks of its time in seconds of ours, with everything going wrong.

Each life is drawn from its seed alone, so a failure is made again by its seed: BATTERY_SEED=7 makes
life 7 the first one. What is real and what is simulated is told in simulation/world.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.simulation.life import Life
from hookbundle.tests.reliability.simulation.scene import FAULTS

LIVES = size(3, 80)
DAYS = size(8, 30)
TREE = Path(__file__).resolve().parents[3]
TWICE_DAYS = 1


def lived(seed: int, days: int, planned: Planned) -> str:
    """The hash of the life's trace."""
    life = Life(seed, planned)
    try:
        hashed = life.run(days)
    except Exception as exc:  # noqa: BLE001 - whatever it is, its seed has to be named
        lines = life.last_lines()
        pytest.fail(f"BATTERY_SEED={seed} repeats this:\n{lines}\n{type(exc).__name__}: {exc}")
    finally:
        life.scene.world.close()
    return hashed


def test_whatever_happens_in_weeks_every_promise_is_kept() -> None:
    planned = Planned(FAULTS)

    for seed in range(SEED, SEED + LIVES):
        print(f"seed {seed}: {lived(seed, DAYS, planned)}")

    print(dict(planned.seen))
    planned.check()


def test_the_same_seed_is_the_same_life_letter_by_letter() -> None:
    here = lived(SEED, TWICE_DAYS, Planned(FAULTS))

    program = (
        "from hookbundle.tests.reliability.harness.battery import Planned\n"
        "from hookbundle.tests.reliability.simulation.scene import FAULTS\n"
        "from hookbundle.tests.reliability.lives.test_simulation import lived\n"
        f"print('hash', lived({SEED}, {TWICE_DAYS}, Planned(FAULTS)))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(TREE / ".src"), "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.splitlines()[-1] == f"hash {here}"


def test_another_seed_is_another_life() -> None:
    planned = Planned(FAULTS)

    assert lived(SEED, 1, planned) != lived(SEED + 1, 1, planned)
