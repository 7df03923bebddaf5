"""The walk of a data file's pages finds what LMDB can't read, and what can be read next to it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hookbundle.storage.database.data_file import pages, tree
from hookbundle.storage.database.data_file.tree import Damage
from hookbundle.storage.database.files import DATA
from hookbundle.tests.reliability.harness.battery import size
from hookbundle.tests.storage.database import reading_damaged
from hookbundle.tests.storage.page_damage import BRANCH, LEAF, OVERFLOW, WAYS, overwrite, pages_of
from hookbundle.tests.storage.populated import populated

Kept = tuple[Path, dict[bytes, bytes]]
DAMAGES = size(600, 20_000)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A data file, and its records."""
    db = populated(tmp_path / "data")
    records = db.dump()
    db.close()
    return tmp_path / "data" / DATA, records


def walked(data: Path) -> tuple[dict[bytes, bytes], list[Damage]]:
    found = list(tree.walk(data, lambda: None, rows=True))
    rows = dict(one for one in found if not isinstance(one, Damage))
    return rows, [one for one in found if isinstance(one, Damage)]


def test_a_sound_file_has_no_damage_and_all_its_records(
    kept: Kept,
) -> None:
    data, records = kept

    assert walked(data) == (records, [])


@pytest.mark.parametrize("kind", [BRANCH, LEAF])
@pytest.mark.parametrize("damage", WAYS.values(), ids=WAYS)
def test_a_damaged_page_costs_only_what_was_below_it(
    kept: Kept, kind: int, damage: Callable[[Path, int], None]
) -> None:
    data, records = kept
    number = pages_of(data, kind)[-1]

    damage(data, number)
    rows, damages = walked(data)

    (one,) = damages
    lost = {key for key in records if key >= one.first and (not one.after or key < one.after)}
    assert one.page == number
    assert rows == {key: value for key, value in records.items() if key not in lost}
    assert lost


def test_a_value_on_pages_of_its_own_is_missed(kept: Kept) -> None:
    data, _ = kept
    number = pages_of(data, OVERFLOW)[0]

    overwrite(data, number, bytes(16))
    _, damages = walked(data)

    assert [f"page {number}" in one.what for one in damages] == [True]


def test_pages_beyond_the_end_are_damage(kept: Kept) -> None:
    data, records = kept
    last = max(pages_of(data, LEAF))

    with data.open("r+b") as file:
        file.truncate(last * 4_096)
    rows, damages = walked(data)

    assert rows.items() < records.items()
    assert "beyond the end" in damages[0].what


def test_a_circle_of_pages_has_an_end(kept: Kept) -> None:
    data, _ = kept
    root = pages_of(data, BRANCH)[0]
    content = data.read_bytes()
    node = int.from_bytes(content[root * 4_096 + 18 : root * 4_096 + 20], "little")

    overwrite(data, root, root.to_bytes(4, "little"), at=node)
    _, damages = walked(data)

    assert "twice" in damages[0].what


def test_a_page_of_the_list_of_free_pages_is_told_apart(kept: Kept) -> None:
    data, records = kept
    with data.open("rb") as file:
        free = pages.meta_of(file, data).free.page

    overwrite(data, free, bytes(4_096))
    rows, damages = walked(data)

    assert rows == records
    assert [(one.page, one.is_of_free_pages) for one in damages] == [(free, True)]


def test_what_the_walk_finds_sound_lmdb_reads_without_a_signal(
    kept: Kept,
) -> None:
    data, _ = kept

    ran = subprocess.run(
        [sys.executable, "-m", reading_damaged.__name__, str(data.parent), str(DAMAGES)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, (ran.returncode, ran.stdout.splitlines()[-1], ran.stderr)
    assert int(ran.stdout.splitlines()[-1].split()[1]) > DAMAGES // 20
