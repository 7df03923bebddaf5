"""docs/reference/ is made from the code, and is what the code says now."""

import runpy
from pathlib import Path

import pytest

from hookbundle.commands.configuration.settings import SETTINGS
from hookbundle.commands.examples import EXAMPLES

ROOT = Path(__file__).resolve().parents[2]
MADE = runpy.run_path(str(ROOT / "docs" / "make_references.py"))


@pytest.mark.parametrize("name", MADE["FILES"])
def test_a_reference_is_up_to_date(name: str) -> None:
    found = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")

    assert found == MADE["FILES"][name](), "run `make docs`"


def test_every_command_and_every_setting_is_in_its_reference() -> None:
    commands, settings = MADE["commands"](), MADE["settings"]()

    assert [path for path in EXAMPLES if path and f"# `hookbundle {path}`" not in commands] == []
    assert [each.name for each in SETTINGS if f"| `{each.name}` |" not in settings] == []


def test_no_setting_is_without_the_form_of_its_values() -> None:
    assert [each.name for each in SETTINGS if not each.kind.form] == []
