"""Times of facts as readers get them, those that 0.1 wrote too."""

import pytest

from hookbundle.storage.daemon_facts import type_of
from hookbundle.storage.facts import all_facts
from hookbundle.storage.reads.fact_times import TIMES, times_of, with_times


@pytest.mark.parametrize(
    ("kind", "data", "shown"),
    [
        ("message.received", {"due": 1_700_000_000_000}, {"due": "2023-11-14T22:13:20.000Z"}),
        ("message.received", {"due": 0}, {"due": None}),
        ("message.accepted", {"due": 1_700_000_000_001}, {"due": "2023-11-14T22:13:20.001Z"}),
        ("token.created", {"token": "tok_1"}, {"token": "tok_1"}),
        ("delivery.unknown", {"error": "x"}, {"error": "x"}),
        ("workspace.changed", {"changes": {"due": 5}}, {"changes": {"due": 5}}),
    ],
)
def test_they_are_rfc_3339_and_null_for_none(
    kind: str, data: dict[str, object], shown: dict[str, object]
) -> None:
    assert with_times(kind, data) == shown


def test_a_field_with_the_name_of_a_time_is_one_in_every_fact() -> None:
    names = {name for names in TIMES.values() for name in names}

    for kind in all_facts():
        assert names.intersection(kind.__struct_fields__) == set(times_of(kind)), type_of(kind)
