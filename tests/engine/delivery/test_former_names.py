"""Names of the first edition lead to those of today, and to nothing else."""

from hookbundle.engine.delivery import former_names
from hookbundle.engine.delivery.states import DeliveryState
from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.facts import all_facts


def test_they_are_other_names_of_what_there_is() -> None:
    types = {type_of(kind) for kind in all_facts()}

    assert set(former_names.STATES.values()) <= {state.value for state in DeliveryState}
    assert not former_names.STATES.keys() & {state.value for state in DeliveryState}
    assert set(former_names.FACTS.values()) <= types
    assert not former_names.FACTS.keys() & types


def test_any_other_word_stays_as_it_is() -> None:
    assert former_names.state_of("queued") == "queued"
    assert former_names.state_of("gone") == "gone"
    assert former_names.fact_type_of("delivery.failed") == "delivery.failed"
    assert former_names.fact_types_of("delivery.failed") == ("delivery.failed",)
