"""A daemon for the commands of a file, which tries again at once."""

from collections.abc import Iterator

import pytest

from hookbundle.tests.program import Program, serving


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    folder = tmp_path_factory.mktemp("daemon")
    with serving(folder, DELIVERY__BACKOFF=",".join(["1ms"] * 10)) as program:
        yield program
