"""The goals of the benchmarks: each measured number, its limit, and the baseline beside it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hookbundle.bench.harness import Value

Results = Mapping[str, Mapping[str, Value]]


class Goal(NamedTuple):
    """`bench` and `key` locate the number; `beside` is the baseline of the same run."""

    what: str
    bench: str
    key: str
    least: float | None = None
    most: float | None = None
    beside: str = ""

    def met(self, value: float) -> bool:
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    @property
    def wanted(self) -> str:
        return f"≥ {self.least:,g}" if self.least is not None else f"≤ {self.most:,g}"


GOALS = (
    Goal("open windows, private memory, MiB", "windows", "private_mib_with_windows", most=400),
    Goal(
        "intake, batches of 100 to one chat, messages/s",
        "intake", "one_messages_per_s", least=20_000, beside="one_lmdb_puts_per_s",
    ),
    Goal(
        "intake, batches of 100 to ten chats, messages/s",
        "intake", "ten_messages_per_s", least=20_000, beside="ten_lmdb_puts_per_s",
    ),
    Goal(
        "intake, batches of 100 to a hundred chats, messages/s",
        "intake", "many_messages_per_s", least=20_000, beside="many_lmdb_puts_per_s",
    ),
    Goal(
        "intake, one message a request, of the bare handler's rate",
        "intake", "single_to_bare_handler", least=0.6, beside="single_bare_handler_per_s",
    ),
    Goal(
        "deliveries of 1,000 workspaces, of the bare client's rate",
        "delivery", "to_bare_client", least=0.7, beside="bare_client_per_s",
    ),
    Goal("start with all those windows, s", "windows", "ready_again_s", most=2),
    Goal(
        "lateness of a seal at 10,000 a second, p99, ms",
        "sealing", "late_p99_ms_at_10000", most=250, beside="lmdb_alone_commit_of_1000_p99_ms",
    ),
    Goal("the same at 5,000 a second", "sealing", "late_p99_ms_at_5000", most=250),
    Goal(
        "a herd due at once: intake p99, ms",
        "herd", "intake_p99_ms_herd", most=250, beside="intake_p99_ms_calm",
    ),
    Goal("a herd: quiet workspaces' first bundle, s", "herd", "quiet_first_served_s", most=30),
    Goal(
        "10,000 windows at the same time of the day: intake p99, ms",
        "rules.evening", "intake_p99_ms_at", most=250, beside="intake_p99_ms_quiet_at",
    ),
    Goal(
        "the same: all of them sealed, of the time of fixed ones",
        "rules.evening", "all_sealed_at_to_fixed", most=1.5, beside="all_sealed_ms_fixed",
    ),
    Goal(
        "a message to a quiet window, of the KiB written for a fixed one",
        "rules.quiet", "burst_quiet_to_fixed_written", most=1.25,
        beside="burst_fixed_kib_written",
    ),
    Goal(
        "the dearest kind of source, of what a plain message costs",
        "sources", "dearest_to_plain", most=2,
    ),
    Goal(
        "memory grown while messages come and go, MiB",
        "turnover", "private_mib_grown_by_the_second_half", most=5,
    ),
)  # fmt: skip


def table(results: Results, line: Callable[[str], None] = print) -> None:
    """Prints one line for each goal that was measured."""
    line(f"\n{'numbers to reach':<60}{'goal':>10}{'measured':>12}        beside it")
    for goal in GOALS:
        found = results.get(goal.bench)
        if found is None:
            continue
        value = found[goal.key]
        assert not isinstance(value, str)
        beside = f"{goal.beside} {found[goal.beside]:,}" if goal.beside else ""
        verdict = "met   " if goal.met(value) else "MISSED"
        line(f"{goal.what:<60}{goal.wanted:>10}{value:>12,g} {verdict} {beside}")
