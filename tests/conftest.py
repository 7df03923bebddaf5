"""Settings for all tests: logs are plain lines, which pytest shows for failed tests.

And most starts of the program are forks of a process that has imported it (`shared_work/forks.py`).
"""

import gc
import signal

import pytest
from hypothesis import HealthCheck, settings

from hookbundle.tests.shared_work import (
    bytecode,
    forks,
    order,
    paths,
    plain_logs,
    scratch_folders,
)

# A shell starts background jobs with SIGINT ignored, and child processes inherit that. Some tests
# interrupt a program with SIGINT, so the default is restored here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")

pytest_plugins = ["hookbundle.tests.log_servers.fixtures"]

plain_logs.begin()
bytecode.keep()
paths.begin()
forks.begin()
scratch_folders.choose()
gc.disable()  # collecting tests makes little garbage, and many objects that stay


def pytest_configure(config: pytest.Config) -> None:
    bytecode.compile_share(config)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order.put_longest_first(items)


def pytest_collection_finish() -> None:
    """From here on garbage is collected, and the thousands of tests are not visited each time."""
    gc.enable()
    gc.freeze()
