"""Times as a form has them: local, without a zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from hookbundle.server.console.times import written

JERUSALEM = ZoneInfo("Asia/Jerusalem")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-27T15:00", "2026-11-27T13:00"),
        ("2026-07-01T15:00:30", "2026-07-01T12:00:30"),
        ("2026-11-27", "2026-11-26T22:00"),
        ("2026-10-25T01:30", "2026-10-24T22:30"),  # it comes twice; the first time
    ],
)
def test_a_local_time_is_one_of_the_workspace(text: str, utc: str) -> None:
    at_ms = written(text, JERUSALEM)

    assert at_ms is not None
    found = datetime.fromtimestamp(at_ms / 1_000, UTC)
    assert found == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00", "1960-01-01", "9" * 40]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert written(text, JERUSALEM) is None
