"""What the numbers of a scenario say: ratios to the quiet phase, and what may never happen."""

from dataclasses import dataclass
from math import isinf
from typing import Any

RATIO_MAX = 3.0
# A quiet p99 below this says more about the scheduler than about the daemon: on two processors that
# five processes share, one fsync or one time slice decides it. Window ends are found by polling.
FLOOR_S = {"intake": 0.015, "delivery": 0.020, "window": 0.050}


def quantile(values: list[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("inf")


@dataclass(frozen=True, slots=True)
class Pair:
    """The p99 of one measure, quiet and hostile, in seconds; and the worst of the hostile phase."""

    quiet_s: float
    hostile_s: float
    worst_s: float
    floor_s: float

    @property
    def ratio(self) -> float:
        return self.hostile_s / max(self.quiet_s, self.floor_s)

    def __str__(self) -> str:
        hostile = "never" if isinf(self.hostile_s) else f"{self.hostile_s * 1_000:.0f}"
        return f"{self.quiet_s * 1_000:.0f} → {hostile} ({self.ratio:.1f})"


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a scenario. `faults`: what happened to the healthy and never may."""

    scenario: str
    pairs: dict[str, Pair]
    health_s: float
    grown_mib: float
    grown_mib_max: int
    files: int
    faults: dict[str, int]
    answers: dict[str, int]
    attacker_cpu: float
    daemon_cpu: float
    loop_lag_ms: float
    commit_ms: float

    @property
    def over(self) -> list[str]:
        """What is over its limit; empty if the scenario is withstood."""
        found = [
            f"{name} p99 {pair.ratio:.1f} times"
            for name, pair in self.pairs.items()
            if pair.ratio > RATIO_MAX
        ]
        if self.grown_mib > self.grown_mib_max:
            found.append(f"memory +{self.grown_mib:.0f} MiB")
        return found + [f"{count} {what}" for what, count in self.faults.items()]

    def row(self) -> str:
        cells = (
            self.scenario,
            *map(str, self.pairs.values()),
            f"{self.health_s * 1_000:.0f}",
            f"{self.grown_mib:+.0f}",
            "; ".join(self.over) or "withstood",
        )
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| beside | intake, ms | delivery, ms | window, ms late | `/healthz`, worst ms | memory, MiB "
    "| over the limit |\n|---|---|---|---|---|---|---|"
)


def forbidden(answers: dict[str, int], never: tuple[str, ...]) -> dict[str, int]:
    """Those of the answers that nobody may get."""
    return {f"answer {one}": n for one, n in answers.items() if one.startswith(never)}


def pairs_of(quiet: dict[str, Any], hostile: dict[str, Any]) -> dict[str, Pair]:
    return {
        name: Pair(
            quantile(quiet[name], 0.99),
            quantile(hostile[name], 0.99),
            max(hostile[name], default=float("inf")),
            floor_s,
        )
        for name, floor_s in FLOOR_S.items()
    }
