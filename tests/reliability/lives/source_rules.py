"""Of the actions that Hypothesis draws: what other systems post to sources."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from hookbundle.tests.reliability.lives.receiver_rules import ReceiverRules
from hookbundle.tests.reliability.simulation.rules.several import Several
from hookbundle.tests.reliability.simulation.rules.sources import CONTACTS, NAMED, WITH_SOURCES

with_sources = st.sampled_from(WITH_SOURCES)
contacts = st.sampled_from(CONTACTS)


class SourceRules(ReceiverRules):
    several: Several

    @rule(
        name=with_sources,
        contact=contacts,
        form=st.sampled_from(NAMED),
        cut=st.sampled_from(("", "", "before", "after")),
    )
    def send_by_source(self, name: str, contact: str, form: str, cut: str) -> None:
        if cut:
            self.several.sources.send_into_a_crash(name, contact, form, cut)
        else:
            self.several.sources.send(name, contact, form)

    @rule(name=st.sampled_from(WITH_SOURCES[:2]), contact=contacts, forget=st.booleans())
    def hide_by_source(self, name: str, contact: str, forget: bool) -> None:
        self.several.sources.hide(name, contact, forget=forget)
