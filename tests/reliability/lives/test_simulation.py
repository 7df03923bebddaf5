"""Simulated lives of the daemon: weeks of simulated time pass in seconds, with every kind of fault.

The seed alone decides what happens in a life, so it also repeats a failure: with BATTERY_SEED=7
life 7 is the first one. simulation/world.py lists what is real and what is simulated.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.simulation.life import Life
from hookbundle.tests.reliability.simulation.scene import FAULTS

LIVES = size(2, 80)
DAYS = size(0, 30)  # 0: until everything that may happen was done once
TREE = Path(__file__).resolve().parents[3]
TWICE_DAYS = 1


def hash_of_life(seed: int, days: int, planned: Planned) -> str:
    """The hash of the life's trace; `days` as of `Life.run`."""
    life = Life(seed, planned)
    try:
        hashed = life.run(days)
    except Exception as exc:  # noqa: BLE001 - the seed has to be printed for any failure
        lines = life.last_lines()
        pytest.fail(f"BATTERY_SEED={seed} repeats this:\n{lines}\n{type(exc).__name__}: {exc}")
    finally:
        life.scene.world.close()
    return hashed


def test_whatever_happens_in_weeks_every_promise_is_kept() -> None:
    planned = Planned(FAULTS)

    for seed in range(SEED, SEED + LIVES):
        print(f"seed {seed}: {hash_of_life(seed, DAYS, planned)}")

    print(dict(planned.seen))
    planned.check()


def test_the_same_seed_gives_the_same_life_byte_for_byte() -> None:
    here = hash_of_life(SEED, TWICE_DAYS, Planned(FAULTS))

    program = (
        "from hookbundle.tests.reliability.harness.battery import Planned\n"
        "from hookbundle.tests.reliability.simulation.scene import FAULTS\n"
        "from hookbundle.tests.reliability.lives.test_simulation import hash_of_life\n"
        f"print('hash', hash_of_life({SEED}, {TWICE_DAYS}, Planned(FAULTS)))"
    )
    there = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(TREE / ".src"), "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert there.stdout.splitlines()[-1] == f"hash {here}"


def test_another_seed_gives_another_life() -> None:
    planned = Planned(FAULTS)

    assert hash_of_life(SEED, 1, planned) != hash_of_life(SEED + 1, 1, planned)
