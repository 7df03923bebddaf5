"""A bit of the data file flips: it is named, or it was nobody's; never a wrong record, unnoticed.

LMDB trusts the heads of its pages: one flip of about a thousand points it beyond the file, and the
process dies of SIGBUS. It does not lie, but so each file is opened in a process of its own.
"""

import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.environment import open_environment
from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.storage.maintenance.check import check
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.recorded_life import Dump
from hookbundle.tests.storage.populated import full_house
from hookbundle.tests.storage.scratch import START_MS

FLIPS = size(40, 400)
PATIENCE_S = 20
SAME, NAMED, REFUSED = b"same", b"named", b"refused"
DIED = b"died of signal %d" % signal.SIGBUS
DEATHS_MAX = FLIPS // 40


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dump]:
    """A directory with a record of every kind, and all that is in it."""
    house = full_house(tmp_path_factory.mktemp("sound") / "data")
    dump = house.dump()
    house.close()
    return house.path, dump


def test_a_flipped_bit_is_named_or_nobodys_and_never_a_wrong_record(
    tmp_path: Path, sound: tuple[Path, Dump]
) -> None:
    folder, dump = sound
    found: Counter[bytes] = Counter()
    planned = Planned(["named", "same"])
    for seed in range(SEED * 10_000, SEED * 10_000 + FLIPS):
        what = seen(flipped(folder, tmp_path / str(seed), Random(seed)), dump)
        assert what in (SAME, NAMED, REFUSED, DIED), f"BATTERY_SEED={SEED}, flip {seed}: {what!r}"
        found[what] += 1
        if what.decode() in planned.seen:
            planned.saw(what.decode())

    print(f"BATTERY_SEED={SEED}: {dict(found)}")
    planned.check()
    assert found[DIED] <= DEATHS_MAX


def flipped(folder: Path, copy: Path, chance: Random) -> Path:
    """A copy of the directory with one bit of its data file turned over."""
    copy.mkdir()
    shutil.copy(folder / MARKER, copy)
    data = bytearray((folder / DATA).read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    (copy / DATA).write_bytes(data)
    return copy


def seen(folder: Path, dump: Dump) -> bytes:
    """What a process of its own makes of the directory; how it died, if it did."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(PATIENCE_S)
        os.write(writer, looked_at(folder, dump))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return said if status == 0 else b"died of signal %d" % os.WTERMSIG(status)


def looked_at(folder: Path, dump: Dump) -> bytes:
    try:
        env = open_environment(folder, START_MS)
        with env.read() as txn:
            if list(check(txn)):
                return NAMED
            now = {bytes(key): bytes(value) for key, value in txn.cursor()}
    except HookbundleError:
        return REFUSED
    return SAME if now == dump else b"a record was changed, and nobody noticed"
