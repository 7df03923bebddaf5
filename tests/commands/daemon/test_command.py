"""The command that imports the daemon."""

import gc

from click.testing import CliRunner

from hookbundle.cli import main


def test_garbage_is_collected_once_the_daemon_is_imported() -> None:
    try:
        refused = CliRunner().invoke(main, ["run", "--listen", "nowhere"])

        assert "'nowhere' is not HOST:PORT" in refused.output
        assert gc.isenabled()
    finally:
        gc.enable()
