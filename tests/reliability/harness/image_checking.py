"""Checks databases in a separate process, because reading a damaged one may kill it (SIGBUS)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from hookbundle.tests.reliability.harness.promises import Promise, faults_of


class ImageChecker:
    """A process that checks one database after another; it is replaced when one has killed it."""

    def __init__(self) -> None:
        self._process = _process()

    def faults_of(self, path: Path, promises: Sequence[Promise]) -> list[str]:
        try:
            return self._process.submit(faults_of, path, promises).result()
        except BrokenProcessPool:
            self._process = _process()
            return ["reading it kills the process"]

    def close(self) -> None:
        self._process.shutdown()


@contextmanager
def image_checking() -> Iterator[ImageChecker]:
    image_checker = ImageChecker()
    try:
        yield image_checker
    finally:
        image_checker.close()


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
