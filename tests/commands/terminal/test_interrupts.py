"""An interrupt never comes between what is printed and what is noted of it."""

import os
import signal
import tempfile

import pytest

from hookbundle.commands.terminal.output import one_piece


def test_an_interrupt_within_the_block_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def interrupted() -> None:
        with one_piece():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("printed")
            done.append("noted")

    with tempfile.TemporaryFile("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        with pytest.raises(KeyboardInterrupt):
            interrupted()

    assert done == ["printed", "noted"]
