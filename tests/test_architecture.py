"""ARCHITECTURE.md leads a reader to files and names that are there."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
# `folder/`, `folder/file.py` or `folder/file.py:Name`
NAMED = re.compile(r"`((?:[a-z_]+/)+(?:[a-z_]+\.py)?)(?::(\w+))?`")


def named() -> list[tuple[str, str]]:
    return sorted(set(NAMED.findall(TEXT)))


def names_in(module: Path) -> set[str]:
    """What the module defines at its top level."""
    names = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.Assign():
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize(("path", "name"), named())
def test_what_the_document_names_is_there(path: str, name: str) -> None:
    assert (ROOT / path).exists()

    if name:
        assert name in names_in(ROOT / path)


def test_the_document_names_both_ways_and_is_short_enough_to_be_read() -> None:
    assert len([name for _, name in named() if name]) > 15
    assert len(TEXT.splitlines()) <= 200


def test_every_room_is_in_the_document() -> None:
    rooms = [
        folder.relative_to(ROOT).as_posix() + "/"
        for top in ("engine", "storage", "actors", "server")
        for folder in [ROOT / top, *(ROOT / top).iterdir()]
        if (folder / "__init__.py").exists()
    ]

    absent = [
        room for room in rooms if f"`{room}`" not in TEXT and room not in ("server/", "storage/")
    ]

    assert not absent


def code_files() -> list[Path]:
    tops = ("engine", "storage", "actors", "server", "commands", "tests", "bench")
    found = [file for top in tops for file in (ROOT / top).rglob("*.py")]
    return [file for file in found if "rivals" not in file.parts and "vendor" not in file.parts]


def test_a_file_can_be_read_at_once() -> None:
    long = {
        file.relative_to(ROOT).as_posix(): count
        for file in code_files()
        if (count := len(file.read_text(encoding="utf-8").splitlines())) > 300
    }

    assert not long


def test_a_folder_can_be_taken_in_at_once() -> None:
    folders = Counter(file.parent.relative_to(ROOT).as_posix() for file in code_files())

    assert not {folder: count for folder, count in folders.items() if count > 17}
