"""`hookbundle`, but what was deleted is taken out of logs after seconds, and not after an hour at
least, as settings allow."""

import sys
from typing import Any

from hookbundle import cli
from hookbundle.engine.replication.renewal import Rules
from hookbundle.server.cluster.partitions import making

ERASE_WITHIN_MS = 3_000
COMMAND = (sys.executable, "-m", "hookbundle.tests.reliability.cluster.erasing.soon")


def soon(**rules: Any) -> Rules:
    return Rules(**{**rules, "erase_within_ms": ERASE_WITHIN_MS})


if __name__ == "__main__":
    making.Rules = soon  # type: ignore[assignment, attr-defined]
    cli.main(prog_name="hookbundle")
