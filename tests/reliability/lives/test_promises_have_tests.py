"""What docs/reliability.md says holds a promise is there, under that name."""

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
NAMED = re.compile(r"`(?:tests/)?((?:\w+/)+\w+\.py)::(\w+)(?:\[[^]]*\])?`")


@cache
def functions_of(path: str) -> set[str]:
    return {getattr(one, "name", "") for one in ast.parse((TESTS / path).read_text()).body}


def test_every_test_that_the_document_names_is_there() -> None:
    document = (TESTS.parent / "docs" / "reliability.md").read_text()

    named = NAMED.findall(document)

    assert len(named) > 40
    for path, name in named:
        assert name in functions_of(path), f"{path}::{name}"
