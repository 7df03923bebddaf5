"""A metric with its values, as Prometheus gets it."""

from collections.abc import Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily


def gauge(name: str, meaning: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hookbundle_{name}", meaning, value=float(value))


def counter(
    name: str, meaning: str, values: Mapping[tuple[str, ...], int], *labels: str
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"hookbundle_{name}", meaning, labels=labels)
    for found, value in values.items():
        family.add_metric(found, value)
    return family
