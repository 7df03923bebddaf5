"""What a daemon loads at its start: nothing that only some of its webhooks need."""

import os
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[3]


def test_a_daemon_without_formats_does_not_load_what_reads_templates() -> None:
    asked = "import sys, hookbundle.server.daemon.process; print('liquid' in sys.modules)"

    ran = subprocess.run(
        [sys.executable, "-c", asked],
        env={**os.environ, "PYTHONPATH": str(TREE / ".src")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.strip() == "False"
