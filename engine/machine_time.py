"""Whether a time server keeps the machine's wall clock right, as far as the machine says."""

import ctypes
from pathlib import Path

STA_UNSYNC = 0x40
TIME_ERROR = 5
# Made by systemd-timesyncd; for where the system call is forbidden.
SYNCHRONISED_FILE = Path("/run/systemd/timesync/synchronized")


class _Timex(ctypes.Structure):
    """The begin of `struct timex` of adjtimex(2), and more room than the rest of it takes."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 512),
    )


def is_synchronised() -> bool:
    """False also where the machine does not say."""
    timex = _Timex(modes=0)  # nothing is set
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.byref(timex))
    except (AttributeError, OSError):
        state = -1
    if state == -1:
        return SYNCHRONISED_FILE.exists()
    return _is_synchronised(state, timex.status)


def _is_synchronised(state: int, status: int) -> bool:
    return state != TIME_ERROR and not status & STA_UNSYNC
