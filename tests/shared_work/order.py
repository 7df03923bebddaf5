"""The files that take longest come first, so that no worker is left with one of them at the end."""

import pytest

LONGEST = (
    "reliability/lives/test_model.py",
    "reliability/lives/test_simulation.py",
    "reliability/lives/test_seasons.py",
    "reliability/replication/test_lives.py",
    "reliability/crashes/test_storage_calls.py",
    "reliability/crashes/test_failing_disk.py",
    "reliability/cluster/",
    "storage/maintenance/test_check.py",
    "server/http/contract/test_openapi.py",
    "server/console/test_every_page.py",
    "docs/",
)


def put_longest_first(items: list[pytest.Item]) -> None:
    """Each file stays in one piece, for what its tests share."""
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(LONGEST))
