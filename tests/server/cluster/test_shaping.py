"""Nodes that were not configured alike, as any of them says it."""

from dataclasses import replace
from pathlib import Path

from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.storage.tables.routing.quotas import Quota
from hookbundle.tests.server.cluster.two_nodes import two


async def test_a_node_with_other_settings_is_named_with_them(tmp_path: Path) -> None:
    async with two(tmp_path) as made:
        second = made.nodes[1]
        before = await made.apis[0].get("/v1/cluster")
        quota = Quota(held_ms_max=1)
        second.reconfigure(replace(second.config, quota=quota, product_name="the other one"))
        after = [await api.get("/v1/cluster") for api in made.apis]
        visited = await made.sign_in()
        page = await made.visitors[0].get("/console/cluster")

    assert [node["differs"] for node in before["nodes"]] == [[], []]
    names = ["quota.age", "payload.product_name"]
    assert {node["name"]: node["differs"] for node in after[0]["nodes"]} == {"a": [], "b": names}
    assert {node["name"]: node["differs"] for node in after[1]["nodes"]} == {"a": names, "b": []}
    assert after[0]["warnings"] == ["b has other settings than a: quota.age, payload.product_name"]
    assert visited.status == 303
    assert "quota.age" in page.text


async def test_what_is_configured_anew_acts_in_all_partitions_that_a_node_owns(
    tmp_path: Path,
) -> None:
    async with two(tmp_path) as made:
        node = made.nodes[0]
        policy, quota = BackoffPolicy(steps_ms=(7,)), Quota(held_ms_max=1)
        node.reconfigure(replace(node.config, policy=policy, quota=quota))
        acts = [
            (owned.traffic.policy, owned.partition._chat_config.quota)
            for owned in node.owned.values()
        ]

    assert acts == [(policy, quota)] * len(acts)
    assert acts
