"""The three days, made once in a test session: every process of it takes a copy."""

import fcntl
import os
import pickle
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hookbundle.tests.past.cases import Past
from hookbundle.tests.past.three_days import MINUTE_MS, three_days

URL = "http://127.0.0.1:9/hook"  # nobody answers there; what is held stays held


def copy_of_three_days(factory: pytest.TempPathFactory, into: Path) -> Past:
    """They end a minute before the first process asked for them. Nobody has the copy open."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    made = shared / "three_days.pickle"
    with (shared / "three_days.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            ends_ms = time.time_ns() // 1_000_000 - MINUTE_MS
            made.write_bytes(pickle.dumps(three_days(shared / "three_days", URL, ends_ms)))
    past: Past = pickle.loads(made.read_bytes())
    shutil.copytree(past.path, into)
    return replace(past, path=into)
