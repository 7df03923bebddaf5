"""What adjtimex(2) says of the clock."""

import ctypes
from pathlib import Path

import pytest

from hookbundle.engine import machine_time


@pytest.mark.parametrize(
    ("state", "status", "right"), [(0, 0x2001, True), (5, 0x2001, False), (0, 0x40, False)]
)
def test_a_clock_is_right_where_the_kernel_says_so(state: int, status: int, right: bool) -> None:
    assert machine_time._is_synchronised(state, status) is right


def test_this_machine_can_be_asked() -> None:
    assert machine_time.is_synchronised() in (True, False)


def test_where_the_call_is_forbidden_the_file_of_timesyncd_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forbidden:
        def __init__(self, name: None) -> None:
            pass

        def adjtimex(self, timex: object) -> int:
            return -1

    there = tmp_path / "synchronized"
    monkeypatch.setattr(ctypes, "CDLL", Forbidden)
    monkeypatch.setattr(machine_time, "SYNCHRONISED_FILE", there)

    before = machine_time.is_synchronised()
    there.touch()

    assert not before
    assert machine_time.is_synchronised()
