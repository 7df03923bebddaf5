"""The program with file systems of its own, which end with its process.

    command = with_mounts(small_disk(mib=8), data)
    subprocess.run([*command, "run"])

`unshare` would start an interpreter for it; a module can be run by a fork, and takes itself to a
mount namespace first.
"""

import ctypes
import os
import subprocess
import sys
from pathlib import Path

from hookbundle import cli
from hookbundle.tests.program import PROGRAM

NEW_MOUNTS, NEW_USERS = 0x0002_0000, 0x1000_0000  # CLONE_NEWNS, CLONE_NEWUSER
AS_ROOT = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
UNSHARE = ["unshare", "--mount", *AS_ROOT, "--"]
"""For other programs than this one."""


def small_disk(mib: int) -> str:
    """The script that gives the folder a disk of this size."""
    return f'mount -t tmpfs -o size={mib}m tmpfs "$0"'


def with_mounts(script: str, folder: Path, *more: str) -> list[str]:
    """The command to run in place of `hookbundle`. `script`: what sh does before; $0 is the folder,
    and `more` are $1 and so on."""
    return [sys.executable, "-m", __name__, script, str(folder), *more, "--"]


def take_namespace() -> None:
    """Raises: OSError if this machine allows no mounts."""
    user, group = os.geteuid(), os.getegid()
    wanted = NEW_MOUNTS | (NEW_USERS if user else 0)
    if ctypes.CDLL(None, use_errno=True).unshare(wanted):
        raise OSError(ctypes.get_errno(), "no namespace of its own")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def main() -> None:
    end = sys.argv.index("--")
    script, *given = sys.argv[1:end]
    take_namespace()
    private = "mount --make-rprivate / && "  # else others would see the mounts
    subprocess.run(["sh", "-c", private + script, *given], check=True)
    sys.argv[:] = [PROGRAM, *sys.argv[end + 1 :]]
    cli.main(prog_name="hookbundle")


if __name__ == "__main__":
    main()
