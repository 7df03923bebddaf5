"""Runs every bench of a cluster, and writes `bench/results/cluster.*.json`.

`python bench/cluster/all.py` takes the quick forms; `--full` the long ones.
"""

import sys

from hookbundle.bench.all import run_all

NAMES = (
    "cluster.work",
    "cluster.rates",
    "cluster.catching_up",
    "cluster.idle",
    "cluster.takeover",
)


if __name__ == "__main__":
    run_all(NAMES, full="--full" in sys.argv)
