"""Builds the configuration dataclass of each part of the daemon from the settings."""

import socket
from urllib.parse import urlsplit

from hookbundle.actors.history_watch import HistoryTotal
from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.outbound.resolvers import ResolverConfig
from hookbundle.actors.store import StoreConfig
from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.settings import Configuration, DiskShare
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits
from hookbundle.engine.errors import ConfigError
from hookbundle.server.console.console import ConsoleConfig
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.listeners import ListenersConfig, parse_listen
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.transitions.accepting import Quota


def daemon_config(config: Configuration, *, trust_clock: bool = False) -> DaemonConfig:
    """The configuration of all parts. Raises: ConfigError."""
    return DaemonConfig(
        data=paths.data_directory(config),
        listeners=_listeners_config(config),
        store=StoreConfig(
            retention=_retention(config),
            reserve_bytes=config.get("storage.reserve", int),
            floor_bytes=config.get("storage.floor", int),
        ),
        history_total=_history_total(config),
        quota=Quota(config.get("quota.messages", int), config.get("quota.age", int)),
        policy=BackoffPolicy(steps_ms=config.get("delivery.backoff", tuple)),
        limits=AttemptLimits(
            connect_timeout_ms=config.get("delivery.connect_timeout", int),
            total_timeout_ms=config.get("delivery.total_timeout", int),
        ),
        addresses=AddressPolicy.parse(config.get("delivery.allow_networks", tuple)),
        resolver=ResolverConfig(config.values["delivery.resolver"].value),
        smtp=_smtp_config(config),
        console=ConsoleConfig(
            public_url=config.get("console.url", str), errors_max=BackoffPolicy().errors_max
        ),
        product_name=config.get("payload.product_name", str),
        in_flight_max=config.get("delivery.in_flight_max", int),
        stop_within_s=config.get("stop.within", int) / 1_000,
        trust_clock=trust_clock,
    )


def _retention(config: Configuration) -> Retention:
    return Retention(
        feed_events=_at_least(config, "feed.keep_events", 0),
        feed_bytes=config.get("feed.keep_bytes", int),
        feed_ms=config.get("feed.keep", int),
        history_ms=config.get("history.keep", int),
        history_bytes=config.get("history.bytes", int),
    )


def _history_total(config: Configuration) -> HistoryTotal:
    match config.values["history.total"].value:
        case DiskShare(percent):
            return HistoryTotal(percent=percent)
        case size:
            return HistoryTotal(bytes=size)


def _listeners_config(config: Configuration) -> ListenersConfig:
    listen = config.get("listen", str)
    listen = "" if listen == "off" else listen
    # The daemon answers to the host names in its own settings, because they send people here.
    known = {parse_listen(listen)[0]} if listen else set()
    known.add(urlsplit(config.get("console.url", str)).hostname or "")
    hosts = {host.lower() for host in (*config.get("http.hosts", tuple), *known) if host}
    return ListenersConfig(
        paths.socket_path(config),
        listen,
        guard=GuardLimits(
            connections_max=_at_least(config, "http.connections_max", 1),
            header_s=_at_least(config, "http.header_timeout", 1) / 1_000,
            idle_s=_at_least(config, "http.idle_timeout", 1) / 1_000,
            hosts=tuple(sorted(hosts)),
        ),
        body_s=_at_least(config, "http.body_timeout", 1) / 1_000,
        open_metrics=config.get("http.metrics", str) == "open",
    )


def _at_least(config: Configuration, name: str, least: int) -> int:
    value = config.get(name, int)
    if value < least:
        raise ConfigError(f"{name}: must be at least {least}; got {value}")
    return value


def _smtp_config(config: Configuration) -> SmtpConfig:
    sender = config.get("smtp.sender", str)
    if "@" not in sender or any(c.isspace() for c in sender):
        raise ConfigError(f"smtp.sender: {sender!r} is not an e-mail address")
    if sender.endswith("@localhost"):
        sender = sender.replace("@localhost", f"@{socket.getfqdn()}")
    return SmtpConfig(
        host=config.get("smtp.host", str),
        port=config.get("smtp.port", int),
        security=config.values["smtp.security"].value,
        username=config.get("smtp.username", str),
        password=config.get("smtp.password", str),
        sender=sender,
        ca_file=config.get("smtp.ca_file", str),
        console_url=config.get("console.url", str),
    )
