"""An interrupt never comes between what is printed and what is noted of it."""

import signal
import tempfile
import threading

import pytest

from hookbundle.commands.terminal.output import one_piece


def test_an_interrupt_within_the_block_comes_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def interrupted() -> None:
        with one_piece():
            # To this thread: the program has no other, but other tests may have left some here.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            done.append("printed")
            done.append("noted")

    with tempfile.TemporaryFile("w") as out:
        monkeypatch.setattr("sys.stdout", out)
        with pytest.raises(KeyboardInterrupt):
            interrupted()

    assert done == ["printed", "noted"]
