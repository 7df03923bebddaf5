"""Of the actions that Hypothesis draws: resends and replays."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hookbundle.tests.reliability.simulation.repeats import BOTH, CUT, Repeats
from hookbundle.tests.reliability.simulation.settings import NAMES
from hookbundle.tests.reliability.simulation.troubles import Troubles

names = st.sampled_from(NAMES)
which = st.integers(0, 9)


class RepeatRules(RuleBasedStateMachine):
    repeats: Repeats
    troubles: Troubles

    def make_busy(self, name: str, mood: str) -> None:
        raise NotImplementedError

    @rule(name=names, number=which)
    def resend(self, name: str, number: int) -> None:
        self.repeats.resend(name, number)

    @rule(name=names, number=which)
    def give_up_a_resend(self, name: str, number: int) -> None:
        self.repeats.give_up(name, number)

    @rule(name=names, states=st.sampled_from((BOTH[:1], BOTH)), chat=st.sampled_from(("", "c")))
    def replay(self, name: str, states: tuple[str, ...], chat: str) -> None:
        self.repeats.replay(name, states, chat)

    @rule(name=names)
    def cancel_a_replay(self, name: str) -> None:
        self.repeats.cancel(name)

    @rule(name=names, when=st.sampled_from(("before", "after")))
    def crash_while_replaying(self, name: str, when: str) -> None:
        self.make_busy(name, "well")
        self.troubles.crash_while_moving(when, lambda: self.repeats.replay(name, BOTH), CUT)
