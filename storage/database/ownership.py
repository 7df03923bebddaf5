"""Who may touch the files of a data directory: the user of the daemon, and nobody else.

A directory that others can write is narrowed to 0700, and its files to 0600: others could put files
of their own in the place of the database. A directory that this user can't narrow is refused if
everybody can write it; if only its group can, as in a volume that an orchestrator has made, it is
used. A name in it that is a symbolic link is refused, because what is written to it would be
written elsewhere. The directory itself may be a link.
"""

import stat
from pathlib import Path

from hookbundle.engine.errors import Unusable
from hookbundle.storage.database.files import DATA, MARKER, OLD, STAGING

FILES = (DATA, "lock", "lock.mdb", MARKER, "identity.new", "reserve", OLD)
OF_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_private(path: Path) -> bool:
    """Nobody else can change the directory, if it exists. True if it was narrowed.

    Raises: Unusable, with what to do.
    """
    try:
        return path.exists() and _make_private(path)
    except OSError as exc:
        raise Unusable(f"{path} can't be used: {exc}") from exc


def _make_private(path: Path) -> bool:
    refuse_links(path)
    mode = path.stat().st_mode
    if not mode & (stat.S_IWGRP | stat.S_IWOTH):
        return False
    try:
        path.chmod(0o700)
    except PermissionError as exc:
        if mode & stat.S_IWOTH:
            raise Unusable(
                f"{path} belongs to another user, and everybody can write it; let its owner run "
                f"`chmod 0700 {path}`, or use a directory in it, {path / 'data'}"
            ) from exc
        return False
    for name in FILES:
        _narrow_file(path / name)
    return True


def refuse_links(path: Path) -> None:
    """Raises: Unusable if a file of the database is a symbolic link."""
    for name in (*FILES, STAGING):
        if (path / name).is_symlink():
            raise Unusable(
                f"{path / name} is a symbolic link, which is not followed; put the file itself "
                "there, or make the directory a link"
            )


def _narrow_file(file: Path) -> None:
    if file.exists() and file.stat().st_mode & OF_OTHERS:
        file.chmod(0o600)
