"""How much memory the process may address, for LMDB's map of the data file.

A map takes address space, not memory. Where that is limited (`ulimit -v`, LimitAS= of systemd) the
map begins smaller, so that something is left for the rest of the process. And it must not be made
larger than the limit allows: LMDB gives the old map up before it asks for the new one, and has none
at all if that is refused.
"""

import mmap
import resource

MAP_BYTES_LEAST = 16 << 20
SPARE_BYTES = 64 << 20  # for the process itself, after a map has grown
ENOMEM = 12


def limit() -> int | None:
    """In bytes; None if there is none."""
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def first_map(wanted: int, needed: float) -> int:
    """The size of a map: as wanted, or so small that half of the address space is left.

    Of what is not taken already, too: a backup opens a second file beside the daemon's own.
    Not smaller than `needed`, if `wanted` is not.
    """
    most = limit()
    while most is not None and can_halve(wanted, needed):
        if wanted <= most // 2 and allows(wanted):
            break
        wanted //= 2
    return wanted


def smallest_map(wanted: int, needed: int) -> int:
    """As wanted, or if the address space is limited only as large as needed."""
    return wanted if limit() is None else max(needed, MAP_BYTES_LEAST)


def can_halve(map_bytes: int, needed: float) -> bool:
    return map_bytes // 2 >= max(needed, MAP_BYTES_LEAST)


def allows(more: int) -> bool:
    """Whether so many bytes more can be mapped; if there is a limit, with something left."""
    spare = 0 if limit() is None else SPARE_BYTES
    try:
        # It takes no memory.
        mmap.mmap(-1, more + spare, flags=mmap.MAP_PRIVATE, prot=0).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def in_words() -> str:
    most = limit()
    known = "" if most is None else f", which is limited to {most >> 20} MiB"
    return (
        f"there is too little address space{known} (`ulimit -v`, LimitAS= of systemd). The data "
        "is not damaged: raise the limit"
    )
