"""All scenarios, by their names."""

from hookbundle.tests.reliability.hostility.tenants import (
    anonymous,
    answers,
    bodies,
    histories,
    outbound,
    walks,
    webhooks,
)

SCENARIOS = (
    *outbound.SCENARIOS,
    *answers.SCENARIOS,
    *walks.SCENARIOS,
    *histories.SCENARIOS,
    *webhooks.SCENARIOS,
    *bodies.SCENARIOS,
    *anonymous.SCENARIOS,
)
BY_NAME = {scenario.__name__: scenario for scenario in SCENARIOS}
