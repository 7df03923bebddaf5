"""The data directory: who may touch it, how much room it has, what it lies on, and who uses it."""

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from hookbundle.commands.doctor.findings import Finding, Machine, fault, note
from hookbundle.engine.errors import StorageError

ABOUT = "data"
MOUNTS = Path("/proc/self/mountinfo")
OVER_THE_NETWORK = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "lustre")
GONE_AT_A_RESTART = {
    "tmpfs": "memory: it is gone when the machine restarts",
    "ramfs": "memory: it is gone when the machine restarts",
    "overlay": "a container's own layer: it is gone with the container",
}
ROOM_TIMES = 4  # of the space below which intake stops: from here on it is worth a word


def rights(machine: Machine) -> Iterator[Finding]:
    path = machine.data
    if not path.exists():
        parent = next(each for each in path.parents if each.exists())
        if not os.access(parent, os.W_OK | os.X_OK):
            yield fault(
                ABOUT,
                f"{path} is not there, and {parent} can't be written by this user",
                "the daemon makes its data directory when it starts",
                f"sudo install -d -m 0700 -o $(id -un) {path}",
            )
        return
    if not path.is_dir():
        yield fault(
            ABOUT, f"{path} is no directory", "the database is a directory", "set data to another"
        )
        return
    found = path.stat()
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield note(
            ABOUT,
            f"{path} can be entered by other users",
            "messages and secrets are in it",
            f"chmod 0700 {path}",
        )
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield fault(
            ABOUT,
            f"{path} can't be written by this user",
            "the daemon can't use it; if the daemon is another user, run this as that one",
            f"sudo chown -R $(id -un) {path}",
        )
    yield from _links(path)


def _links(path: Path) -> Iterator[Finding]:
    from hookbundle.storage.database import ownership

    try:
        ownership.refuse_links(path)
    except StorageError as exc:
        yield fault(ABOUT, str(exc), "what is written there is written elsewhere", "see above")
    except OSError:
        return  # its rights are another finding


def room(machine: Machine) -> Iterator[Finding]:
    """Free space beside what the daemon keeps free."""
    parent = _existing(machine.data)
    free = shutil.disk_usage(parent).free
    floor = machine.config.get("storage.floor", int) + machine.config.get("storage.reserve", int)
    words = f"{_mib(free)} MiB are free where {machine.data} lies"
    if free < floor:
        yield fault(
            ABOUT,
            f"{words}; storage.floor and storage.reserve are {_mib(floor)} MiB",
            "no messages are taken (507); what was taken is still sent",
            "make room, or shorten history.keep",
        )
    elif free < floor * ROOM_TIMES:
        yield note(
            ABOUT,
            f"{words}; below {_mib(floor)} MiB no messages are taken",
            "before that, history is trimmed",
            "make room, or shorten history.keep",
        )


def file_system(machine: Machine) -> Iterator[Finding]:
    kind = _kind_of(_existing(machine.data))
    if kind in OVER_THE_NETWORK:
        yield fault(
            ABOUT,
            f"{machine.data} lies on {kind}",
            "the database is mapped into memory and locked, which needs a disk of this machine",
            "set data to a directory on a local disk",
        )
    elif kind in GONE_AT_A_RESTART:
        yield note(
            ABOUT,
            f"{machine.data} lies on {kind}, {GONE_AT_A_RESTART[kind]}",
            "what was acknowledged is lost with it",
            "set data to a directory on a disk, or mount a volume there",
        )


def schema(machine: Machine) -> Iterator[Finding]:
    """What the marker says of the database: whether this program can use it."""
    from hookbundle.storage.database import files
    from hookbundle.storage.database.records import SCHEMA, SCHEMA_OLDEST

    try:
        marker = files.read_marker(machine.data)
        files.check_marker(machine.data, marker)
    except StorageError as exc:
        yield fault(ABOUT, str(exc), "no daemon starts on it", "see above")
        return
    except OSError:
        return
    if marker is not None and marker.schema > SCHEMA:
        yield fault(
            ABOUT,
            f"the database has schema {marker.schema}, this program knows {SCHEMA}",
            "it was written by a newer version",
            "use the newer version, or restore a backup",
        )
    elif marker is not None and marker.schema < SCHEMA_OLDEST:
        yield note(
            ABOUT,
            f"the database has schema {marker.schema}, this program has {SCHEMA}",
            "the next start upgrades it, which needs one and a half times its size",
            "make a backup before, with the version that runs now",
        )


def _existing(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _kind_of(path: Path) -> str:
    """The type of the file system; empty if the system does not say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found = (Path("/"), "")
    for line in lines:
        head, _, tail = line.partition(" - ")
        fields = head.split()
        if len(fields) < 5 or not tail:
            continue
        at = Path(fields[4].replace("\\040", " "))
        if path.resolve().is_relative_to(at) and len(at.parts) >= len(found[0].parts):
            found = at, tail.split()[0]
    return found[1].partition(".")[0]


def _mib(size: int) -> str:
    return f"{size // (1 << 20):,}"
