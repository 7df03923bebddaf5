"""promtool tries the rules: each alert fires when it has to, none for a daemon that is well."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from hookbundle.actors.store import StoreConfig
from hookbundle.tests.in_process import daemon_in, event, receiving
from hookbundle.tests.observability.pack import PACK, RULES, TESTS, alerts, program, queries
from hookbundle.tests.program import TIMEOUT_S

HOURS = 3  # longer than any alert waits
MINUTES = HOURS * 60
UP = {"series": 'up{job="hookbundle", instance="a"}', "values": f"1x{MINUTES}"}


def promtool(*arguments: object) -> str:
    """What it printed. Raises: AssertionError with that, if it is not content."""
    ran = subprocess.run(
        [program("promtool"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=5 * TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_prometheus_understands_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", *(PACK / name for name in RULES))


def test_prometheus_understands_the_queries_of_the_board(tmp_path: Path) -> None:
    made = [
        {"record": f"board:query:{number}", "expr": query} for number, query in enumerate(queries())
    ]
    rules = tmp_path / "board.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": made}]}))

    assert f"{len(made)} rules found" in promtool("check", "rules", rules)


@pytest.mark.parametrize("name", TESTS)
def test_alerts_fire_when_they_have_to(name: str) -> None:
    promtool("test", "rules", PACK / name)


def test_each_alert_has_a_test_that_lets_it_fire() -> None:
    text = "".join((PACK / name).read_text(encoding="utf-8") for name in TESTS)

    fired = re.findall(r'\{alertname="(\w+)"\}', text)

    assert sorted(fired) == sorted(alert.name for alert in alerts())


async def test_no_alert_fires_for_a_daemon_that_is_well(tmp_path: Path) -> None:
    store = StoreConfig(floor_bytes=4_096, reserve_bytes=64 * 1024)
    async with receiving() as receiver, daemon_in(tmp_path / "daemon", store=store) as system:
        await system.make("acme", receiver, aggregation="none")
        await system.accept("acme", event("m1"))
        await receiver.until(1)
        scrape = (await system.ask("GET", "/metrics")).body.decode()
    well = {
        "rule_files": [str(PACK / name) for name in RULES],
        "evaluation_interval": "5m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [UP, *going_on(scrape)],
                "promql_expr_test": [
                    {
                        "expr": 'ALERTS{alertstate="firing"}',
                        "eval_time": f"{minutes}m",
                        "exp_samples": [],
                    }
                    for minutes in range(5, MINUTES, 5)
                ],
            }
        ],
    }
    (tmp_path / "well.yml").write_text(yaml.safe_dump(well))

    promtool("test", "rules", tmp_path / "well.yml")


def going_on(scrape: str) -> list[dict[str, str]]:
    """What the daemon counted, each minute again. How long things took on a test's machine says
    nothing of one that is well: all of it was quick."""
    series = []
    for family in text_string_to_metric_families(scrape):
        counts = {
            each.labels.get("route"): each.value
            for each in family.samples
            if each.name.endswith("_count")
        }
        for sample in family.samples:
            value = sample.value
            if sample.name.endswith("_bucket"):
                value = counts[sample.labels.get("route")]
            if sample.labels.get("code") == "smtp_not_set":
                value = 0  # the test's daemon has no mail server
            grows = value if family.type in ("counter", "histogram") else 0
            labels = {"job": "hookbundle", "instance": "a", **sample.labels}
            shown = ", ".join(f'{name}="{text}"' for name, text in labels.items())
            series.append(
                {
                    "series": f"{sample.name}{{{shown}}}",
                    "values": f"{value:.0f}+{grows:.0f}x{MINUTES}",
                }
            )
    return series
