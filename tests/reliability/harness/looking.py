"""Databases looked at in a process of their own: a damaged one may be its end (SIGBUS)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from hookbundle.tests.reliability.harness.promises import Promise, faults_of


class Looker:
    def __init__(self) -> None:
        self._process = _process()

    def faults_of(self, path: Path, promises: Sequence[Promise]) -> list[str]:
        try:
            return self._process.submit(faults_of, path, promises).result()
        except BrokenProcessPool:
            self._process = _process()
            return ["whoever reads it is killed"]

    def close(self) -> None:
        self._process.shutdown()


@contextmanager
def looking() -> Iterator[Looker]:
    looker = Looker()
    try:
        yield looker
    finally:
        looker.close()


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn"))
