"""A damaged data file, or backup: the commands say what is damaged, whose it is, what to do."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from hookbundle.storage.database.files import DATA
from hookbundle.storage.maintenance import backups
from hookbundle.storage.maintenance.check_damage import check_in_use
from hookbundle.tests.program import program_in
from hookbundle.tests.storage.page_damage import BRANCH, LEAF, WAYS, overwrite, pages_of
from hookbundle.tests.storage.scratch import ScratchDatabase, incoming

NAMES = ("acme", "globex", "initech")


def filled(path: Path) -> ScratchDatabase:
    """A database of three workspaces with windows, each on many pages."""
    db = ScratchDatabase(path)
    for name in NAMES:
        number = db.workspace(name, aggregation_ms=3_600_000)
        for turn in range(40):
            words = f"{name} {turn} " * 40
            db.accept(incoming(f"m{turn}", text=words), ws=number, chat=f"c{turn}")
    return db


def one_of_each(data: Path) -> list[int]:
    leaves = pages_of(data, LEAF)
    return [leaves[len(leaves) // 2], leaves[len(leaves) // 3]]


@pytest.mark.parametrize("damage", WAYS.values(), ids=WAYS)
async def test_check_names_what_is_damaged_and_whose_it_is(
    tmp_path: Path, damage: Callable[[Path, int], None]
) -> None:
    filled(tmp_path / "data").close()
    data = tmp_path / "data" / DATA
    for page in one_of_each(data):
        damage(data, page)
    before = data.read_bytes()

    checked = await program_in(tmp_path)("check", "--json")
    table = await program_in(tmp_path)("check")

    found = msgspec.json.decode(checked.out)
    assert (checked.code, table.code) == (1, 1)
    assert len({each["what"] for each in found["findings"]}) == 2  # both pages, not the first alone
    assert {each["workspace"] for each in found["findings"]} <= {*NAMES, ""}
    assert {each["workspace"] for each in found["findings"]} & set(NAMES)
    assert found["records"] > 100
    assert "Damaged data file" in checked.err
    assert "b'" not in table.out
    assert data.read_bytes() == before


def test_a_check_of_a_database_in_use_goes_on_past_a_damaged_page(tmp_path: Path) -> None:
    db = filled(tmp_path / "data")
    data = tmp_path / "data" / DATA
    number = next(
        page for page in pages_of(data, LEAF) if b"globex 7 globex" in page_of(data, page)
    )
    whole = page_of(data, number)

    WAYS["zeros"](data, number)
    found = list(check_in_use(db.env, lambda: None, lambda: None))
    overwrite(data, number, whole)
    again = list(check_in_use(db.env, lambda: None, lambda: None))
    db.close()

    assert "globex" in {each.workspace for each in found}
    assert {f"page {number} " in each.what for each in found} == {True}
    assert again == []


def page_of(data: Path, number: int) -> bytes:
    return data.read_bytes()[number * 4_096 : (number + 1) * 4_096]


@pytest.mark.parametrize("kind", [BRANCH, LEAF])
@pytest.mark.parametrize("damage", WAYS.values(), ids=WAYS)
async def test_a_damaged_backup_is_refused_and_ends_no_command_by_a_signal(
    tmp_path: Path, kind: int, damage: Callable[[Path, int], None]
) -> None:
    db = filled(tmp_path / "data")
    backups.back_up(db.env, tmp_path / "backup", lambda: None)
    db.close()
    data = tmp_path / "backup" / DATA
    damage(data, pages_of(data, kind)[-1])

    restored = await program_in(tmp_path)(
        "restore", str(tmp_path / "backup"), "--data", str(tmp_path / "new")
    )

    assert restored.code == 1
    assert "is damaged: page" in restored.err
    assert "Damaged data file" in restored.err
    assert not (tmp_path / "new").exists()


async def test_a_damaged_data_file_is_not_compacted(tmp_path: Path) -> None:
    filled(tmp_path / "data").close()
    data = tmp_path / "data" / DATA
    WAYS["no nodes"](data, pages_of(data, LEAF)[3])
    before = data.read_bytes()

    compacted = await program_in(tmp_path)("compact")

    assert compacted.code == 1
    assert "is damaged: page" in compacted.err
    assert data.read_bytes() == before
