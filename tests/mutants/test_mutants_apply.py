"""Each bug of the table can still be planted, and the tests that must catch it exist."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import chain

import pytest

from hookbundle.tests.mutants.mutant import Mutant
from hookbundle.tests.mutants.run import TREE
from hookbundle.tests.mutants.table import MUTANTS

BY_PATH: dict[str, list[Mutant]] = {}
for _mutant in MUTANTS:
    BY_PATH.setdefault(_mutant.path, []).append(_mutant)


@cache
def functions_of(path: str) -> set[str]:
    return {getattr(each, "name", "") for each in ast.parse((TREE / path).read_text()).body}


@pytest.mark.parametrize("path", BY_PATH)
def test_the_bugs_can_be_planted_and_the_tests_that_must_catch_them_exist(path: str) -> None:
    text = (TREE / path).read_text()
    statements = statements_of(text)
    for mutant in BY_PATH[path]:
        planted = statements_of(mutant.applied_to(text))
        changed = [planted[each] for each in planted.keys() - statements.keys()]
        gone = [statements[each] for each in statements.keys() - planted.keys()]

        assert {*map(ast.dump, changed)} != {*map(ast.dump, gone)}, mutant.name
        assert list(lacking_imports(changed)) == [], mutant.name
        for test in mutant.caught_by:
            file, name = test.split("::")
            assert name in functions_of(file), (mutant.name, test)


def statements_of(text: str) -> dict[str, ast.stmt]:
    """Those of the module, each under its text: what has the same text says the same."""
    lines = text.splitlines()
    found = {}
    for statement in ast.parse(text).body:
        decorators = getattr(statement, "decorator_list", [])
        first = min([statement.lineno, *(each.lineno for each in decorators)])
        found["\n".join(lines[first - 1 : statement.end_lineno])] = statement
    return found


def lacking_imports(changed: list[ast.stmt]) -> Iterator[str]:
    """An import that fails would break every test: a bug that does nothing would look caught."""
    for node in chain.from_iterable(map(ast.walk, changed)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hookbundle."):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if not hasattr(import_module(str(node.module)), alias.name) and not find_spec(name):
                    yield name


def test_every_planned_bug_is_in_the_table() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(names) == len(set(names))
    assert {name.rstrip("ab") for name in names} >= {f"m{number}" for number in range(1, 15)}
