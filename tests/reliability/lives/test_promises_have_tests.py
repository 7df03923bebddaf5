"""What docs/reliability.md says holds a promise is there, under that name."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(?:tests/)?((?:\w+/)+\w+\.py)::(\w+)(?:\[[^]]*\])?`")


def test_every_test_that_the_document_names_is_there() -> None:
    document = (TESTS.parent / "docs" / "reliability.md").read_text()

    named = NAMED.findall(document)

    assert len(named) > 40
    for path, name in named:
        functions = ast.parse((TESTS / path).read_text()).body
        assert name in {getattr(one, "name", "") for one in functions}, f"{path}::{name}"
