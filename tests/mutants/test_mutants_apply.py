"""Each bug of the table can still be planted, and the tests that must catch it exist."""

import ast
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec

import pytest

from hookbundle.tests.mutants.mutant import Mutant
from hookbundle.tests.mutants.run import TREE
from hookbundle.tests.mutants.table import MUTANTS

Statements = list[tuple[str, ast.stmt]]


@cache
def text_of(path: str) -> str:
    return (TREE / path).read_text()


@cache
def functions_of(path: str) -> set[str]:
    return {getattr(each, "name", "") for each in ast.parse(text_of(path)).body}


@lru_cache(400)
def statements(text: str) -> Statements:
    """Each statement of the module, with its own lines and those of its decorators."""
    lines = text.splitlines()
    found = []
    for each in ast.parse(text).body:
        decorators = (one.lineno for one in getattr(each, "decorator_list", ()))
        first = min(decorators, default=each.lineno)
        found.append(("\n".join(lines[first - 1 : each.end_lineno]), each))
    return found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_bug_can_be_planted_and_the_tests_that_must_catch_it_exist(mutant: Mutant) -> None:
    before = statements(text_of(mutant.path))
    planted = statements(mutant.applied_to(text_of(mutant.path)))

    # Without comments and layout, only these can say something else.
    gone, new = not_among(planted, before), not_among(before, planted)
    assert [ast.dump(each) for each in gone] != [ast.dump(each) for each in new]
    assert list(lacking_imports(new)) == []
    for test in mutant.caught_by:
        path, name = test.split("::")
        assert name in functions_of(path), test


def not_among(these: Statements, found: Statements) -> list[ast.stmt]:
    texts = {text for text, _ in these}
    return [each for text, each in found if text not in texts]


def lacking_imports(planted: list[ast.stmt]) -> Iterator[str]:
    """An import that fails would break every test: a bug that does nothing would look caught."""
    for node in (node for each in planted for node in ast.walk(each)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hookbundle."):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if not hasattr(import_module(str(node.module)), alias.name) and not find_spec(name):
                    yield name


def test_every_planned_bug_is_in_the_table() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(names) == len(set(names))
    assert {name.rstrip("ab") for name in names} >= {f"m{number}" for number in range(1, 15)}
