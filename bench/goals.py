"""The goals of the benchmarks: each measured number, its limit, and the baseline beside it.

What a hostile tenant may cost the others is measured by `make hostile`, not here.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from hookbundle.bench.harness import Value

Results = Mapping[str, Mapping[str, Value]]


class Goal(NamedTuple):
    """`bench` and `key` locate the number; `beside` is the baseline of the same run.

    Without a limit it only stands beside those that have one.
    """

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
        if self.least is None and self.most is None:
            return ""
        return f"≥ {self.least:,g}" if self.least is not None else f"≤ {self.most:,g}"


THIS_EDITION = (
    Goal(
        "single message, thousand instructions",
        "instructions.work", "single_thousand", most=250, beside="handler_thousand",
    ),
    Goal(
        "the same over TCP with a token",
        "instructions.work", "single_tcp_thousand", beside="handler_thousand",
    ),
    Goal(
        "batch to 100 chats, a message, thousand instructions",
        "instructions.work", "many_thousand", most=165, beside="many_new_thousand",
    ),
    Goal(
        "batch to one chat, a message, thousand instructions",
        "instructions.work", "one_thousand", most=60,
    ),
    Goal(
        "delivery, thousand instructions",
        "instructions.work", "delivery_thousand", most=520, beside="client_thousand",
    ),
    Goal(
        "single messages, 64 connections, of a bare handler's rate",
        "rates.listeners", "socket_64_to_bare", least=0.65, beside="socket_64_bare_per_s",
    ),
    Goal(
        "the same, 256 connections",
        "rates.listeners", "socket_256_to_bare", least=0.95, beside="socket_256_bare_per_s",
    ),
    Goal(
        "the same over TCP with a token, 64 connections",
        "rates.listeners", "tcp_64_to_bare", least=0.65, beside="tcp_64_bare_per_s",
    ),
    Goal(
        "the same over TCP with a token, 256 connections",
        "rates.listeners", "tcp_256_to_bare", least=0.95, beside="tcp_256_bare_per_s",
    ),
    Goal(
        "deliveries of 1,000 workspaces, of a bare client's rate",
        "delivery", "to_bare_client", least=1, beside="bare_client_per_s",
    ),
    Goal(
        "an attempt of a bundle of 100 KB, bytes written",
        "history", "bytes_of_an_attempt_delivered", most=1_500,
    ),
    Goal(
        "a million deliveries: a page by chat, p99, ms",
        "histories.search", "chat_and_time_p99_ms", most=50,
    ),
    Goal("the same by time, p99, ms", "histories.search", "time_p99_ms", most=50),
)  # fmt: skip
KEPT = (
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

OF_A_CLUSTER = (
    Goal(
        "owner and follower, of a daemon's processor time: singles",
        "cluster.rates", "pair_1_single_cpu_to_alone", most=1.5,
        beside="pair_1_single_alone_cpu_us",
    ),
    Goal(
        "the same, batches to a hundred chats",
        "cluster.rates", "pair_1_many_cpu_to_alone", most=1.5, beside="pair_1_many_alone_cpu_us",
    ),
    Goal(
        "the same, batches to ten chats",
        "cluster.rates", "pair_1_ten_cpu_to_alone", most=1.5, beside="pair_1_ten_alone_cpu_us",
    ),
    Goal(
        "the same, batches to one chat",
        "cluster.rates", "pair_1_one_cpu_to_alone", most=1.5, beside="pair_1_one_alone_cpu_us",
    ),
)  # fmt: skip
GOALS = (
    ("goals of this edition", THIS_EDITION),
    ("of the first, kept", KEPT),
    ("of a cluster", OF_A_CLUSTER),
)


def table(results: Results, line: Callable[[str], None] = print) -> None:
    """Prints one line for each goal that was measured."""
    for title, goals in GOALS:
        if not any(goal.key in results.get(goal.bench, {}) for goal in goals):
            continue
        line(f"\n{title:<60}{'goal':>10}{'measured':>12}        beside it")
        for goal in goals:
            value = results.get(goal.bench, {}).get(goal.key)
            if value is None:
                continue
            assert not isinstance(value, str)
            beside = f"{goal.beside} {results[goal.bench][goal.beside]:,}" if goal.beside else ""
            verdict = "" if not goal.wanted else "met" if goal.met(value) else "MISSED"
            line(f"{goal.what:<60}{goal.wanted:>10}{value:>12,g} {verdict:<6} {beside}")
