"""Builds the configuration dataclass of each part of the daemon from the settings."""

import os
import socket
import ssl
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from hookbundle.actors.history_watch import HistoryTotal
from hookbundle.actors.mailer import SmtpConfig
from hookbundle.actors.outbound.resolvers import ResolverConfig
from hookbundle.actors.store import StoreConfig
from hookbundle.commands.configuration import paths
from hookbundle.commands.configuration.kinds import DiskShare
from hookbundle.commands.configuration.settings import DEFAULT, Configuration, Value
from hookbundle.commands.daemon import outbound
from hookbundle.engine.delivery.addresses import AddressPolicy
from hookbundle.engine.delivery.backoff import BackoffPolicy
from hookbundle.engine.delivery.outcomes import AttemptLimits
from hookbundle.engine.errors import ConfigError
from hookbundle.server.console.console import ConsoleConfig
from hookbundle.server.daemon.config import DaemonConfig
from hookbundle.server.http.connection_guard import GuardLimits
from hookbundle.server.http.listeners import ListenersConfig, parse_listen
from hookbundle.server.http.sockets.given_sockets import GivenSockets
from hookbundle.storage.database.retention import Retention
from hookbundle.storage.tables.routing.quotas import Quota

SOCKET_PATH_BYTES_MAX = 107  # unix(7)
NOT_IN_A_HOST = "/@?# "


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
        tls=outbound.tls_context(config),
        proxy=outbound.proxy(config),
        smtp=_smtp_config(config),
        console=ConsoleConfig(
            public_url=_console_url(config), errors_max=BackoffPolicy().errors_max
        ),
        product_name=config.get("payload.product_name", str),
        in_flight_max=config.get("delivery.in_flight_max", int),
        stop_within_s=config.get("stop.within", int) / 1_000,
        trust_clock=trust_clock,
    )


def with_given(daemon: DaemonConfig, config: Configuration, given: GivenSockets) -> DaemonConfig:
    """The daemon serves the sockets that it was given, where settings do not say otherwise.

    Raises: ConfigError if a setting names another address than that of the given socket.
    """
    listeners = replace(daemon.listeners, given=given)
    if given.http is not None:
        at = given.http.getsockname()[:2]
        _check_agreement(config.values["listen"], f"{at[0]}:{at[1]}", at in _addresses(config))
        listeners = replace(listeners, listen="")
    if given.control is not None:
        path = Path(given.control.getsockname()).absolute()
        _check_agreement(config.values["socket"], str(path), path == daemon.listeners.socket_path)
        listeners = replace(listeners, socket_path=path)
    return replace(daemon, listeners=listeners)


def _check_agreement(value: Value, given: str, agrees: bool) -> None:
    if value.origin == DEFAULT or agrees:
        return
    name = value.setting.name
    raise ConfigError(
        f"{name} (from {value.origin}) is {value.written!r}, but the service manager listens on"
        f" {given}: leave the setting out, or change ListenStream= of the socket unit"
    )


def _addresses(config: Configuration) -> set[tuple[str, int]]:
    """Those that `listen` means; empty for `off`, and for a name that nobody knows."""
    listen = config.get("listen", str)
    if listen == "off":
        return set()
    try:
        found = socket.getaddrinfo(*parse_listen(listen), type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {(str(address[0]), int(address[1])) for *_, address in found}


def _retention(config: Configuration) -> Retention:
    return Retention(
        feed_events=config.get("feed.keep_events", int),
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
    known.add(urlsplit(_console_url(config)).hostname or "")
    hosts = {host.lower() for host in (*_hosts(config), *known) if host}
    return ListenersConfig(
        _socket_path(config),
        listen,
        guard=GuardLimits(
            connections_max=config.get("http.connections_max", int),
            header_s=config.get("http.header_timeout", int) / 1_000,
            idle_s=config.get("http.idle_timeout", int) / 1_000,
            hosts=tuple(sorted(hosts)),
        ),
        body_s=config.get("http.body_timeout", int) / 1_000,
        open_metrics=config.get("http.metrics", str) == "open",
    )


def _socket_path(config: Configuration) -> Path:
    path = paths.socket_path(config)
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise ConfigError(
            f"socket: {path} is too long; the system allows {SOCKET_PATH_BYTES_MAX} bytes"
        )
    return path


def _hosts(config: Configuration) -> tuple[str, ...]:
    hosts: tuple[str, ...] = config.get("http.hosts", tuple)
    for host in hosts:
        if any(c in host for c in NOT_IN_A_HOST):
            raise ConfigError(f"http.hosts: {host!r} must be a name alone, without scheme or path")
    return hosts


def _console_url(config: Configuration) -> str:
    url = config.get("console.url", str)
    if url and not _is_web_url(url):
        raise ConfigError(f"console.url: {url!r} must be like https://console.example.com")
    return url


def _is_web_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or an unclosed bracket
        return False


def _smtp_host(config: Configuration) -> str:
    host = config.get("smtp.host", str)
    if any(c in host for c in NOT_IN_A_HOST):
        raise ConfigError(f"smtp.host: {host!r} must be a name or an address alone")
    return host


def _ca_file(config: Configuration) -> str:
    path = config.get("smtp.ca_file", str)
    if not path:
        return path
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as exc:
        raise ConfigError(f"smtp.ca_file: {path} holds no certificate in PEM form") from exc
    except OSError as exc:
        raise ConfigError(f"smtp.ca_file: {path} can't be read: {exc.strerror}") from exc
    return path


def _smtp_config(config: Configuration) -> SmtpConfig:
    sender = config.get("smtp.sender", str)
    if "@" not in sender or any(c.isspace() for c in sender):
        raise ConfigError(f"smtp.sender: {sender!r} is not an e-mail address")
    if sender.endswith("@localhost"):
        sender = sender.replace("@localhost", f"@{socket.getfqdn()}")
    return SmtpConfig(
        host=_smtp_host(config),
        port=config.get("smtp.port", int),
        security=config.values["smtp.security"].value,
        username=config.get("smtp.username", str),
        password=config.get("smtp.password", str),
        sender=sender,
        ca_file=_ca_file(config),
        console_url=_console_url(config),
    )
