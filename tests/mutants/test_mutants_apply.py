"""Each bug of the table can still be planted, and the tests that must catch it exist."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import pytest

from hookbundle.tests.mutants.mutant import Mutant
from hookbundle.tests.mutants.run import TREE
from hookbundle.tests.mutants.table import MUTANTS


@cache
def text_of(path: str) -> str:
    return (TREE / path).read_text()


@cache
def code_of(path: str) -> str:
    """What the file says, without its comments and layout."""
    return ast.dump(ast.parse(text_of(path)))


@cache
def functions_of(path: str) -> set[str]:
    return {getattr(each, "name", "") for each in ast.parse(text_of(path)).body}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_bug_can_be_planted_and_the_tests_that_must_catch_it_exist(mutant: Mutant) -> None:
    planted = ast.parse(mutant.applied_to(text_of(mutant.path)))

    assert ast.dump(planted) != code_of(mutant.path)
    assert list(lacking_imports(planted)) == []
    for test in mutant.caught_by:
        path, name = test.split("::")
        assert name in functions_of(path), test


def lacking_imports(planted: ast.Module) -> Iterator[str]:
    """An import that fails would break every test: a bug that does nothing would look caught."""
    for node in ast.walk(planted):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hookbundle."):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if not hasattr(import_module(str(node.module)), alias.name) and not find_spec(name):
                    yield name


def test_every_planned_bug_is_in_the_table() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(names) == len(set(names))
    assert {name.rstrip("ab") for name in names} >= {f"m{number}" for number in range(1, 15)}
