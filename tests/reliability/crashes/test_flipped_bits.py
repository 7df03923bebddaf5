"""One bit of the data file flips: the check reports it, or no record changed.

LMDB does not verify its page headers: about one flip in a thousand makes it read beyond the file,
and the process is killed by SIGBUS. No wrong record is returned then, but each file has to be
opened in a separate process.
"""

import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from hookbundle.engine.errors import HookbundleError
from hookbundle.storage.database.files import DATA, MARKER
from hookbundle.storage.database.opening import open_environment
from hookbundle.storage.maintenance.check import check
from hookbundle.tests.reliability.harness.battery import SEED, Planned, size
from hookbundle.tests.reliability.harness.recorded_life import Dump
from hookbundle.tests.storage.populated import populated
from hookbundle.tests.storage.scratch import START_MS

FLIPS = size(40, 400)
TIMEOUT_S = 20
SAME, REPORTED, REFUSED = b"same", b"reported", b"refused"
DIED = b"died of signal %d" % signal.SIGBUS
DEATHS_MAX = FLIPS // 40


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Dump]:
    """A directory with a record of every kind, and a dump of it."""
    system = populated(tmp_path_factory.mktemp("sound") / "data")
    dump = system.dump()
    system.close()
    return system.path, dump


def test_a_flipped_bit_is_reported_or_harmless_and_never_a_wrong_record(
    tmp_path: Path, sound: tuple[Path, Dump]
) -> None:
    folder, dump = sound
    found: Counter[bytes] = Counter()
    planned = Planned(["reported", "same"])
    for seed in range(SEED * 10_000, SEED * 10_000 + FLIPS):
        what = seen(flipped(folder, tmp_path / str(seed), Random(seed)), dump)
        assert what in (SAME, REPORTED, REFUSED, DIED), (
            f"BATTERY_SEED={SEED}, flip {seed}: {what!r}"
        )
        found[what] += 1
        if what.decode() in planned.seen:
            planned.saw(what.decode())

    print(f"BATTERY_SEED={SEED}: {dict(found)}")
    planned.check()
    assert found[DIED] <= DEATHS_MAX


def flipped(folder: Path, copy: Path, rng: Random) -> Path:
    """A copy of the directory with one bit of its data file flipped."""
    copy.mkdir()
    shutil.copy(folder / MARKER, copy)
    data = bytearray((folder / DATA).read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    (copy / DATA).write_bytes(data)
    return copy


def seen(folder: Path, dump: Dump) -> bytes:
    """What a separate process finds in the directory, or the signal that killed it."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(TIMEOUT_S)
        os.write(writer, outcome_of(folder, dump))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return said if status == 0 else b"died of signal %d" % os.WTERMSIG(status)


def outcome_of(folder: Path, dump: Dump) -> bytes:
    try:
        env = open_environment(folder, START_MS)
        with env.read() as txn:
            if list(check(txn)):
                return REPORTED
            now = {bytes(key): bytes(value) for key, value in txn.cursor()}
    except HookbundleError:
        return REFUSED
    return SAME if now == dump else b"a record changed, and the check found nothing"
