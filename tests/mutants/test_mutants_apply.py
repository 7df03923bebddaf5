"""Each bug of the table can still be planted, and the tests that must catch it exist."""

import ast
from importlib import import_module
from importlib.util import find_spec

import pytest

from hookbundle.tests.mutants.mutant import Mutant
from hookbundle.tests.mutants.run import TREE
from hookbundle.tests.mutants.table import MUTANTS

each_mutant = pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)


@each_mutant
def test_the_bug_can_be_planted_and_is_python(mutant: Mutant) -> None:
    text = (TREE / mutant.path).read_text()

    planted = mutant.applied_to(text)

    assert ast.dump(ast.parse(planted)) != ast.dump(ast.parse(text))


@each_mutant
def test_what_the_planted_code_imports_exists(mutant: Mutant) -> None:
    # An import that fails would break every test, and a mutant that does nothing would look caught.
    planted = ast.parse(mutant.applied_to((TREE / mutant.path).read_text()))

    for node in ast.walk(planted):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hookbundle."):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                is_defined = hasattr(import_module(str(node.module)), alias.name)
                assert is_defined or find_spec(name), name


@each_mutant
def test_the_tests_that_must_catch_it_exist(mutant: Mutant) -> None:
    for test in mutant.caught_by:
        path, name = test.split("::")

        functions = ast.parse((TREE / path).read_text()).body

        assert name in {getattr(function, "name", "") for function in functions}, test


def test_every_planned_bug_is_in_the_table() -> None:
    names = [mutant.name for mutant in MUTANTS]

    assert len(names) == len(set(names))
    assert {name.rstrip("ab") for name in names} >= {f"m{number}" for number in range(1, 15)}
