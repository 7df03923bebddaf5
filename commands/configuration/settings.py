"""Configuration: the table of settings. loading.py reads them.

A setting `delivery.backoff` is `HOOKBUNDLE_DELIVERY__BACKOFF` in the environment and
`backoff` under `[delivery]` in a file.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

from hookbundle.commands.configuration.kinds import (
    Kind,
    items,
    number,
    number_or_all,
    one_of,
    size,
    size_or_share,
    span,
    spans,
    text,
)
from hookbundle.commands.configuration.variables import ENV

T = TypeVar("T")

FROM_FILE = "_FILE"
DEFAULT = "default"  # the origin of a value that nobody set
MASKED = "********"


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    default: str
    kind: Kind
    meaning: str
    secret: bool = False

    @property
    def variable(self) -> str:
        return ENV + self.name.replace(".", "__").upper()


@dataclass(frozen=True, slots=True)
class Value:
    """A parsed value, the text it was parsed from, and the source of that text."""

    setting: Setting
    value: Any
    written: str
    origin: str

    @property
    def shown(self) -> str:
        return MASKED if self.setting.secret and self.written else self.written


STEPS = "5s,30s,2m,5m,15m,30m,1h,2h,4h,8h"

SETTINGS = (
    Setting("data", "", text(4_096), "the data directory; empty: the user's data directory"),
    Setting(
        "socket", "", text(4_096), "the control socket; empty: in the user's runtime directory"
    ),
    Setting("listen", "127.0.0.1:8470", text(300), "HOST:PORT of the HTTP API; `off` for none"),
    Setting("http.hosts", "", items(253), "host names accepted on TCP; `*`: any"),
    Setting(
        "http.connections_max",
        "1000",
        number(1, 1_000_000),
        "open connections to the API on TCP, at most",
    ),
    Setting(
        "http.header_timeout", "10s", span("1ms", "1h"), "time for a request's headers to arrive"
    ),
    Setting("http.body_timeout", "30s", span("1ms", "1h"), "time for a request's body to arrive"),
    Setting(
        "http.idle_timeout",
        "75s",
        span("1ms", "1d"),
        "time after which an idle connection is closed",
    ),
    Setting("http.metrics", "token", one_of("token", "open"), "who may read /metrics on TCP"),
    Setting(
        "delivery.backoff", STEPS, spans("1ms", "7d"), "waits after 1, 2, 3 ... consecutive errors"
    ),
    Setting(
        "delivery.connect_timeout", "5s", span("1ms", "1h"), "time limit of an attempt's connection"
    ),
    Setting("delivery.total_timeout", "15s", span("1ms", "1h"), "time limit of a whole attempt"),
    Setting(
        "delivery.allow_networks",
        "",
        items(64),
        "allowed besides public addresses: networks (CIDR), or ADDRESS:PORT of a receiver",
    ),
    Setting(
        "delivery.resolver",
        "dns",
        one_of("dns", "system"),
        "who looks host names up: `dns` asks name servers, `system` uses nsswitch",
    ),
    Setting(
        "delivery.proxy",
        "",
        text(2_048),
        "the only way out: http://USER:PASSWORD@HOST:PORT; empty: none",
        secret=True,
    ),
    Setting(
        "delivery.proxy_names",
        "here",
        one_of("here", "proxy"),
        "who looks up the receivers' names: this machine, which judges the address, or the proxy",
    ),
    Setting(
        "delivery.ca_file", "", text(4_096), "CA certificates trusted besides the system's, PEM"
    ),
    Setting(
        "delivery.client_certificate", "", text(4_096), "shown to receivers that want one, PEM"
    ),
    Setting("delivery.client_key", "", text(4_096), "its key, PEM; empty: in the same file"),
    Setting(
        "delivery.in_flight_max",
        "2000",
        number(1, 1_000_000),
        "attempts at once, all workspaces together",
    ),
    Setting(
        "quota.messages",
        "100000",
        number(0, 1_000_000_000),
        "messages that a disabled webhook holds, at most",
    ),
    Setting("quota.age", "7d", span("1s", "365d"), "how long a disabled webhook holds messages"),
    Setting(
        "feed.keep_events", "1000000", number(0, 1_000_000_000), "events kept for feed readers"
    ),
    Setting("feed.keep_bytes", "1GiB", size("16TiB"), "bytes of events kept for feed readers"),
    Setting("feed.keep", "7d", span("1ms", "3650d"), "how long events are kept for feed readers"),
    Setting(
        "history.keep", "14d", span("0", "3650d"), "how long deliveries stay; 0: only in the logs"
    ),
    Setting(
        "history.bytes",
        "512MiB",
        size("16TiB"),
        "bytes of deliveries kept for a workspace, at most",
    ),
    Setting(
        "history.total",
        "20%",
        size_or_share("16TiB"),
        "all kept deliveries: a size, or % of the disk",
    ),
    Setting("storage.floor", "64MiB", size("16TiB"), "free disk space below which intake stops"),
    Setting(
        "storage.reserve", "16MiB", size("1TiB"), "disk space reserved for outcomes on a full disk"
    ),
    Setting("payload.product_name", "the inbox", text(200), "named in the bundle's link sentence"),
    Setting("smtp.host", "", text(253), "the mail server; empty: e-mails stay queued"),
    Setting("smtp.port", "587", number(1, 65_535), "the mail server's port"),
    Setting(
        "smtp.security",
        "starttls",
        one_of("tls", "starttls", "none"),
        "the mail server's encryption",
    ),
    Setting("smtp.username", "", text(1_000), "the login's user name; empty: no login"),
    Setting("smtp.password", "", text(4_096), "the login's password", secret=True),
    Setting("smtp.sender", "hookbundle@localhost", text(254), "the e-mails' From address"),
    Setting("smtp.ca_file", "", text(4_096), "CA certificate of a private mail server"),
    Setting("console.url", "", text(2_048), "the console's public URL, linked in e-mails"),
    Setting(
        "cluster.servers", "", items(2_048), "log servers, nats:// or tls://; empty: no cluster"
    ),
    Setting("cluster.name", "hookbundle", text(32), "which cluster: a-z, 0-9 and -"),
    Setting("cluster.node", "", text(64), "this node's name; empty: the machine's"),
    Setting(
        "cluster.copies",
        "2",
        number_or_all(1, 256),
        "of each partition, on as many nodes, the owner's among them",
    ),
    Setting(
        "cluster.credentials",
        "",
        text(4_096),
        "for the log servers: USER:PASSWORD, or the path of a .creds file",
        secret=True,
    ),
    Setting("cluster.tls_ca", "", text(4_096), "CA certificate of the log servers, PEM"),
    Setting(
        "cluster.tls_cert", "", text(4_096), "shown to log servers that want a certificate, PEM"
    ),
    Setting("cluster.tls_key", "", text(4_096), "its key, PEM; empty: in the same file"),
    Setting(
        "cluster.key",
        "",
        text(4_096),
        "file with the key that all nodes share; empty: cluster.key in the data directory",
    ),
    Setting(
        "cluster.dead_after",
        "3s",
        span("2s", "5m"),
        "time without a sign of life after which a node's partitions go to others",
    ),
    Setting(
        "cluster.generation_size",
        "256MiB",
        size("1TiB", "1MiB"),
        "what is logged of a partition before its log is begun anew",
    ),
    Setting(
        "cluster.erase_within",
        "24h",
        span("1h", "30d"),
        "time within which what was deleted is in no log any more",
    ),
    Setting(
        "stop.within", "20s", span("1ms", "1h"), "how long a stop waits for attempts in flight"
    ),
    Setting("log.format", "auto", one_of("auto", "json", "console"), "auto: console on a terminal"),
    Setting(
        "log.level",
        "info",
        one_of("debug", "info", "warning", "error"),
        "the lowest level that is logged",
    ),
)
# All other settings can be changed by a reload (SIGHUP).
AT_START_ONLY = frozenset(
    {"data", "socket", "listen", "http.body_timeout", "http.idle_timeout", "http.metrics"}
    | {
        "delivery.in_flight_max",
        "delivery.resolver",
        "console.url",
        "storage.floor",
        "storage.reserve",
    }
    | {setting.name for setting in SETTINGS if setting.name.startswith("cluster.")}
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
BY_VARIABLE = {setting.variable: setting for setting in SETTINGS}


class Configuration:
    """All settings, each with its value and its origin."""

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values

    def get(self, name: str, kind: type[T]) -> T:
        value = self.values[name].value
        assert isinstance(value, kind), f"{name} is not of type {kind.__name__}"
        return value
