"""The settings of a node that shape what its partitions do, by their names."""

from collections.abc import Mapping

from hookbundle.engine.replication.cluster import ClusterConfig
from hookbundle.server.daemon.config import DaemonConfig


def shaping(config: DaemonConfig, cluster: ClusterConfig) -> Mapping[str, object]:
    """They have no secrets: others see whether they are the same."""
    kept, addresses = config.store.retention, config.addresses
    total = config.history_total
    return {
        "delivery.backoff": config.policy.steps_ms,
        "delivery.connect_timeout": config.limits.connect_timeout_ms,
        "delivery.total_timeout": config.limits.total_timeout_ms,
        "delivery.allow_networks": sorted(map(str, (*addresses.allow, *addresses.receivers))),
        "quota.messages": config.quota.messages_max,
        "quota.age": config.quota.held_ms_max,
        "feed.keep_events": kept.feed_events,
        "feed.keep_bytes": kept.feed_bytes,
        "feed.keep": kept.feed_ms,
        "history.keep": kept.history_ms,
        "history.bytes": kept.history_bytes,
        "history.total": (total.percent, total.bytes),
        "payload.product_name": config.product_name,
        "smtp.host": config.smtp.host,
        "console.url": config.console.public_url,
        "cluster.copies": cluster.copies,
        "cluster.dead_after": cluster.dead_after_s,
        "cluster.generation_size": cluster.generation_bytes,
        "cluster.erase_within": cluster.erase_within_ms,
    }
