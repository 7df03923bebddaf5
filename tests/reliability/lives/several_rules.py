"""Of the actions that Hypothesis draws: those on a workspace with several webhooks."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from hookbundle.tests.reliability.lives.repeat_rules import RepeatRules
from hookbundle.tests.reliability.simulation.rules.several import (
    BESIDE,
    BUDGETS,
    OF_HOUSE,
    ZONES,
    Several,
)
from hookbundle.tests.reliability.simulation.rules.written import FILTERS, WINDOWS
from hookbundle.tests.reliability.simulation.settings import Settings

# Faults that the few hundred actions of the short form meet; test_simulation.py meets all of them.
SURE = (
    "crash",
    "crash in flight",
    "unknown sent again",
    "disabled by errors",
    "dead letter",
    "crash while deliveries are moved",
    "discarded",
    "flushed",
    "quota reached",
    "quarantine",
    "disk full",
    "filtered",
    "overflowed",
    "merged",
    "left first",
    "budget used up",
)

of_house = st.sampled_from(OF_HOUSE)


class SeveralRules(RepeatRules):
    several: Several
    settings: Settings

    @rule(name=of_house, windows=st.sampled_from(tuple(WINDOWS)))
    def set_windows(self, name: str, windows: str) -> None:
        self.several.set_windows(name, windows)

    @rule(name=of_house, kept=st.sampled_from(tuple(FILTERS)))
    def set_filter(self, name: str, kept: str) -> None:
        self.several.set_filter(name, kept)

    @rule(name=st.sampled_from(BESIDE))
    def make_again(self, name: str) -> None:
        self.several.make_again(name)

    @rule(name=of_house, cut=st.sampled_from(("", "before", "after")))
    def merge(self, name: str, cut: str) -> None:
        self.several.merge(name, cut=cut)

    @rule(name=of_house)
    def fill(self, name: str) -> None:
        self.several.fill(name)

    @rule()
    def want_nothing(self) -> None:
        self.several.want_nothing()

    @rule()
    def be_never_quiet(self) -> None:
        self.several.be_never_quiet()

    @rule(name=of_house)
    def use_up(self, name: str) -> None:
        self.several.use_up(name)

    @rule(name=of_house, budget=st.sampled_from(BUDGETS))
    def set_budget(self, name: str, budget: int) -> None:
        self.settings.set_budget(name, budget)

    @rule(zone=st.sampled_from(ZONES))
    def set_zone(self, zone: str) -> None:
        self.settings.set_zone("setup", zone)
