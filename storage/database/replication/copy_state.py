"""`copy.json`: whether a copy of a partition is what its process has written.

A copy is a copy of a log, so its commits need not reach the disk one by one. When its process is
killed, the kernel still has all of it; when the machine goes down, some pages may have been written
and others not. So beside the data stands in which run of the machine it was opened, and whether it
was closed and synced since:

    no file                     nobody has opened it since it was made, which syncs
    clean                       it was synced, and not opened since
    opened in this run          the kernel has all of it, if it is the file that was opened
    opened in another run       not to be gone on with: made anew from the log
    distrusted                  the same: something in it was found to be wrong

A backup of the file system may have been made while the node ran, page by page, and be restored
without a restart of the machine: then it is another file (its inode), of which nobody knows what
pages of which moment it has.

What is not to be gone on with stays where it is until a new copy is whole: the log may be lost.

A damaged page can end the process that reads it, and would end it again after each start. So a copy
that was open when its process ended, twice in a row, is looked through before it is opened again.
"""

from pathlib import Path

import msgspec

from hookbundle.storage.database import files

FILE = "copy.json"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class CopyState(msgspec.Struct, frozen=True):
    """`boot_id`: of the run in which it was opened. `ends`: how often in a row it was open when
    its process ended. `inode`: of the data that was opened; 0 if that was not noted."""

    boot_id: str
    clean: bool
    ends: int = 0
    inode: int = 0


def boot_id(file: Path) -> str:
    """Of this run of the machine; of no other one if the kernel does not say."""
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def opened(path: Path, this_run: str) -> CopyState | None:
    """What is to be written when the copy is opened; None if it can't be gone on with."""
    ends, inode = 0, (path / files.DATA).stat().st_ino
    try:
        state = msgspec.json.decode((path / FILE).read_bytes(), type=CopyState)
    except FileNotFoundError:
        pass
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    else:
        is_same = bool(this_run) and state.boot_id == this_run and state.inode in (0, inode)
        if not state.clean and not is_same:
            return None
        ends = 0 if state.clean else state.ends + 1
    return CopyState(this_run, clean=False, ends=ends, inode=inode)


def write(path: Path, state: CopyState) -> None:
    """It is on disk; after a crash in between, the one before is."""
    files.write_whole(path / FILE, msgspec.json.encode(state))


def forget(path: Path) -> None:
    """The copy is a new one, and on disk."""
    (path / FILE).unlink(missing_ok=True)
    files.sync(path)


def distrust(path: Path) -> None:
    """The copy in the directory is not gone on with, also after a crash."""
    write(path, CopyState(boot_id="", clean=False))
