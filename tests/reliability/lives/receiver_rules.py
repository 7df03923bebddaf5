"""Of the actions that Hypothesis draws: formats, and what counts as delivered."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hookbundle.tests.reliability.simulation.rules.receiving import ANSWERS, WHOLE
from hookbundle.tests.reliability.simulation.rules.several import Several
from hookbundle.tests.reliability.simulation.rules.takes import TAKES
from hookbundle.tests.reliability.simulation.settings import NAMES

names = st.sampled_from(NAMES)


class ReceiverRules(RuleBasedStateMachine):
    several: Several

    @rule(name=names, form=st.sampled_from(WHOLE))
    def change_format(self, name: str, form: str) -> None:
        self.several.receiving.change_format(name, form)

    @rule(name=names, form=st.sampled_from(WHOLE[1:]))
    def render_into_a_crash(self, name: str, form: str) -> None:
        self.several.receiving.render_into_a_crash(name, form)

    @rule(name=names, mend=st.booleans())
    def fail_to_render(self, name: str, mend: bool) -> None:
        self.several.receiving.fail_to_render(name, mend=mend)

    @rule(name=names)
    def skip(self, name: str) -> None:
        self.several.receiving.skip(name)

    @rule(name=names, takes=st.sampled_from(tuple(TAKES)), mood=st.sampled_from(ANSWERS))
    def answer(self, name: str, takes: str, mood: str) -> None:
        self.several.receiving.answer(name, takes, mood)
